/** Workers that are killed while they make exports: the next one makes them, each once, whole and sound. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { ENTRY } from '../../../infra/children.ts'
import { fileStore } from '../../../infra/files/open.ts'
import { archiveSource } from '../../../read-api/audit/archive-source.ts'
import { bytesIn } from '../../../read-api/audit/source.ts'
import { readManifest, verifiedEvents } from '../../../read-api/audit/verify.ts'
import { checkOptions } from '../../../scripts/check-export.ts'
import { randomOf } from '../../projections/history.ts'
import { type App, startApp } from '../../support/app.ts'
import type { Client } from '../../support/client.ts'
import { patient } from '../../support/pace.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const KILLS = LONG ? 50 : 4
const TASKS = LONG ? 20_000 : 2_000
const PER_BULK = 500

describe(`exports: workers killed amid one (KOGI_SEED=${SEED})`, function kill() {
  this.timeout(LONG ? 1_800_000 : patient(120_000))
  let app: App
  let admin: Client
  let worker: ChildProcess | undefined

  function startWorker(): ChildProcess {
    const { eventStoreUrl, databaseUrl, keysDatabaseUrl } = app.urls
    const env = {
      ...process.env,
      KOGI_LOG_LEVEL: 'silent',
      KOGI_PORT: '0',
      KOGI_DATA_DIR: app.config.dataDir,
      KOGI_EVENTSTORE_URL: eventStoreUrl,
      KOGI_DATABASE_URL: databaseUrl,
      KOGI_KEYS_DATABASE_URL: keysDatabaseUrl,
    }
    return spawn(process.execPath, [...process.execArgv, ENTRY, 'worker'], { env, stdio: 'ignore' })
  }
  const rows = async (): Promise<readonly Row[]> =>
    (await admin.call('GET', '/api/v1/kmg/audit/exports?limit=100')).body.data
  /** What stands of the export under way: its files, and the bytes of its events. */
  async function standing(): Promise<{ names: readonly string[]; bytes: number }> {
    const folder = path.join(app.config.dataDir, 'exports')
    const names = await readdir(folder, { recursive: true }).catch(() => [])
    const events = names.find(name => name.endsWith('events.ndjson'))
    const found = events === undefined ? undefined : await stat(path.join(folder, events)).catch(() => undefined)
    return { names, bytes: found?.size ?? 0 }
  }
  async function until(what: string, is: () => Promise<boolean>): Promise<void> {
    for (const end = Date.now() + patient(60_000); Date.now() < end; await sleep(1)) if (await is()) return
    throw new Error(`${what} did not come to be`)
  }

  before(async () => {
    app = await startApp()
    admin = await app.clientOf('acme')
    for (let from = 0; from < TASKS; from += PER_BULK) {
      const commands = Array.from({ length: PER_BULK }, (_, n) => ({
        command: 'task.create',
        body: { id: `t-${from + n}`, name: `Task ${from + n}` },
      }))
      expect((await admin.call('POST', '/api/v1/bulk', { body: { commands } })).status).to.equal(200)
    }
  })
  after(async () => {
    worker?.kill('SIGKILL')
    await app?.close()
  })

  it(`${KILLS} times: each export is made once, whole and sound`, async () => {
    const random = randomOf(SEED)
    const points = [
      async () => (await standing()).names.length > 0,
      async () => (await standing()).bytes > 0,
      async () => (await standing()).names.some(name => name.endsWith('schemas.json')),
      // Amid the files for people, and amid the archive.
      async () => (await standing()).names.some(name => name.endsWith('events.csv')),
      async () => (await standing()).names.some(name => name.endsWith('manifest.json')),
      async () => (await rows()).some(({ state }) => state === 'running'),
    ]
    for (let n = 0; n < KILLS; n += 1) {
      const ordered = await admin.call('POST', '/api/v1/kmg/audit/exports', { body: { export: `e${n}` } })
      expect(ordered.status).to.be.below(300)
      const dying = startWorker()
      worker = dying
      const exited = once(dying, 'exit')
      const point = points[random(points.length)]!
      const isOver = async () => (await rows()).some(({ id, state }) => id === `e${n}` && state === 'completed')
      await until('the export', async () => (await point()) || (await isOver()))
      dying.kill('SIGKILL')
      await exited
      worker = startWorker()
      await until(`e${n}`, async () => {
        await sleep(50)
        return isOver()
      })
      worker.kill('SIGKILL')
      await once(worker, 'exit')
    }
    const { read } = fileStore(app.config)
    for (const { id, sha256, bytes, events } of await rows()) {
      const archive = await bytesIn((await read('acme', sha256))!)
      expect(archive.length, id).to.equal(Number(bytes))
      const source = archiveSource({
        name: id,
        size: archive.length,
        read: async (from, length) => archive.subarray(from, from + length),
      })
      const manifest = await readManifest(source)
      let found = 0
      for await (const _ of verifiedEvents(source, manifest, checkOptions())) found += 1
      expect(found, id).to.equal(events)
    }
    const logged = await admin.call('GET', '/api/v1/kmg/audit-log?type=ExportCompleted&limit=100&wait=20000')
    expect(logged.body.data).to.have.length(KILLS)
  })
})

type Row = {
  readonly id: string
  readonly state: string
  readonly sha256: string
  readonly bytes: string
  readonly events: number
}
