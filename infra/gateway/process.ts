/** The gateway as a process: its server, with TLS where there is a certificate, and what it knows of senders. */
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { directories } from '../access/directories.ts'
import type { Config } from '../config.ts'
import { configurations } from '../configurations.ts'
import type { EngineUrls } from '../engines.ts'
import { commandStore } from '../event-store/command-store.ts'
import { createCors } from '../http/cors.ts'
import { readyOf } from '../http/health.ts'
import { drainServer, type Lifecycle } from '../http/lifecycle.ts'
import { keyWatch } from '../key-watch.ts'
import type { Log } from '../log.ts'
import { createPool } from '../postgres.ts'
import { openCallers } from '../processes/callers.ts'
import { type GatewayOptions, gateway } from './gateway.ts'
import { makeRates, rateLimits } from './limits.ts'
import { senders } from './senders.ts'
import type { RateRule } from './settings.ts'
import { reloaded } from './tls.ts'
import { upstream } from './upstream.ts'

type Options = {
  readonly config: Config
  readonly urls: Pick<EngineUrls, 'eventStoreUrl' | 'keysDatabaseUrl'>
  readonly log: Log
  readonly lifecycle: Lifecycle
}

/** Reads that are no GET: the paths of the memory service of the platform. */
const READS: ReadonlySet<string> = new Set(['/kse/memory/search'])
const QUOTAS = { requests_per_minute: 60, requests_per_day: 86_400 } as const
const DAY_MS = 86_400_000

/** Serves the gateway, and returns its address. */
export async function startGateway({ config, urls, log, lifecycle }: Options): Promise<string> {
  const { gatewayTimeoutMs: timeoutMs, gatewayAtOnce: atOnce, host, port } = config
  const [commands, reads] = [config.gatewayCommands, config.gatewayReads].map(url =>
    upstream({ url, timeoutMs, atOnce }),
  )
  const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', log, max: 2 })
  const store = commandStore(urls.eventStoreUrl)
  const rates = config.rateLimitsUrl === undefined ? undefined : await sharedRates(config.rateLimitsUrl, log)
  const settings = configurations(store)
  const { limit } = settings
  const watch = keyWatch(log)
  const { authenticate } = await openCallers({
    ...{ config, log, keyPool: keys, watch, store, settings },
    access: directories(store),
  })
  const handlers = gateway({
    commands: commands!,
    reads: reads!,
    limits: rateLimits(config.rateLimits, rates),
    senders: senders(authenticate),
    quotas: org => quotasOf(org, limit),
    cors: createCors(config.corsOrigins),
    always: headersOf(config),
    bodyBytesMax: config.gatewayBodyBytes,
    answerBytesMax: config.gatewayAnswerBytes,
    isRead: (method, path) => method === 'POST' && READS.has(path),
    log,
  })
  const server = serverOf(config, withHealth(handlers.request, [commands!.url, reads!.url]), log)
  server.on('upgrade', handlers.upgrade)
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve))
  lifecycle.onStop('what the gateway knows', async () => {
    for (const each of [commands!, reads!]) each.close()
    await Promise.allSettled([keys.end(), rates?.end(), store.close()])
  })
  lifecycle.onStop('gateway', () => drainServer(server, lifecycle.drain.impatient))
  const { address, family, port: taken } = server.address() as AddressInfo
  return `${config.tlsCert === undefined ? 'http' : 'https'}://${family === 'IPv6' ? `[${address}]` : address}:${taken}`
}

type LimitOf = (org: string, quota: keyof typeof QUOTAS) => Promise<number | undefined>

/** What operators have said that an organization may use. */
async function quotasOf(org: string, limitOf: LimitOf): Promise<readonly RateRule[]> {
  const all = await Promise.all(
    (['requests_per_minute', 'requests_per_day'] as const).map(async of => ({ of, limit: await limitOf(org, of) })),
  )
  return all.flatMap(({ of, limit }) => (limit === undefined ? [] : [{ of, limit, seconds: QUOTAS[of] }]))
}

async function sharedRates(url: string, log: Log): Promise<pg.Pool> {
  // The library counts with the numbers that the driver makes by default.
  const pool = new pg.Pool({ connectionString: url, max: 8, keepAlive: true, application_name: 'kogi-rates' })
  pool.on('error', error => log.warn({ err: error }, 'lost an idle connection to the rate limits'))
  await makeRates(pool)
  return pool
}

/** Headers of every answer: of security, and of the end of a version. */
function headersOf({ tlsCert, apiSunsets }: Config): GatewayOptions['always'] {
  const safe = {
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    ...(tlsCert !== undefined && { 'Strict-Transport-Security': 'max-age=31536000' }),
  }
  const ofApi = { ...safe, 'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'" }
  const ending = new Map(
    apiSunsets.map(({ version, since, ends }) => [
      version,
      {
        Deprecation: `@${Date.parse(since) / 1_000}`,
        Sunset: new Date(Date.parse(ends) + DAY_MS - 1_000).toUTCString(),
      },
    ]),
  )
  return version => (version === undefined ? safe : { ...ofApi, ...ending.get(version) })
}

/** Answers health itself: live where it runs, ready where the processes behind it are. */
function withHealth(next: RequestListener, urls: readonly string[]): RequestListener {
  const probes = [...new Set(urls)].map(readyOf)
  return (request, response) => {
    const say = (status: number, body: object) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/health/live') say(200, { status: 'live' })
    else if (request.url !== '/health/ready') next(request, response)
    else {
      Promise.all(probes.map(probe => probe())).then(
        () => say(200, { status: 'ready' }),
        error => say(503, { status: 'not_ready', error: String(error.message) }),
      )
    }
  }
}

function serverOf({ tlsCert, tlsKey, requestTimeoutMs }: Config, listener: RequestListener, log: Log): Server {
  const timeouts = { requestTimeout: requestTimeoutMs, headersTimeout: Math.min(requestTimeoutMs, 60_000) }
  const options = { ...timeouts, keepAliveTimeout: 65_000 }
  if (tlsCert === undefined || tlsKey === undefined) return createServer(options, listener)
  const files = reloaded({ cert: tlsCert, key: tlsKey }, log, pair => server.setSecureContext(pair))
  const server = createTlsServer({ ...options, minVersion: 'TLSv1.2', ...files.pair }, listener)
  server.on('close', files.close)
  return server
}
