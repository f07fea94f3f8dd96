/** The worker process: what moves by itself. Of several workers one does each kind of work, and the others stand by. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import pg from 'pg'
import { ProcessRunner } from '../../commands/processes/runner.ts'
import { Timers } from '../../commands/processes/timers.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { accessOf } from '../../read-api/live/announced.ts'
import { allows } from '../auth/permissions.ts'
import { budgetRows } from '../budgets/rows.ts'
import { BudgetWatch } from '../budgets/watch.ts'
import {
  aggregates,
  domainStreamPrefixes,
  guards,
  kinds,
  processes,
  projections,
  readPermissions,
  timerModels,
} from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { Eraser } from '../erasures/eraser.ts'
import { erasureRows } from '../erasures/rows.ts'
import { eventLog } from '../event-store/reader.ts'
import type { Exporter } from '../exports/exporter.ts'
import { exporterOf } from '../exports/open.ts'
import { fileStore } from '../files/open.ts'
import { sweepFiles } from '../files/sweep.ts'
import { HeadWatch } from '../head-watch.ts'
import type { Probe } from '../http/health.ts'
import { Leases } from '../leases.ts'
import { type Log, reasonOf } from '../log.ts'
import { letterWriter } from '../mail/letter.ts'
import { Mailer, type MailerDeps } from '../mail/mailer.ts'
import { mailRows } from '../mail/rows.ts'
import { smtpSender } from '../mail/smtp.ts'
import type { Metrics } from '../metrics.ts'
import type { Notary } from '../notary/notary.ts'
import { notaryOf } from '../notary/open.ts'
import { rowMaps, together } from '../notary/proving.ts'
import type { RowMaps } from '../notary/row-maps.ts'
import { createPool, type Pool } from '../postgres.ts'
import { dueTimers } from '../timers.ts'
import { networksOf } from '../webhooks/addresses.ts'
import { poster } from '../webhooks/post.ts'
import { senderRows } from '../webhooks/rows.ts'
import { Sender } from '../webhooks/sender.ts'
import { workerMetrics } from '../worker-metrics.ts'
import { openWriteSide } from '../write-side.ts'

/** The works of a worker, as their leases are named. */
export const WORKS = {
  processes: 'processes',
  timers: 'timers',
  webhooks: 'webhooks',
  mails: 'mails',
  notary: 'notary',
  budgets: 'budgets',
  files: 'files',
  erasures: 'erasures',
  exports: 'exports',
} as const

export type Worker = {
  readonly id: string
  /** Red when a step or a timer is stuck, an engine is away, or the head of the log moves and the worker does not. */
  readonly probes: readonly Probe[]
  /** Ends after the steps under way; other workers can go on at once. */
  readonly close: () => Promise<void>
}

export type WorkerOptions = {
  readonly config: Config
  readonly urls: EngineUrls
  readonly log: Log
  readonly metrics?: Metrics
  readonly leaseMs?: number
  readonly pausesMs?: readonly number[]
}

/** Starts working. Never fails because an engine is away: it waits for it, visibly. */
export function startWorker({ config, urls, log, metrics, leaseMs, pausesMs }: WorkerOptions): Worker {
  const id = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  const connectTimeoutMs = config.databaseConnectTimeoutMs
  const pool = createPool({ url: urls.databaseUrl, name: 'read', log, max: 4, kept: 3, connectTimeoutMs })
  const connect = connectionTo(urls, connectTimeoutMs)
  const onFault = (error: unknown) => log.warn({ reason: reasonOf(error) }, 'no word of checkpoints; rows are polled')
  const changes = followCheckpoints({ connect, serves: projections, onFault })
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const { deps: write, close: closeWriteSide } = openWriteSide(urls, config, log, metrics)
  const figures = metrics && workerMetrics(metrics.registry)
  const shared = { ...write, aggregates: new Map(aggregates.map(aggregate => [aggregate.name, aggregate])), log }
  const runner = new ProcessRunner({
    ...shared,
    processes,
    worker: id,
    follow: events.follow,
    ...(pausesMs && { pausesMs }),
    ...(figures && { onStep: figures.onStep }),
  })
  const timers = new Timers({
    ...shared,
    due: dueTimers(pool, timerModels),
    changes,
    ...(figures && { onFired: figures.onFired }),
  })
  const sender = new Sender({
    ...shared,
    rows: senderRows(pool, projections, guards),
    changes,
    post: poster({ networks: networksOf(config.webhookNetworks) }),
    readable: readableWith,
    ...(figures && { onAttempt: figures.onAttempt }),
  })
  const budgets = new BudgetWatch({ ...shared, rows: budgetRows(pool), changes })
  const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', log, max: 1, connectTimeoutMs })
  const files = fileStore(config)
  const eraser = new Eraser({ ...shared, rows: erasureRows(pool), keys, files, head: events.head, changes })
  const exporter = exporterOf({ ...shared, config, eventStoreUrl: urls.eventStoreUrl, events, pool, changes })
  const mailer = mailerOf({ config, pool, write: shared, ...(figures && { onAttempt: figures.onMail }) })
  const maps = rowMaps(config, pool, log)
  const notary = notaryOf({ config, events, store: write.store, log, pool, maps })
  const leases = new Leases({ connect, owner: id, log, ...(leaseMs !== undefined && { ttlMs: leaseMs }) }, [
    { name: WORKS.processes, run: signal => runner.run(signal) },
    { name: WORKS.timers, run: signal => timers.run(signal) },
    { name: WORKS.webhooks, run: signal => sender.run(signal) },
    { name: WORKS.budgets, run: signal => budgets.run(signal) },
    { name: WORKS.files, run: signal => sweepFiles({ store: files, pool, events, log }, signal) },
    { name: WORKS.erasures, run: signal => eraser.run(signal) },
    { name: WORKS.exports, run: signal => exporter.run(signal) },
    ...(mailer ? [{ name: WORKS.mails, run: (signal: AbortSignal) => mailer.run(signal) }] : []),
    ...(notary ? [{ name: WORKS.notary, run: (signal: AbortSignal) => together(signal, notary, maps) }] : []),
  ])
  const watch = new HeadWatch(events, () => positionsOf(runner, notary))
  figures?.watch(() => ({
    processes: runner.processes,
    head: watch.head,
    stuckMs: watch.stuckMs,
    timersStuck: timers.stuck.count,
    notary: notary && standingOf(notary),
  }))
  return {
    id,
    probes: probesOf({ leases, runner, timers, sender, budgets, eraser, exporter, mailer, notary, maps, watch }),
    async close() {
      watch.close()
      await leases.close()
      await Promise.allSettled([changes.close(), events.close(), closeWriteSide(), pool.end(), keys.end()])
    },
  }
}

