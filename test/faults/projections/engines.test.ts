/** Engines that are stopped or killed while a projector works: it goes on by itself, and its rows are right. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { domainStreamPrefixes } from '../../../infra/catalogue.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../infra/embedded/postgres.ts'
import { eventLog } from '../../../infra/event-store/reader.ts'
import { silentLog as log } from '../../../infra/log.ts'
import { migrate } from '../../../infra/migrate.ts'
import { createPool, type Pool } from '../../../infra/postgres.ts'
import { readCheckpoints } from '../../../projections/ownership/checkpoints.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from '../../projections/support.ts'
import { append, storedEvents } from './processes.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const RESTARTS = 8
const SERVE = fileURLToPath(new URL('../../../scripts/kogi.ts', import.meta.url))

describe(`projections: engines restarted (KOGI_SEED=${SEED})`, function engines() {
  this.timeout(300_000)
  let folder: string

  before(async function longRunsOnly() {
    if (!LONG) this.skip()
  })
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  for (const how of ['stopped', 'killed'] as const) {
    it(`goes on when PostgreSQL was ${how} in the middle, ${RESTARTS} times`, async () => {
      const random = randomOf(SEED)
      let server = await startEmbeddedPostgres({ dataDir: folder, log })
      const url = server.url('kogi')
      const port = Number(new URL(url).port)
      await migrate({ url, set: 'read', log })
      const pool = createPool({ url, name: 'read', log })
      const events = randomHistory({ seed: SEED, count: 8_000, orgs: 20 })
      const source = new MemoryLog()
      const runner = startRunner(pool, source, { batch: { min: 5, max: 50, targetMs: 50 } })
      let feeding = true
      const feeder = feed(source, events, () => feeding)
      const backMs: number[] = []
      for (let restart = 0; restart < RESTARTS; restart += 1) {
        await sleep(300 + random(500))
        await end(server, how)
        await until(() => runner.trouble !== undefined, 'the trouble to show')
        await sleep(random(500))
        server = await startEmbeddedPostgres({ dataDir: folder, log, port })
        backMs.push(await movedAgain(pool))
      }
      feeding = false
      await feeder
      await reached(pool, events.at(-1)!.position)
      await until(() => runner.trouble === undefined, 'the trouble to end')
      await runner.close()
      await expectFolded(pool, events)
      await pool.end()
      await server.stop()
      process.stdout.write(`    moved again ${backMs.map(Math.round).join(', ')} ms after the start\n`)
      // The longest pause between two tries is 5 seconds.
      expect(Math.max(...backMs)).to.be.lessThan(8_000)
    })
  }

  it(`goes on when the event store was killed in the middle, ${RESTARTS} times`, async () => {
    const random = randomOf(SEED)
    const pool = await freshPool()
    const history = randomHistory({ seed: SEED, count: 2_000, orgs: 20 })
    const each = Math.ceil(history.length / (RESTARTS + 1))
    let store = await serve(folder)
    const source = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    const runner = startRunner(pool, source, { batch: { min: 5, max: 50, targetMs: 50 } })
    for (let at = 0; at < history.length; at += each) {
      const appending = append(store.url, history.slice(at, at + each))
      await appending
      await sleep(random(100))
      const exited = once(store.child, 'exit')
      store.child.kill(random(2) === 0 ? 'SIGKILL' : 'SIGTERM')
      await exited
      await sleep(random(500))
      store = await serve(folder, store.port)
    }
    const events = await storedEvents(store.url)
    expect(events.length).to.equal(history.length)
    await reached(pool, events.at(-1)!.position)
    await until(() => runner.trouble === undefined, 'the trouble to end')
    await runner.close()
    await source.close()
    store.child.kill('SIGKILL')
    await expectFolded(pool, events)
  })
})

/** Hands events to a log as long as it may, and then all the rest. */
async function feed(log: MemoryLog, events: MemoryLog['events'], isOn: () => boolean): Promise<void> {
  let at = 0
  for (; at < events.length && isOn(); at += 5) {
    log.append(...events.slice(at, at + 5))
    await sleep(10)
  }
  log.append(...events.slice(at))
}

/** Ends a server in good order, or all of its processes at once. */
async function end(server: EmbeddedPostgres, how: 'stopped' | 'killed'): Promise<void> {
  if (how === 'stopped') await server.stop()
  else process.kill(server.pid, 'SIGKILL')
  await server.exited
}

/** How long it takes until a checkpoint moves, in milliseconds. */
async function movedAgain(pool: Pool): Promise<number> {
  const started = performance.now()
  const positions = async () => (await readCheckpoints(pool)).map(({ position }) => position).join()
  const stood = await positions()
  await until(async () => (await positions()) !== stood, 'a checkpoint to move')
  return performance.now() - started
}

type Served = { readonly child: ChildProcess; readonly url: string; readonly port: number }

/** The embedded event store as a process of its own. */
async function serve(folder: string, port = 0): Promise<Served> {
  const args = [...process.execArgv, SERVE, 'store', 'serve', '--data', folder, '--port', `${port}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [text] = (await once(child.stdout, 'data')) as [Buffer]
  const found = /esdb:\/\/[^\s"]*?:(\d+)[^\s"]*/.exec(text.toString())!
  return { child, url: found[0], port: Number(found[1]) }
}
