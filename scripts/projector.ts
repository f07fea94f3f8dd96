import express from 'express'
import { openEngines } from '../infra/engines.ts'
import { mountHealth } from '../infra/http/health.ts'
import { listen } from '../infra/http/lifecycle.ts'
import { createMetrics } from '../infra/metrics.ts'
import { startProjector } from '../infra/processes/projector.ts'
import { servingCommand } from './serve.ts'

/** `kogi projector`: events into read models; run as many as there is work for, they share it. */
export const projectorCommand = () =>
  servingCommand('projector', 'project events into read models', async ({ config, log, lifecycle }) => {
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    const metrics = createMetrics({ service: 'kogi-projector', processMetrics: true })
    const { probes, close } = startProjector({ config, urls: engines, log, metrics })
    lifecycle.onStop('projector', close)
    const app = express().disable('x-powered-by')
    mountHealth(app, { probes, metrics, drain: lifecycle.drain })
    const { url } = await listen(app, lifecycle, config)
    return `ready ${url}`
  })
