import express from 'express'
import { openEngines } from '../infra/engines.ts'
import { mountHealth } from '../infra/http/health.ts'
import { listen } from '../infra/http/lifecycle.ts'
import { createMetrics } from '../infra/metrics.ts'
import { busOf, startRelay } from '../infra/processes/relay.ts'
import { servingCommand } from './serve.ts'

/** `kogi relay`: every event to NATS JetStream; a second one stands by and goes on where the first one ends. */
export const relayCommand = () =>
  servingCommand('relay', 'publish every event to NATS JetStream', async ({ config, log, lifecycle }) => {
    const bus = busOf(config)
    const engines = await openEngines(config, log)
    lifecycle.onStop('engines', engines.close)
    const metrics = createMetrics({ service: 'kogi-relay', processMetrics: true })
    const { probes, close } = startRelay({ config, urls: engines, log, metrics, bus })
    lifecycle.onStop('relay', close)
    const app = express().disable('x-powered-by')
    mountHealth(app, { probes, metrics, drain: lifecycle.drain })
    const { url } = await listen(app, lifecycle, config)
    return `ready ${url}`
  })
