/**
 * Tests run as compiled JavaScript. The first process of a run compiles all sources once (`tsc`, no type check) into a
 * folder of that run, which looks like an installed package; it, mocha's workers and the processes that tests start
 * load the code from there. A verb of the CLI runs as it does for a user: from the bundle, without any loader.
 */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle } from '../../scripts/bundle.mjs'

const ROOT = path.resolve(import.meta.dirname, '../..')

function compile() {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kogi-compiled-')))
  removeAtEnd(folder)
  chmodSync(folder, 0o755) // A test starts a process as another user.
  const tsc = path.join(path.dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const options = ['-p', ROOT, '--noEmit', 'false', '--noCheck', '--rootDir', ROOT, '--outDir', folder]
  execFileSync(process.execPath, [tsc, ...options, '--inlineSourceMap', '--sourceRoot', ROOT], { stdio: 'inherit' })
  for (const { path: file, contents } of bundle(path.join(folder, 'scripts'))) writeFileSync(file, contents)
  copyFileSync(path.join(ROOT, 'package.json'), path.join(folder, 'package.json'))
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
  mkdirSync(path.join(folder, 'infra/xml'), { recursive: true })
  symlinkSync(path.join(ROOT, 'infra/xml/schemas'), path.join(folder, 'infra/xml/schemas'))
  return folder
}

/** Removes a folder when this process ends, also when it is killed: a shell waits for the end of a pipe from it. */
function removeAtEnd(folder) {
  const args = ['-c', 'read -r _; rm -rf "$0"', folder]
  const shell = spawn('/bin/sh', args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  shell.stdin.unref()
}

/** Mocha requires a file, then imports it, and shows the error of the first: that one says here what the import says. */
function showErrorsOfImports() {
  createRequire(import.meta.url).extensions['.ts'] = (_, file) => {
    const error = new Error(`${file} is an ES module`)
    import(pathToFileURL(file).href).catch(({ message, stack }) => Object.assign(error, { message, stack }))
    throw error
  }
}

process.env.KOGI_TEST_COMPILED ??= compile()
const folder = process.env.KOGI_TEST_COMPILED
if (!process.argv[1]?.startsWith(folder)) {
  process.setSourceMapsEnabled(true)
  register('./compiled-hooks.mjs', import.meta.url, {
    data: { sources: `${pathToFileURL(ROOT)}/`, compiled: `${pathToFileURL(folder)}/` },
  })
  showErrorsOfImports()
}