const positionsOf = ({ processes }: ProcessRunner, notary: Notary | undefined): readonly bigint[] => [
  ...processes.map(({ position }) => position),
  ...(notary?.positions ?? []),
]

type Parts = {
  readonly leases: Leases
  readonly runner: ProcessRunner
  readonly timers: Timers
  readonly sender: Sender
  readonly budgets: BudgetWatch
  readonly eraser: Eraser
  readonly exporter: Exporter
  readonly mailer: Mailer | undefined
  readonly notary: Notary | undefined
  readonly maps: RowMaps
  readonly watch: HeadWatch
}

function probesOf({
  leases,
  runner,
  timers,
  sender,
  budgets,
  eraser,
  exporter,
  mailer,
  notary,
  maps,
  watch,
}: Parts): readonly Probe[] {
  return [
    { name: 'leases', check: () => heldOrThrow(leases) },
    { name: 'processes', check: () => checkProcesses(runner) },
    { name: 'timers', check: () => checkTimers(timers) },
    { name: 'webhooks', check: () => checkSender('webhooks wait', sender) },
    { name: 'budgets', check: () => checkSender('budgets are not watched', budgets) },
    { name: 'erasures', check: () => checkSender('erasures wait', eraser) },
    { name: 'exports', check: () => checkSender('exports wait', exporter) },
    ...(mailer ? [{ name: 'mails', check: () => checkSender('e-mails wait', mailer) }] : []),
    ...(notary ? [{ name: 'notary', check: () => checkNotary(notary) }] : []),
    { name: 'proofs', check: () => checkSender('read models are not proved', maps) },
    { name: 'head', check: () => watch.check() },
  ]
}

/** Opens connections that hold leases, or listen: they live as long as the worker. */
const connectionTo =
  ({ databaseUrl }: EngineUrls, connectTimeoutMs: number) =>
  async () => {
    const client = new pg.Client({
      connectionString: databaseUrl,
      keepAlive: true,
      application_name: 'kogi-worker',
      connectionTimeoutMillis: connectTimeoutMs,
    })
    await client.connect()
    return client
  }

function heldOrThrow({ state: { held, error } }: Leases): readonly string[] {
  if (error) throw new Error(`the database of the leases does not answer: ${error.message}`)
  return [...held]
}

function checkProcesses(runner: ProcessRunner) {
  const { processes, trouble, isFull } = runner
  if (trouble) throw new Error(`an engine does not answer: ${trouble.message}`)
  const parked = processes.filter(health => health.parked > 0)
  if (isFull) throw new Error('too many events wait for steps that failed, no more are taken: see kogi processes')
  if (parked.length > 0) {
    const count = parked.reduce((sum, health) => sum + health.parked, 0)
    throw new Error(
      `${count} steps of ${parked.map(({ process }) => process).join(', ')} are parked: see kogi processes`,
    )
  }
  return processes
}

function checkTimers({ trouble, stuck }: Timers): void {
  if (trouble) throw new Error(`an engine does not answer: ${trouble.message}`)
  if (stuck.count > 0) throw new Error(`${stuck.count} timers cannot fire, the last one: ${stuck.error?.message}`)
}

function checkSender(what: string, { trouble }: Pick<Sender, 'trouble'>): void {
  if (trouble) throw new Error(`${what}: ${trouble.message}`)
}

function checkNotary({ trouble, sealed, witnesses }: Notary) {
  if (trouble) throw new Error(`the log is not sealed: ${trouble.message}`)
  return { sealed: sealed?.size ?? null, position: sealed?.position ?? null, witnesses }
}

const standingOf = ({ sealed, trouble }: Notary) => ({
  sealed: sealed?.size ?? 0,
  position: sealed?.position ?? 0n,
  isTroubled: trouble !== undefined,
})

type MailerOptions = Pick<WorkerOptions, 'config'> &
  Pick<MailerDeps, 'onAttempt'> & {
    readonly pool: Pool
    readonly write: Omit<MailerDeps, 'rows' | 'write' | 'send' | 'onAttempt'>
  }

/** None where no mail server is set: nothing is e-mailed then. */
function mailerOf({ config: { smtpUrl, mailFrom }, pool, write, ...rest }: MailerOptions): Mailer | undefined {
  if (smtpUrl === undefined) return undefined
  return new Mailer({
    ...write,
    ...rest,
    rows: mailRows(pool),
    write: letterWriter({ pool, kinds, allows, guards }),
    send: smtpSender(smtpUrl, mailFrom!),
  })
}

/** The categories whose things may be read by who holds some permissions. */
export function readableWith(permissions: readonly string[]): ReadonlySet<string> {
  const principal = { subject: '', org: '', roles: [], permissions }
  return new Set(accessOf({ readPermissions, allows }, principal).categories)
}
