import express from 'express'
import { openEngines } from '../infra/engines.ts'
import { mountHealth } from '../infra/http/health.ts'
import { listen } from '../infra/http/lifecycle.ts'
import { createMetrics } from '../infra/metrics.ts'
import { startWorker } from '../infra/processes/worker.ts'
import { servingCommand } from './serve.ts'

/** `kogi worker`: what moves by itself; a second one stands by and goes on where the first one ends. */
export const workerCommand = () =>
  servingCommand('worker', 'run processes and timers', async ({ config, log, lifecycle }) => {
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    const metrics = createMetrics({ service: 'kogi-worker', processMetrics: true })
    const { probes, close } = startWorker({ config, urls: engines, log, metrics })
    lifecycle.onStop('worker', close)
    const app = express().disable('x-powered-by')
    mountHealth(app, { probes, metrics, drain: lifecycle.drain })
    const { url } = await listen(app, lifecycle, config)
    return `ready ${url}`
  })
