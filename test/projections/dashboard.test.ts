import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { createMetrics } from '../../infra/metrics.ts'
import { projectionMetrics } from '../../infra/projection-metrics.ts'

describe('projections: the dashboard', () => {
  it('asks only for metrics that a projector has', async () => {
    const { registry } = createMetrics({ service: 'kogi-projector', processMetrics: true })
    projectionMetrics(registry)
    const known = registry.getMetricsAsArray().map(({ name }) => name)
    const text = await readFile(new URL('../../infra/grafana/projections.json', import.meta.url), 'utf8')
    const asked = text
      .match(/\b(?:projection|event_log|db|process)_[a-z_]+\b/g)!
      .map(name => name.replace(/_bucket$/, ''))
    expect(known).to.include.members([...new Set(asked)])
  })
})
