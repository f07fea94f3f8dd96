/** The projector process: events into read models. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { headRecorder } from '../../projections/audit/heads.ts'
import { sessionNameOf } from '../../projections/ownership/leases.ts'
import { Runner } from '../../projections/runner/runner.ts'
import { Watch } from '../../projections/runner/watch.ts'
import { codec, domainStreamPrefixes, projections } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { eventLog } from '../event-store/reader.ts'
import type { Probe } from '../http/health.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { createPool } from '../postgres.ts'
import { projectionMetrics } from '../projection-metrics.ts'

export type Projector = {
  readonly runner: Runner
  readonly watch: Watch
  /** Red when a projection is stalled, an engine is away, or the head of the log moves and a checkpoint does not. */
  readonly probes: readonly Probe[]
  /** Ends after the batches in flight; its partitions are free for other projectors at once. */
  readonly close: () => Promise<void>
}

/** Connections: two for each reader, one for leases, and some for readers of projections that lag. */
const CONNECTIONS_MIN = 8

/** Starts projecting. Never fails because an engine is away: it waits for it, visibly. */
export function startProjector(options: { config: Config; urls: EngineUrls; log: Log; metrics?: Metrics }): Projector {
  const { config, urls, log, metrics } = options
  const id = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  const pool = createPool({
    url: urls.databaseUrl,
    name: 'read',
    applicationName: sessionNameOf(id),
    log,
    max: Math.max(CONNECTIONS_MIN, config.databasePoolSize),
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    ...(metrics && { metrics }),
  })
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const figures = metrics && projectionMetrics(metrics.registry)
  const runner = new Runner({
    projections,
    events,
    pool,
    decode: codec.decode,
    log,
    id,
    ...(figures && { onBatch: figures.onBatch }),
  })
  const watch = new Watch(runner, events, { onHead: headRecorder(pool, log, config.appendTimeoutMs) })
  figures?.watch(watch, events)
  return {
    runner,
    watch,
    probes: [
      { name: 'projections', check: () => watch.checkProjections() },
      { name: 'head', check: () => watch.checkHead() },
    ],
    async close() {
      watch.close()
      await runner.close()
      await Promise.allSettled([events.close(), pool.end()])
    },
  }
}
