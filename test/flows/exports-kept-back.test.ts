/** Exports that something keeps back: they are made all the same, say what they lack, and hold nothing else. */
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { uuidOf } from '../../commands/ids.ts'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { FileChanged, zipped } from '../../infra/exports/archive.ts'
import { Exporter } from '../../infra/exports/exporter.ts'
import { exporterOf } from '../../infra/exports/open.ts'
import { exportOptions } from '../../infra/exports/options.ts'
import { pendingExports } from '../../infra/exports/rows.ts'
import { fileStore } from '../../infra/files/open.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { archiveSource } from '../../read-api/audit/archive-source.ts'
import { sha256 } from '../../read-api/audit/bundle.ts'
import { bytesIn } from '../../read-api/audit/source.ts'
import { readManifest } from '../../read-api/audit/verify.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'
import { freshDatabase } from '../support/postgres.ts'
import { readModels } from '../support/templates.ts'

const EXPORTS = '/api/v1/kmg/audit/exports'

describe('exports that something keeps back', function keptBack() {
  this.timeout(patient(60_000))
  let app: App
  let admin: Client
  let pool: Pool
  let events: ReturnType<typeof eventLog>
  let side: ReturnType<typeof openWriteSide>
  let exporter: Exporter
  const closing: (() => Promise<unknown>)[] = []
  const { signal } = new AbortController()

  before(async () => {
    app = await startApp({ env: { KOGI_FILE_TYPES_REFUSED: 'application/zip' } })
    admin = await app.clientOf('acme')
    pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 2 })
    events = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    side = openWriteSide(app.urls, app.config, silentLog)
    closing.push(
      side.close,
      () => events.close(),
      () => pool.end(),
    )
    const { config, urls } = app
    exporter = exporterOf({ ...side.deps, config, eventStoreUrl: urls.eventStoreUrl, events, pool, log: silentLog })
    await admin.call('POST', '/api/v1/kctr/tasks', { body: { id: 't', name: 'Task' } })
  })
  after(async () => {
    await Promise.allSettled(closing.map(close => close()))
    await app?.close()
  })

  async function ordered(id: string, selection: object = {}) {
    const { status } = await admin.call('POST', EXPORTS, { body: { export: id, ...selection } })
    expect(status).to.be.below(300)
    for (const end = Date.now() + patient(20_000); Date.now() < end; await sleep(50)) {
      if ((await admin.call('GET', `${EXPORTS}/${id}`)).status === 200) return
    }
    throw new Error(`the export ${id} has no row`)
  }
  /** The row of a completed export, and the names of the files in its archive, which is sound. */
  async function made(id: string) {
    let row: Record<string, string> = {}
    for (const end = Date.now() + patient(20_000); row.state !== 'completed' && Date.now() < end; await sleep(50)) {
      row = (await admin.call('GET', `${EXPORTS}/${id}`)).body.data
    }
    expect(row.state).to.equal('completed')
    const archive = await bytesIn((await fileStore(app.config).read('acme', row.sha256!))!)
    const read = async (from: number, length: number) => archive.subarray(from, from + length)
    const source = archiveSource({ name: id, size: archive.length, read })
    await readManifest(source)
    return { row, names: (await source.entries()).map(({ name }) => name) }
  }

  it('have no tables where nothing is selected, though archives may not be uploaded', async () => {
    await ordered('nobody', { actors: ['nobody'] })
    await exporter.look(signal)
    const { row, names } = await made('nobody')
    expect(row).to.include({ events: 0 }).and.not.to.have.property('not_readable')
    expect(names.filter(name => name.startsWith('tables'))).to.deep.equal([])
    expect(names).to.include('index.html')
  })

  it('hold nothing that an earlier try has left', async () => {
    await ordered('left')
    const bundle = path.join(app.config.dataDir, 'exports', uuidOf(['acme', 'left']), 'bundle')
    await mkdir(path.join(bundle, 'tables'), { recursive: true })
    for (const name of ['manifest.note', 'tables/old.csv', 'other.txt']) await writeFile(path.join(bundle, name), 'old')
    await exporter.look(signal)
    const { names } = await made('left')
    expect(names).to.include('tables/tasks.csv').and.not.to.include('tables/old.csv')
    expect(names).not.to.include('other.txt')
  })

  /** An exporter whose read models stand still, and how long it waits for them: in a try, and in all. */
  async function exporterBehind(settleMs: number, readableMs: number): Promise<Exporter> {
    const still = createPool({ url: await freshDatabase(readModels), name: 'read', log: silentLog, max: 1 })
    closing.push(() => still.end())
    const { config, urls } = app
    const readable = { pool: still, unseal: side.deps.keyring.open, settleMs }
    const sources = { config, eventStoreUrl: urls.eventStoreUrl, log: events, store: side.deps.store, readable }
    return new Exporter({
      ...side.deps,
      pending: pendingExports(pool),
      optionsOf: (org, given) => exportOptions(sources, org, given),
      folder: path.join(config.dataDir, 'exports'),
      files: fileStore({ ...config, fileTypesRefused: [] }),
      readableMs,
      log: silentLog,
    })
  }

  it('are left at once by a worker that is to stop', async () => {
    await ordered('stopped')
    const waiting = await exporterBehind(patient(60_000), 0)
    const stopping = new AbortController()
    setTimeout(() => stopping.abort(), 1_000)
    const error = await waiting.look(stopping.signal).catch(caught => caught)
    expect(error).to.include({ name: 'AbortError' })
    expect((await admin.call('GET', `${EXPORTS}/stopped`)).body.data.state).to.be.oneOf(['requested', 'running'])
    await exporter.look(signal)
    await made('stopped')
  })

  it('wait for read models that stand still, and are made without the files for people then', async () => {
    await ordered('still')
    const patientOne = await exporterBehind(0, 200)
    const failed = await patientOne.look(signal).catch(error => error)
    expect(failed).to.include({ code: 'not_yet_visible' })
    await sleep(300)
    await patientOne.look(signal)
    const { row, names } = await made('still')
    expect(row.not_readable).to.match(/^The read model \w+ has not come to position \d+/)
    const own = ['events.ndjson', 'events.sha256', 'manifest.json', 'manifest.note', 'schemas.json']
    expect(names.sort()).to.deep.equal(own)
  })
})

describe('the archive of an export', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-archive-'))
    await writeFile(path.join(folder, 'a.txt'), 'a'.repeat(1_000_000))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  const files = [{ name: 'a.txt', sha256: sha256('a'.repeat(1_000_000)) }]
  const options = { name: 'x', madeAt: new Date(0) }

  it('ends where its worker is to stop', async () => {
    const stopping = new AbortController()
    stopping.abort()
    const error = await bytesIn(zipped(folder, files, { ...options, signal: stopping.signal })).catch(caught => caught)
    expect(error).to.include({ name: 'AbortError' })
  })

  it('is refused where a file is not as it was written', async () => {
    expect((await bytesIn(zipped(folder, files, options))).length).to.be.above(100)
    await appendFile(path.join(folder, 'a.txt'), 'b')
    const error = await bytesIn(zipped(folder, files, options)).catch(caught => caught)
    expect(error).to.be.instanceOf(FileChanged)
  })
})
