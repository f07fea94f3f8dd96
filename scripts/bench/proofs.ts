/** What it costs to prove a read model at 500 events a second: processor time beside that of the projector. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { codec, projections } from '../../infra/catalogue.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { Hashing } from '../../infra/notary/hashing.ts'
import { RowMaps } from '../../infra/notary/row-maps.ts'
import { tileRows } from '../../infra/notary/tiles.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { originOf, signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import type { EventLog } from '../../projections/ports.ts'
import { Runner } from '../../projections/runner/runner.ts'
import { cpuSeconds } from './cpu.ts'
import { alone, type Figure, paired } from './figure.ts'
import { writeLog } from './log.ts'
import { eventIn } from './seal.ts'

const EVENTS = 30_000
/** Events of a second, after which a checkpoint is signed. */
const STEP = 500
/** The first steps fill caches, and make most of the accounts. */
const WARM = 10
const ORIGIN = 'bench'

/** Processor time of projecting with `balances` proved, beside projecting alone; 1.25 is a quarter more. */
export async function proofBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-proofs-'))
  const postgres = await startEmbeddedPostgres({ dataDir: folder, log: silentLog })
  try {
    const file = path.join(folder, 'log.ndjson')
    await writeLog(file, EVENTS)
    const events = (await readFile(file, 'utf8')).split('\n').slice(0, EVENTS).map(eventIn)
    const server = Number((await readFile(await pidFile(postgres.url('kogi')), 'utf8')).split('\n')[0])
    return await measured(
      events,
      await openSide(postgres.url('kogi')),
      await openSide(postgres.url('kogi_keys')),
      server,
    )
  } finally {
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function pidFile(url: string): Promise<string> {
  const pool = createPool({ url, name: 'read', log: silentLog, max: 1 })
  const { rows } = await pool.query(`select current_setting('data_directory') as folder`)
  await pool.end()
  return path.join(rows[0].folder, 'postmaster.pid')
}

type Side = { readonly pool: Pool; readonly feed: Feed; readonly runner: Runner }

/** A projector on a database of its own. */
async function openSide(url: string): Promise<Side> {
  await migrate({ url, set: 'read', log: silentLog })
  const pool = createPool({ url, name: 'read', log: silentLog, max: 10 })
  const feed = new Feed()
  const runner = new Runner({
    projections,
    events: feed,
    pool,
    decode: codec.decode,
    log: silentLog,
    id: `bench ${url}`,
  })
  while (!runner.workers.some(({ live }) => live)) await sleep(50)
  return { pool, feed, runner }
}

async function measured(events: readonly StoredEvent[], plain: Side, proving: Side, server: number): Promise<Figure[]> {
  const key = { name: ORIGIN, privateKey: generateKeyPairSync('ed25519').privateKey }
  const models = projections.filter(({ name }) => name === 'balances')
  const { pool } = proving
  const maps = new RowMaps({ pool, models, origin: ORIGIN, signers: async () => [key], log: silentLog, tickMs: 5 })
  const stop = new AbortController()
  const ended = maps.run(stop.signal)
  const tiles = tileRows(pool, silentLog)
  const hashing = new Hashing([], false, tiles)
  const spent = async (work: () => Promise<void>) => {
    const [node, all] = [process.cpuUsage(), cpuSeconds([server])]
    await work()
    const { user, system } = process.cpuUsage(node)
    const own = (user + system) / 1e6
    return { node: own, whole: own + cpuSeconds([server]) - all }
  }
  const rounds: { plain: Spent; proved: Spent; proof: Spent }[] = []
  for (let at = 0; at < events.length; at += STEP) {
    const some = events.slice(at, at + STEP)
    const project = (side: Side) => () => side.feed.push(some, side.pool)
    const isEven = (at / STEP) % 2 === 0
    const first = await spent(project(isEven ? plain : proving))
    const second = await spent(project(isEven ? proving : plain))
    await hashing.add(some)
    await tiles.flush()
    const proof = await spent(async () => {
      const orgs = hashing.grown.map(org => {
        const { size, root } = hashing.treeOf(org)
        const note = signCheckpoint({ origin: originOf(ORIGIN, org), size, root }, [key])
        return { org, size, root: root.toString('base64'), note }
      })
      const head = { size: hashing.size, root: hashing.root.toString('base64'), note: '', position: hashing.position }
      await tiles.heads({ ...head, orgs, at: '' })
      maps.onSealed({ orgs })
      for (const org of hashing.grown) hashing.forget(org)
      await provedUpTo(pool, orgs)
    })
    if (at >= WARM * STEP) {
      rounds.push({ plain: isEven ? first : second, proved: isEven ? second : first, proof })
    }
  }
  stop.abort()
  await ended
  for (const { runner, pool: own } of [plain, proving]) {
    await runner.close()
    await own.end()
  }
  return figuresOf(rounds)
}

type Spent = { readonly node: number; readonly whole: number }

/** Clocks of other processes have ticks of 10 ms: sums over several steps are compared. */
function figuresOf(rounds: readonly { plain: Spent; proved: Spent; proof: Spent }[]): Figure[] {
  const groups = Array.from({ length: 5 }, (_, n) => rounds.filter((_, at) => at % 5 === n))
  const sum = (some: typeof rounds, of: (round: (typeof rounds)[number]) => number) =>
    some.reduce((total, round) => total + of(round), 0) / some.length
  const figure = (name: string, part: keyof Spent) =>
    paired(
      name,
      's',
      groups.map(some => ({
        value: sum(some, ({ proved, proof }) => proved[part] + proof[part]),
        bare: sum(some, ({ plain }) => plain[part]),
      })),
    )
  return [
    figure('processor_time_of_a_proved_second_node', 'node'),
    figure('processor_time_of_a_proved_second_with_postgres', 'whole'),
    alone(
      'processor_time_of_the_proof_node',
      sum(rounds, ({ proof }) => proof.node),
      's',
    ),
    alone(
      'processor_time_of_the_proof_with_postgres',
      sum(rounds, ({ proof }) => proof.whole),
      's',
    ),
  ]
}

async function provedUpTo(pool: Pool, orgs: readonly { readonly org: string; readonly size: number }[]): Promise<void> {
  for (;;) {
    const { rows } = await pool.query('select org, size from row_maps')
    if (orgs.every(({ org, size }) => rows.some(row => row.org === org && Number(row.size) === size))) return
    await sleep(5)
  }
}

/** A log that grows when it is told to. */
class Feed implements EventLog {
  readonly #events: StoredEvent[] = []
  #wake = () => {}
  #more = new Promise<void>(resolve => {
    this.#wake = resolve
  })

  head = async (): Promise<bigint> => this.#events.at(-1)?.position ?? 0n
  skips = async () => new Map<string, ReadonlySet<bigint>>()

  /** Adds events, and waits until all read models have them. */
  async push(events: readonly StoredEvent[], pool: Pool): Promise<void> {
    this.#events.push(...events)
    this.#wake()
    this.#more = new Promise(resolve => {
      this.#wake = resolve
    })
    const head = await this.head()
    while (!(await readCheckpoints(pool)).every(({ position }) => position >= head)) await sleep(20)
  }

  async *follow({ after, max, signal, onStatus }: Parameters<EventLog['follow']>[0]) {
    let next = this.#events.findIndex(({ position }) => position > after)
    if (next < 0) next = this.#events.length
    for (let isLive = false; !signal.aborted; ) {
      const more = this.#more
      const events = this.#events.slice(next, next + max())
      next += events.length
      if (events.length > 0) yield events
      else {
        if (!isLive) onStatus?.({ state: 'live' })
        isLive = true
        await new Promise<void>(resolve => {
          const end = () => {
            signal.removeEventListener('abort', end)
            resolve()
          }
          signal.addEventListener('abort', end)
          void more.then(end)
        })
      }
    }
  }

  async *read({ after, to, max }: Parameters<EventLog['read']>[0]) {
    const events = this.#events.filter(({ position }) => position > after && position <= to)
    for (let at = 0; at < events.length; at += max) yield events.slice(at, at + max)
  }
}
