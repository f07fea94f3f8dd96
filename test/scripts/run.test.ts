import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FOLDERS = ['commands', 'domain', 'infra', 'projections', 'read-api', 'scripts']

describe('the CLI of a checkout', () => {
  let root: string

  before(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'kogi-checkout-'))
    for (const folder of FOLDERS) await mkdir(path.join(root, folder))
    for (const file of [
      'scripts/run.mjs',
      'scripts/build.mjs',
      'scripts/bundle.mjs',
      'tsconfig.json',
      'package.json',
      'package-lock.json',
    ]) {
      await cp(path.join(ROOT, file), path.join(root, file))
    }
    await symlink(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'))
    await mkdir(path.join(root, 'scripts/page'))
    for (const name of ['write-help.ts', 'verify.ts', 'page/buffer.ts', 'page/entry.ts', 'page/verify.html']) {
      await writeFile(path.join(root, 'scripts', name), '')
    }
    await writeFile(path.join(root, 'domain/word.ts'), `export const word: string = 'first'\n`)
    const main = `import { word } from '../domain/word.ts'\nconsole.log(word, ...process.argv.slice(2))\n`
    await writeFile(path.join(root, 'scripts/kogi.ts'), main)
  })
  after(() => rm(root, { recursive: true, force: true }))

  const run = async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [path.join(root, 'scripts/run.mjs'), 'verb'])
    return { said: stdout.trim(), built: stderr.includes('building') }
  }

  it('is built where there is no build, and after any change of a source, and at no other time', async () => {
    expect(await run()).to.deep.equal({ said: 'first verb', built: true })
    expect(await run()).to.deep.equal({ said: 'first verb', built: false })
    await writeFile(path.join(root, 'domain/word.ts'), `export const word: string = 'second'\n`)
    expect(await run()).to.deep.equal({ said: 'second verb', built: true })
    await rm(path.join(root, 'domain/word.ts'))
    const failed = await run().catch((error: Error & { stderr: string }) => error)
    expect(failed).to.be.instanceOf(Error)
    expect((failed as { stderr: string }).stderr).to.include('domain/word.ts')
  })
})
