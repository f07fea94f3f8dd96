/** The page that checks exports in a browser says what the verb says. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import { zipped } from '../../infra/exports/archive.ts'
import { signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { leafOf } from '../../projections/notary/leaf.ts'
import { leafHash, Tree } from '../../projections/notary/merkle.ts'
import { type Signer, verifierOf, verifierText } from '../../projections/notary/note.ts'
import { AuditFault, HASHES, sha256 } from '../../read-api/audit/bundle.ts'
import { exportAt } from '../../read-api/audit/export-at.ts'
import { bytesIn } from '../../read-api/audit/source.ts'
import { checkExport } from '../../scripts/check-export.ts'
import { exported, type Files, linesOf, readFiles, stored, writeFiles } from '../audit/support.ts'
import { History } from '../read-api/support.ts'
import { chromium, openPage, type Page } from '../support/chromium.ts'
import { patient } from '../support/pace.ts'

describe('the page that checks exports', function verifyPage() {
  this.timeout(patient(120_000))
  const browser = chromium()
  const key: Signer = { name: 'example.com/kogi', privateKey: generateKeyPairSync('ed25519').privateKey }
  const other: Signer = { name: 'example.com/kogi', privateKey: generateKeyPairSync('ed25519').privateKey }
  const publicKey = verifierText(verifierOf(key))
  let folder: string
  let page: Page
  let files: Files
  let half: string

  /** What the page says of an archive. */
  async function said(archive: string, { keys = publicKey, since = '' } = {}): Promise<string> {
    const values = { keys, since, result: '' }
    for (const [id, value] of Object.entries(values)) {
      const field = id === 'result' ? 'textContent' : 'value'
      await page.value(`document.getElementById('${id}').${field} = ${JSON.stringify(value)}`)
    }
    await page.choose('#archive', [archive])
    for (const end = Date.now() + patient(20_000); Date.now() < end; await sleep(50)) {
      const text = await page.value<string>(`document.getElementById('result').textContent`)
      if (text !== '' && !text.startsWith('checking')) return text
    }
    throw new Error('the page said nothing')
  }
  async function archived(name: string, of: Files): Promise<string> {
    const place = path.join(folder, name)
    await writeFiles(place, of)
    const entries = Object.entries(of).map(([file, bytes]) => ({ name: file, sha256: sha256(bytes) }))
    await writeFile(`${place}.zip`, await bytesIn(zipped(place, entries, { name, madeAt: new Date(0) })))
    return `${place}.zip`
  }
  const codeOf = async (archive: string, signer = key, since?: string) =>
    checkExport(await exportAt(archive), {
      verifiers: [verifierOf(signer)],
      ...(since !== undefined && { earlier: since }),
    }).then(
      ({ text }) => text,
      error => {
        if (error instanceof AuditFault) return error.code
        throw error
      },
    )

  before(async function start() {
    if (!browser) {
      process.stderr.write('    no browser is there (chromium): the page that checks exports is not tried\n')
      this.skip()
    }
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-page-'))
    const history = work()
    const tree = new Tree()
    for await (const events of stored(history)) {
      for (const event of events) {
        tree.add(leafHash(leafOf(event)))
        if (tree.size === 5) half = signed(tree)
      }
    }
    const out = path.join(folder, 'clean')
    await exported(history, out, { checkpoint: signed(tree), signers: [key] })
    files = await readFiles(out)
    const { verifierPage } = await import(String(pathToFileURL(path.resolve('scripts/bundle.mjs'))))
    const html = path.join(folder, 'kogi-verify.html')
    await writeFile(html, await verifierPage())
    page = await openPage(browser!, String(pathToFileURL(html)))
  })
  after(async () => {
    await page?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  const signed = ({ size, root }: Tree) => signCheckpoint({ origin: `${key.name}/org/north`, size, root }, [key])

  /** Events with the names that the write path gives. */
  function work(): History {
    const history = new History()
    for (let n = 0; n < 12; n += 1) {
      history.add('north', 'task', `t${n}`, 'TaskCreated', { name: `Do ü ${n}`, status: 'open' })
      const event = history.events.pop()!
      const { commandId, fingerprint, org, id } = event.metadata
      const names = { stream: streamOf(org, 'task', id), eventId: uuidOf([commandId, fingerprint, 0]) }
      history.events.push({ ...event, ...names })
    }
    return history
  }

  it('calls a sound one sound, in the words of the verb', async () => {
    const archive = await archived('sound', files)
    expect(await said(archive, { since: half })).to.equal(`Sound\n${await codeOf(archive, key, half)}`)
    expect(await said(archive, { since: half.trimEnd() })).to.match(/^Sound\n/)
    expect(await said(archive, { keys: '' })).to.match(/^No fault, but no key was given\n/)
    expect(await page.value(`document.getElementById('result').className`)).to.equal('')
  })

  it('finds with the same code what was changed', async () => {
    const lines = linesOf(files)
    const changed = Buffer.from(`${lines.map((line, n) => (n === 3 ? line.replace('Do', 'Di') : line)).join('\n')}\n`)
    const { [HASHES]: _, ...without } = files
    const cases: Readonly<Record<string, Files>> = {
      line_changed: { ...files, 'events.ndjson': changed },
      file_changed: { ...files, 'schemas.json': Buffer.from('{ }\n') },
      file_missing: without,
      file_extra: { ...files, 'more.txt': Buffer.from('x') },
      signature_wrong: { ...files, 'manifest.note': Buffer.from('') },
      manifest_invalid: { ...files, 'manifest.json': Buffer.from('{}') },
    }
    for (const [code, of] of Object.entries(cases)) {
      const archive = await archived(code, of)
      expect((await said(archive)).split('\n')[0], code).to.equal(code)
      expect(await codeOf(archive)).to.equal(code)
    }
  })

  it('refuses another key, an earlier checkpoint that does not fit, and what is no export', async () => {
    const archive = await archived('again', files)
    expect(await said(archive, { keys: verifierText(verifierOf(other)) })).to.match(/^signature_wrong\n/)
    const forged = signCheckpoint({ origin: `${key.name}/org/north`, size: 5, root: Buffer.alloc(32, 7) }, [key])
    expect(await said(archive, { since: forged })).to.match(/^seal_broken\n/)
    expect(await codeOf(archive, key, forged)).to.equal('seal_broken')
    await writeFile(path.join(folder, 'no.zip'), 'this is no archive')
    expect(await said(path.join(folder, 'no.zip'))).to.match(/^folder_unreadable\n/)
    expect(await said(archive, { keys: 'nonsense' })).to.match(/^check_failed\nThe public key cannot be read/)
  })

  it('connects to nothing, and fits a small screen', async () => {
    const reached = await page.value<string>(`fetch('data:,x').then(() => 'reached', () => 'refused')`)
    expect(reached).to.equal('refused')
    const wide = await page.value<number>('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    expect(wide).to.equal(0)
  })
})
