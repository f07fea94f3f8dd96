/** The bytes of files of items in a backup: all of them, verified by their digests, and restored. */
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { MANIFEST, type Manifest, manifestText } from '../../infra/backup/format.ts'
import { restoreFiles } from '../../infra/backup/item-files.ts'
import { makeBackup } from '../../infra/backup/make.ts'
import { mustHaveMasters, wantedMasters } from '../../infra/backup/masters.ts'
import { verifyBackup } from '../../infra/backup/verify.ts'
import { folderStore } from '../../infra/files/folder.ts'
import { fileStore } from '../../infra/files/open.ts'
import { silentLog } from '../../infra/log.ts'
import { masterKeysOf, noMasterKeys } from '../../infra/master-keys.ts'
import { createPool } from '../../infra/postgres.ts'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import { refusal } from '../support/backups.ts'

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

  it('leads nowhere else, whatever its list says', async () => {
    const list = (await readFile(path.join(backup, 'files.ndjson'), 'utf8')).trim().split('\n')
    const [key, ...files] = list.map(line => JSON.parse(line))
    const damages: readonly (readonly [line: number, lines: readonly object[]])[] = [
      ...['../../escaped', '..', '.', '/escaped', 'a/b', '', 'x'.repeat(65)].map(
        org => [files.length + 1, [key, ...files.slice(0, -1), { ...files.at(-1), org }]] as const,
      ),
      [2, [key, { ...files[0], sha256: '../../escaped' }]],
      [1, [{ ...key, secret: 7 }, ...files]],
    ]
    for (const [line, lines] of damages) {
      const copy = await copyOf()
      const text = lines.map(each => `${JSON.stringify(each)}\n`).join('')
      await writeFile(path.join(copy, 'files.ndjson'), text)
      const part = { bytes: Buffer.byteLength(text), lines: lines.length, sha256: digestOf(text) }
      const parts = manifest.files.map(each => (each.name === 'files.ndjson' ? { ...each, ...part } : each))
      await writeFile(path.join(copy, MANIFEST), manifestText({ ...manifest, files: parts }))
      const { code, details } = await verifyBackup(copy).then(
        () => ({ code: 'whole', details: [] }),
        error => error,
      )
      expect(code, text).to.equal('backup_damaged')
      expect(details[0]).to.deep.include({ field: 'files.ndjson' })
      expect(details[0].message, text).to.include(`line ${line} `)
    }
    const folder = path.join(work, 'inner', 'store')
    const store = folderStore(folder, new Set())
    const bytes = async function* () {
      yield Buffer.from('Escaped.')
    }
    const digest = digestOf('Escaped.')
    const outside = path.join(work, 'inner', placeOf('Escaped.'))
    await mkdir(path.dirname(outside), { recursive: true })
    await writeFile(outside, 'Escaped.')
    const org = '../..'
    expect(await store.put(org, bytes()).catch((error: Error) => error)).to.be.instanceOf(RangeError)
    expect(await store.read(org, digest)).to.equal(undefined)
    await store.remove(org, [digest], Date.now() + 60_000)
    expect(await readFile(outside, 'utf8')).to.equal('Escaped.')
    expect(await stat(folder).catch(() => undefined)).to.equal(undefined)
  })

  it('is restored whole, twice as once, whatever types are refused now', async () => {
    const folder = path.join(work, 'restored')
    const store = fileStore({
      filesDir: folder,
      dataDir: work,
      fileTypesRefused: [],
      fileBytesMax: 1_000_000,
      s3Url: undefined,
    })
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
    const store = fileStore({
      filesDir: path.join(work, 'unwrapped'),
      dataDir: work,
      fileTypesRefused: [],
      fileBytesMax: 1_000_000,
      s3Url: undefined,
    })
    const codeOf = (error: { code: string }) => error.code
    for (const masterKeys of [[], [other]]) {
      expect(await restoreFiles(wrapped, store, masterKeysOf({ masterKeys })).catch(codeOf)).to.equal(
        'engine_unavailable',
      )
    }
    expect(await restoreFiles(wrapped, store, masterKeysOf({ masterKeys: [other, entry] }))).to.equal(3)
  })

  it('is refused before anything is written where a master key that it wants is not set any more', async () => {
    const [old, fresh] = [3, 4].map(byte => `base64:${Buffer.alloc(32, byte).toString('base64')}`) as [string, string]
    const folder = path.join(work, 'before-rotation')
    const keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    const [name] = masterKeysOf({ masterKeys: [old] }).names
    try {
      await keys.query(
        `insert into subject_keys (key, org, subject, secret, master)
        values (gen_random_uuid(), 'one', 'wrapped', '\\x00', $1), (gen_random_uuid(), 'one', 'left', null, null)`,
        [name],
      )
      await made(folder, [old])
      await keys.query(`delete from subject_keys where subject in ('wrapped', 'left')`)
    } finally {
      await keys.end()
    }
    const wanted = await wantedMasters(folder, await verifyBackup(folder))
    expect(wanted).to.deep.equal(['keys.ndjson', 'files.ndjson'].map(file => ({ file, master: name })))
    for (const set of [[], [fresh]])
      expect(() => mustHaveMasters(wanted, masterKeysOf({ masterKeys: set }))).to.throw('is not set')
    mustHaveMasters(wanted, masterKeysOf({ masterKeys: [fresh, old] }))
    expect(await wantedMasters(backup, manifest)).to.deep.equal([])

    const data = path.join(work, 'nothing')
    const without = { KOGI_MASTER_KEYS: fresh }
    for (const verb of [
      ['restore', folder, '--data', data],
      ['backup', 'verify', folder],
    ]) {
      const refused = await refusal(kogi([...verb, '--json'], without))
      expect(refused, verb[0]).to.deep.include({ code: 'master_key_missing', status: 78 })
      expect(refused.fields).to.deep.equal(['keys.ndjson', 'files.ndjson'])
      expect(refused.text).to.include(name).and.not.include(fresh)
    }
    expect(await stat(data).catch(() => undefined)).to.equal(undefined)
    for (const set of [{}, { KOGI_MASTER_KEYS: `${fresh},${old}` }]) {
      const verified = JSON.parse(await kogi(['backup', 'verify', folder, '--json'], set))
      expect(verified).to.deep.include({ whole: true, masters: [name] })
    }
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
