/**
 * Threads that catch up beside each other where the read models are far behind: folding keeps one core busy. Each is a
 * projector with leases of its own, so that nothing else knows of it, and ends when it has all that was stored.
 */
import { randomBytes } from 'node:crypto'
import { availableParallelism, hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { beat, sessionNameOf } from '../../projections/ownership/leases.ts'
import { PROJECTORS } from '../../projections/ownership/tables.ts'
import { BUCKETS } from '../../projections/rows/bucket.ts'
import { least } from '../../projections/rows/positions.ts'
import type { BatchFigures } from '../../projections/runner/lane.ts'
import type { RunnerOptions } from '../../projections/runner/options.ts'
import { Runner } from '../../projections/runner/runner.ts'
import { codec, domainStreamPrefixes, projections } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { eventLog } from '../event-store/reader.ts'
import { createLog, type Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { type Connection, createPool } from '../postgres.ts'
import { within } from '../within.ts'

/** How far behind read models are caught up by threads, in positions of the log: some seconds of work. */
const FAR = 100_000_000n
/** More of them would wait for PostgreSQL, and each takes some hundred MiB. */
const THREADS = 2
/** Garbage of a batch dies young where there is room for it; the default, a third, takes a sixth more of CPU time. */
const YOUNG_MIB = 96
/** Connections: two for each reader, one for leases, and some for readers of projections that lag. */
const CONNECTIONS_MIN = 8
/** How long threads wait for each other before they share the work, and how often they look whether it is done. */
const GATHER_MS = 10_000
const LOOK_MS = 50
/** An engine that does not answer in this time is left to the runner, which waits for it visibly. */
const ANSWER_MS = 5_000

type Settings = Pick<Config, 'databasePoolSize' | 'databaseConnectTimeoutMs'>

export type Projecting = {
  readonly config: Settings
  readonly urls: Pick<EngineUrls, 'eventStoreUrl' | 'databaseUrl'>
  readonly log: Log
  readonly metrics?: Metrics
}

/** A name that no other projector has. */
export const projectorId = (): string => `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`

/** A runner of all projections, and its connections. */
export function openRunner(
  { config, urls, log, metrics }: Projecting,
  options: Pick<RunnerOptions, 'id' | 'onBatch' | 'after' | 'leavesIndexes'>,
) {
  const pool = createPool({
    url: urls.databaseUrl,
    name: 'read',
    applicationName: sessionNameOf(options.id),
    log,
    max: Math.max(CONNECTIONS_MIN, config.databasePoolSize),
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    ...(metrics && { metrics }),
  })
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const runner = new Runner({ projections, events, pool, decode: codec.decode, log, ...options })
  const close = async () => {
    await runner.close()
    await Promise.allSettled([events.close(), pool.end()])
  }
  return { runner, pool, events, close }
}

export type CatchUp = {
  /** Resolves when there is nothing more for threads to do; never rejects. */
  readonly ended: Promise<void>
  /** Throws what keeps a thread from its work. */
  readonly check: () => void
  /** Ends the threads after the batches in flight. */
  readonly stop: () => Promise<void>
}

type CatchUpOptions = Projecting & {
  readonly onBatch?: ((batch: BatchFigures) => void) | undefined
  readonly far?: bigint
}

/** Begins at once, and ends at once where the read models are near the end of the log. */
export function catchUp(options: CatchUpOptions): CatchUp {
  const { config, urls, log, onBatch, far = FAR } = options
  const stopping = new AbortController()
  const troubles = new Map<string, string>()
  const run = async () => {
    if (availableParallelism() < 2 || (await distance(options)) < far || stopping.signal.aborted) return
    const ids = Array.from({ length: THREADS }, projectorId)
    log.info({ threads: THREADS }, 'the read models are far behind the log: threads catch up')
    const { databasePoolSize, databaseConnectTimeoutMs } = config
    const { eventStoreUrl, databaseUrl } = urls
    const part = {
      ids,
      config: { databasePoolSize, databaseConnectTimeoutMs },
      urls: { eventStoreUrl, databaseUrl },
      level: log.level,
    }
    await Promise.all(
      ids.map(async id => {
        const fault = await runThread({ ...part, name: NAME, id }, stopping.signal, said => {
          if ('batch' in said) onBatch?.(said.batch)
          else if (said.trouble === undefined) troubles.delete(id)
          else troubles.set(id, said.trouble)
        })
        troubles.delete(id)
        // The others take its work over, and the runner behind them what is left.
        if (fault) log.error({ err: fault }, 'a thread that catches up has failed')
      }),
    )
  }
  const ended = run().catch(error => log.warn({ err: error }, 'no threads catch up'))
  return {
    ended,
    check() {
      for (const trouble of troubles.values()) throw new Error(`an engine does not answer: ${trouble}`)
    },
    async stop() {
      stopping.abort()
      await ended
    },
  }
}

/** How far the read models are behind the log, at most; 0 where an engine does not answer or is not migrated. */
async function distance({ config, urls, log }: Projecting): Promise<bigint> {
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const { databaseUrl: url } = urls
  const pool = createPool({ url, name: 'read', log, max: 1, connectTimeoutMs: config.databaseConnectTimeoutMs })
  try {
    const asked = Promise.all([events.head(), readCheckpoints(pool, projections)])
    const [head, checkpoints] = await within(ANSWER_MS, asked, () => new Error('no answer'))
    const isWhole = checkpoints.length === projections.length * BUCKETS
    const running = checkpoints.filter(({ state }) => state !== 'stalled')
    return head - (isWhole ? least(running.map(({ position }) => position)) : 0n)
  } catch {
    return 0n
  } finally {
    await Promise.allSettled([events.close(), pool.end()])
  }
}

const NAME = 'catching up'
/** What a thread is given. */
type Part = {
  readonly name: typeof NAME
  readonly id: string
  /** The projectors that share the work, itself among them. */
  readonly ids: readonly string[]
  readonly level: string
} & Pick<Projecting, 'config' | 'urls'>
type Said = { readonly batch: BatchFigures } | { readonly trouble: string | undefined }

/** Runs a thread to its end, and answers with the error that ended it, if one did. */
function runThread(part: Part, signal: AbortSignal, onSaid: (said: Said) => void): Promise<Error | undefined> {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MIB }
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: part, resourceLimits })
  const stop = () => thread.postMessage('stop')
  signal.addEventListener('abort', stop, { once: true })
  return new Promise(resolve => {
    let fault: Error | undefined
    thread.on('message', onSaid)
    thread.on('error', error => {
      fault = error instanceof Error ? error : new Error(String(error))
    })
    thread.on('exit', () => {
      signal.removeEventListener('abort', stop)
      resolve(fault)
    })
  })
}

