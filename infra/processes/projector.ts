/** The projector process: events into read models. */
import { headRecorder } from '../../projections/audit/heads.ts'
import type { Runner } from '../../projections/runner/runner.ts'
import { Watch } from '../../projections/runner/watch.ts'
import type { Config } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import type { Probe } from '../http/health.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { projectionMetrics } from '../projection-metrics.ts'
import { catchUp, openRunner, projectorId } from './catch-up.ts'

export type Projector = {
  readonly runner: Runner
  readonly watch: Watch
  /** Red when a projection is stalled, an engine is away, or the head of the log moves and a checkpoint does not. */
  readonly probes: readonly Probe[]
  /** Ends after the batches in flight; its partitions are free for other projectors at once. */
  readonly close: () => Promise<void>
}

/** Starts projecting, by threads while it is far behind. Never fails because an engine is away: it waits, visibly. */
export function startProjector(options: { config: Config; urls: EngineUrls; log: Log; metrics?: Metrics }): Projector {
  const { config, log, metrics } = options
  const figures = metrics && projectionMetrics(metrics.registry)
  const reported = figures && { onBatch: figures.onBatch }
  const catching = catchUp({ ...options, ...reported })
  const own = openRunner(options, { id: projectorId(), after: catching.ended, ...reported })
  const { runner, pool, events } = own
  const watch = new Watch(runner, events, { onHead: headRecorder(pool, log, config.appendTimeoutMs) })
  figures?.watch(watch, events)
  return {
    runner,
    watch,
    probes: [
      {
        name: 'projections',
        check() {
          catching.check()
          return watch.checkProjections()
        },
      },
      { name: 'head', check: () => watch.checkHead() },
    ],
    async close() {
      watch.close()
      await catching.stop()
      await own.close()
    },
  }
}
