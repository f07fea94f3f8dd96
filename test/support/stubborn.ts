// A process with one slow route and the whole lifecycle: tests of the drain signal it and watch it end.
import { createLifecycle, listen } from '../../infra/http/lifecycle.ts'
import { createApp } from '../../infra/http/server.ts'
import { createLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { route } from './http.ts'

const log = createLog({ service: 'stubborn', fd: 2 })
const lifecycle = createLifecycle({ log, drainTimeoutMs: 2_000 })
lifecycle.handleSignals()
lifecycle.onStop('engine', () => {
  process.stdout.write('engine closed\n')
})
const wait = route('GET', '/wait/:ms', async ({ params }) => {
  process.stdout.write('begun\n')
  await new Promise(resolve => setTimeout(resolve, Number(params.ms)))
  return { data: 'done' }
})
const crash = route('GET', '/crash', async () => {
  setTimeout(() => {
    throw new Error('thrown by a timer')
  }, 1)
  return { data: 'soon' }
})
const app = createApp({
  routes: [wait, crash].map(made => ({ ...made, permission: null })),
  authenticate: () => {
    throw new Error('never asked')
  },
  log,
  metrics: createMetrics({ service: 'stubborn' }),
  config: { bodyLimitBytes: 1_024, corsOrigins: [] },
  drain: lifecycle.drain,
})
const { url } = await listen(app, lifecycle, {
  host: '127.0.0.1',
  port: 0,
  requestTimeoutMs: 1_000,
  connectionRequests: 8,
})
process.stdout.write(`${url}\n`)
