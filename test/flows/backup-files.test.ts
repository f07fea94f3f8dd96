/** The bytes of files of items in a backup: all of them, verified by their digests, and restored. */
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { MANIFEST, type Manifest, manifestText } from '../../infra/backup/format.ts'
import { restoreFiles } from '../../infra/backup/item-files.ts'
import { makeBackup } from '../../infra/backup/make.ts'
import { verifyBackup } from '../../infra/backup/verify.ts'
import { folderStore } from '../../infra/files/folder.ts'
import { fileStore } from '../../infra/files/open.ts'
import { silentLog } from '../../infra/log.ts'
import { masterKeysOf, noMasterKeys } from '../../infra/master-keys.ts'
import { createPool } from '../../infra/postgres.ts'
import { type App, startApp } from '../support/app.ts'

const BOUNDARY = 'a-boundary'
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex')
const placeOf = (text: string) => path.join(digestOf(text).slice(0, 2), digestOf(text))

describe('a backup of files', () => {
  let app: App
  let work: string
  let backup: string
  let manifest: Manifest

  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-backup-files-'))
    backup = path.join(work, 'backup')
    app = await startApp()
    await upload('one', 'Shared by two.')
    await upload('two', 'Shared by two.')
    await upload('one', 'Lost.')
    await upload('one', 'Damaged.')
    await upload('one', '')
    const kept = path.join(app.config.dataDir, 'files', 'kept', 'one')
    await rm(path.join(kept, placeOf('Lost.')))
    await writeFile(path.join(kept, placeOf('Damaged.')), 'Damages.')
    manifest = await made(backup, [])
  })
  after(async () => {
    await app.close()
    await rm(work, { recursive: true, force: true })
  })

  async function upload(org: string, content: string) {
    const client = await app.clientOf(org)
    await client.call('POST', '/api/v1/kbfc/items', { body: { id: 'bakery', name: 'Bakery' } })
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n`
    const { status, body } = await client.call('POST', '/api/v1/kbfc/items/bakery/files', {
      raw: `${head}${content}\r\n--${BOUNDARY}--\r\n`,
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    })
    expect(status, JSON.stringify(body)).to.equal(201)
  }
  async function made(folder: string, masters: string[]) {
    const keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    try {
      return await makeBackup({ folder, config: { ...app.config, masterKeys: masters }, urls: app.urls, keys })
    } finally {
      await keys.end()
    }
  }
  async function copyOf() {
    const copy = await mkdtemp(path.join(work, 'copy-'))
    await cp(backup, copy, { recursive: true })
    return copy
  }
  const faultsOf = (folder: string) =>
    verifyBackup(folder).then(
      () => [],
      ({ code, details }) => [code, ...details.map(({ field }: { field: string }) => field)],
    )

  it('has the bytes of each once, and says which are lost', async () => {
    expect(manifest.itemFiles).to.deep.equal({
      all: 5,
      bytes: 'Shared by two.'.length,
      missing: [`one/${digestOf('Damaged.')}`, `one/${digestOf('Lost.')}`].sort(),
    })
    const names = await readdir(path.join(backup, 'files'), { recursive: true })
    const files = names.filter(name => path.basename(name).length === 64)
    expect(files).to.have.members([placeOf('Shared by two.'), placeOf('')])
    expect((await stat(path.join(backup, 'files', files[0]!))).mode & 0o777).to.equal(0o600)
    expect(await verifyBackup(backup)).to.deep.equal(manifest)
    for (const name of files)
      expect(await readFile(path.join(backup, 'files', name), 'latin1')).not.to.include('Shared')
  })

  it('is damaged where one of them is another, is cut, missing or too many', async () => {
    const place = path.join('files', placeOf('Shared by two.'))
    const damages: readonly (readonly [field: string, damage: (folder: string) => Promise<unknown>])[] = [
      [place, folder => writeFile(path.join(folder, place), Buffer.alloc('Shared by two.'.length + 28))],
      [place, folder => writeFile(path.join(folder, place), 'Shared by two.')],
      [place, folder => truncate(path.join(folder, place), 5)],
      [place, folder => rm(path.join(folder, place))],
      ['files/extra', folder => writeFile(path.join(folder, 'files', 'extra'), 'x')],
      ['files.ndjson', folder => truncate(path.join(folder, 'files.ndjson'), 5)],
      ['files.ndjson', folder => rm(path.join(folder, 'files.ndjson'))],
    ]
    for (const [field, damage] of damages) {
      const copy = await copyOf()
      await damage(copy)
      expect(await faultsOf(copy), String(damage)).to.deep.equal(['backup_damaged', field])
    }
  })

  it('is restored whole, twice as once, whatever types are refused now', async () => {
    const folder = path.join(work, 'restored')
    const store = fileStore({ filesDir: folder, dataDir: work, fileTypesRefused: [] })
    for (const _ of ['once', 'twice']) expect(await restoreFiles(backup, store, noMasterKeys)).to.equal(3)
    for (const [org, text] of [
      ['one', 'Shared by two.'],
      ['two', 'Shared by two.'],
      ['one', ''],
    ] as const) {
      const chunks: Uint8Array[] = []
      for await (const chunk of (await folderStore(folder, new Set()).read(org, digestOf(text)))!) chunks.push(chunk)
      expect(Buffer.concat(chunks).toString('utf8')).to.equal(text)
    }
    expect(await store.read('two', digestOf(''))).to.equal(undefined)
  })

  it('opens nothing by itself where there is a master key', async () => {
    const [entry, other] = [1, 2].map(byte => `base64:${Buffer.alloc(32, byte).toString('base64')}`) as [string, string]
    const wrapped = path.join(work, 'wrapped')
    await made(wrapped, [entry])
    await verifyBackup(wrapped)
    const store = fileStore({ filesDir: path.join(work, 'unwrapped'), dataDir: work, fileTypesRefused: [] })
    const codeOf = (error: { code: string }) => error.code
    for (const masterKeys of [[], [other]]) {
      expect(await restoreFiles(wrapped, store, masterKeysOf({ masterKeys })).catch(codeOf)).to.equal(
        'engine_unavailable',
      )
    }
    expect(await restoreFiles(wrapped, store, masterKeysOf({ masterKeys: [other, entry] }))).to.equal(3)
  })

  it('may be of the form from before it had files, which must not have any', async () => {
    const copy = await copyOf()
    const { itemFiles: _, ...rest } = manifest
    const files = rest.files.filter(({ name }) => name !== 'files.ndjson')
    await rm(path.join(copy, 'files'), { recursive: true })
    await rm(path.join(copy, 'files.ndjson'))
    const write = (changed: Manifest) => writeFile(path.join(copy, MANIFEST), manifestText(changed))
    await write({ ...rest, format: 1, files })
    expect(await faultsOf(copy)).to.deep.equal([])
    await write({ ...rest, format: 2, files })
    expect(await faultsOf(copy)).to.deep.equal(['backup_damaged', MANIFEST])
  })
})