async function serve(port: MessagePort, part: Part): Promise<void> {
  const { id, level, config, urls } = part
  let isStopped = false
  port.on('message', () => {
    isStopped = true
  })
  const say = (said: Said) => port.postMessage(said)
  const log = createLog({ service: 'kogi-projector', level, fd: 2 })
  const seats = createPool({ url: urls.databaseUrl, name: 'read', log, max: 1 })
  // The session says that it lives, until its runner has one of its own.
  const seat = await seats.connect()
  const after = gathered(seat, part, () => isStopped)
  const onBatch = (batch: BatchFigures) => say({ batch })
  const { runner, close } = openRunner({ config, urls, log }, { id, onBatch, after, leavesIndexes: true })
  let trouble: string | undefined
  while (!isStopped && !runner.hasCaughtUp) {
    await sleep(LOOK_MS)
    const last = runner.trouble?.message
    if (last !== trouble) say({ trouble: last })
    trouble = last
  }
  await close()
  seat.release()
  await seats.end()
  port.close()
}

/** Takes a seat, and waits until all of them have: who comes first would take the whole work. */
async function gathered(seat: Connection, { id, ids }: Part, isStopped: () => boolean): Promise<void> {
  await beat(seat, { id, projections, ttlMs: GATHER_MS, isNew: true })
  const deadline = performance.now() + GATHER_MS
  while (!isStopped() && performance.now() < deadline) {
    const text = `select count(*)::int as n from ${PROJECTORS} where id = any($1)`
    const { rows } = await seat.query<{ n: number }>(text, [ids])
    if (rows[0]!.n === ids.length) return
    await sleep(LOOK_MS)
  }
}

const own = workerData as Partial<Part> | null
if (!isMainThread && own?.name === NAME) await serve(parentPort!, own as Part)
