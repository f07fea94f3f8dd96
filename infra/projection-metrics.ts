import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import { type Lag, lagBetween } from '../projections/care/lag.ts'
import type { EventLog } from '../projections/ports.ts'
import type { BatchFigures } from '../projections/runner/lane.ts'
import type { ProjectionHealth, Watch } from '../projections/runner/watch.ts'

/** Bounds in seconds: a batch takes some milliseconds when it follows and some hundred when it catches up. */
const BATCH_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** After this time the metrics are answered without the lag: they are worth more without it than late. */
const LAG_TIMEOUT_MS = 1_000

/** The watch of a projector, and the log in which its lag is counted. */
type Watched = { readonly watch: Watch; readonly log: Pick<EventLog, 'read'> }

/** The metrics of a projector, in the registry of its process. */
export function projectionMetrics(registry: Registry) {
  const registers = [registry]
  const events = new Counter({ name: 'projection_events_total', help: 'Events projected', registers })
  const rows = new Counter({ name: 'projection_rows_total', help: 'Rows and row versions written', registers })
  const duration = new Histogram({
    name: 'projection_batch_duration_seconds',
    help: 'Time that a batch takes, by phase: fold in memory, write in one transaction',
    labelNames: ['phase'],
    buckets: BATCH_BUCKETS,
    registers,
  })
  let watched: Watched | undefined
  positionGauges(registry, () => watched)
  return {
    onBatch(batch: BatchFigures): void {
      events.inc(batch.events)
      rows.inc(batch.rows)
      duration.observe({ phase: 'fold' }, batch.foldMs / 1000)
      duration.observe({ phase: 'write' }, batch.writeMs / 1000)
    },
    /** Lets the metrics show what this watch has seen, whenever they are asked for. */
    watch(watch: Watch, log: Pick<EventLog, 'read'>): void {
      watched = { watch, log }
    },
  }
}

/** Gauges of positions and lags. They are collected at the same time, so that one look sets all of them. */
function positionGauges(registry: Registry, watched: () => Watched | undefined): void {
  const registers = [registry]
  let looking: Promise<void> | undefined
  const collect = () => {
    looking ??= look().finally(() => {
      looking = undefined
    })
    return looking
  }
  const gauge = (name: string, help: string, labelNames = ['projection', 'version']) =>
    new Gauge({ name, help, labelNames, registers, collect })
  const head = gauge('event_log_head_position', 'Position of the last domain event', [])
  const position = gauge('projection_position', 'Position that all buckets of this process have reached')
  const lagEvents = gauge('projection_lag_events', 'Domain events from there to the head of the log')
  const lagSeconds = gauge('projection_lag_seconds', 'Age of the oldest of them, 0 where there is none')
  const buckets = gauge('projection_buckets', 'Buckets that this process works on')
  const stalled = gauge('projection_stalled_buckets', 'Buckets that an event has stopped')
  const stuckHelp = 'How long a checkpoint has not moved although the head of the log is further'
  const stuck = gauge('projection_stuck_seconds', stuckHelp, [])

  async function look(): Promise<void> {
    const { watch, log } = watched() ?? {}
    if (!watch || !log) return
    const reached = watch.projections()
    const behind = await lagsOf(log, watch.head ?? 0n, reached)
    for (const each of [position, lagEvents, lagSeconds, buckets, stalled]) each.reset()
    head.set(Number(watch.head ?? 0n))
    stuck.set(watch.stuckMs / 1000)
    for (const health of reached) {
      const labels = { projection: health.projection, version: health.version }
      const lag = behind.get(health.position)
      position.set(labels, Number(health.position))
      buckets.set(labels, health.buckets)
      stalled.set(labels, health.stalled)
      if (!lag) continue
      lagEvents.set(labels, lag.events)
      lagSeconds.set(labels, lag.seconds)
    }
  }
}

/** The lag of each position that was reached; none where the event store does not answer, which the watch reports. */
async function lagsOf(
  log: Pick<EventLog, 'read'>,
  head: bigint,
  reached: readonly ProjectionHealth[],
): Promise<ReadonlyMap<bigint, Lag>> {
  const found = new Map<bigint, Lag>()
  const signal = AbortSignal.timeout(LAG_TIMEOUT_MS)
  try {
    for (const { position } of reached) {
      if (!found.has(position)) found.set(position, await lagBetween(log, position, head, signal))
    }
  } catch {
    return new Map()
  }
  return found
}
