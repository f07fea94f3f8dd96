import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { BatchFigures } from '../projections/runner/lane.ts'
import type { Watch } from '../projections/runner/watch.ts'

/** Seconds that a batch takes: some milliseconds when it follows, some hundred when it catches up. */
const BATCH_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** The metrics of a projector, in the registry of its process. */
export function projectionMetrics(registry: Registry) {
  const registers = [registry]
  const labelNames = ['projection', 'version'] as const
  let watched: Watch | undefined
  // The first of them to be registered is the first to be collected: it sets them all.
  const head = new Gauge({
    name: 'event_log_head_position',
    help: 'Position of the last domain event',
    registers,
    collect: () => watched && show(watched),
  })
  const events = new Counter({ name: 'projection_events_total', help: 'Events projected', registers })
  const rows = new Counter({ name: 'projection_rows_total', help: 'Rows and row versions written', registers })
  const duration = new Histogram({
    name: 'projection_batch_duration_seconds',
    help: 'Time that a batch takes, by phase: fold in memory, write in one transaction',
    labelNames: ['phase'],
    buckets: BATCH_BUCKETS,
    registers,
  })
  const gauge = (name: string, help: string) => new Gauge({ name, help, labelNames: [...labelNames], registers })
  const position = gauge('projection_position', 'Position that all buckets of this process have reached')
  const lag = gauge('projection_lag_positions', 'How far that is behind the head of the log, in its positions')
  const buckets = gauge('projection_buckets', 'Buckets that this process works on')
  const stalled = gauge('projection_stalled_buckets', 'Buckets that an event has stopped')
  const stuck = new Gauge({
    name: 'projection_stuck_seconds',
    help: 'How long a checkpoint has not moved although the head of the log is further',
    registers,
  })

  function show(watch: Watch): void {
    for (const each of [position, lag, buckets, stalled]) each.reset()
    head.set(Number(watch.head ?? 0n))
    stuck.set(watch.stuckMs / 1000)
    for (const health of watch.projections()) {
      const labels = { projection: health.projection, version: health.version }
      const behind = (watch.head ?? 0n) - health.position
      position.set(labels, Number(health.position))
      lag.set(labels, Number(behind > 0n ? behind : 0n))
      buckets.set(labels, health.buckets)
      stalled.set(labels, health.stalled)
    }
  }

  return {
    onBatch(batch: BatchFigures): void {
      events.inc(batch.events)
      rows.inc(batch.rows)
      duration.observe({ phase: 'fold' }, batch.foldMs / 1000)
      duration.observe({ phase: 'write' }, batch.writeMs / 1000)
    },
    /** Shows what the watch sees whenever the metrics are asked for. */
    watch(watch: Watch): void {
      watched = watch
    },
  }
}
