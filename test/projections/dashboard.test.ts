import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { createMetrics } from '../../infra/metrics.ts'
import { projectionMetrics } from '../../infra/projection-metrics.ts'
import { workerMetrics } from '../../infra/worker-metrics.ts'
import type { EventLog, ReadOptions } from '../../projections/ports.ts'
import type { Watch } from '../../projections/runner/watch.ts'
import { patient } from '../support/pace.ts'
import { randomHistory } from './history.ts'
import { MemoryLog } from './support.ts'

describe('projections: the dashboard', () => {
  it('asks only for metrics that a projector has', async () => {
    const { registry } = createMetrics({ service: 'kogi-projector', processMetrics: true })
    projectionMetrics(registry)
    workerMetrics(registry).watch(() => ({ processes: [], head: 0n, stuckMs: 0, timersStuck: 0 }))
    const known = registry.getMetricsAsArray().map(({ name }) => name)
    const text = await readFile(new URL('../../infra/grafana/projections.json', import.meta.url), 'utf8')
    const asked = text
      .match(/\b(?:projection|event_log|db|process|timers)_[a-z_]+\b/g)!
      .map(name => name.replace(/_bucket$/, ''))
    expect(known).to.include.members([...new Set(asked)])
  })
})

describe('projections: the metrics', () => {
  const events = randomHistory({ seed: 3, count: 50 })
  const last = events.at(-1)!.position
  const reached = events[30]!.position
  const watch = {
    head: last,
    stuckMs: 0,
    projections: () => [{ projection: 'tasks', version: 1, buckets: 16, position: reached, stalled: 0 }],
  } as unknown as Watch
  const shown = async (log: Pick<EventLog, 'read'>) => {
    const { registry } = createMetrics({ service: 'kogi-projector', processMetrics: false })
    projectionMetrics(registry).watch(watch, log)
    return registry.metrics()
  }

  it('tell the lag in events and in seconds', async () => {
    const text = await shown(new MemoryLog(events))
    expect(text).to.include('projection_lag_events{projection="tasks",version="1",service="kogi-projector"} 19')
    const seconds = Number(/projection_lag_seconds\{[^}]+\} (.+)/.exec(text)![1])
    expect(seconds).to.be.closeTo((Date.now() - Date.parse(events[31]!.metadata.at)) / 1000, patient(5))
  })

  it('come without a lag, and soon, where the event store hangs', async () => {
    const hanging = async function* ({ signal }: ReadOptions) {
      await new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)))
      yield []
    }
    const text = await shown({ read: hanging })
    expect(text).to.include(`projection_position{projection="tasks",version="1",service="kogi-projector"} ${reached}`)
    expect(text).not.to.include('projection_lag_events{')
  })
})
