import { createServer, IncomingMessage, type RequestListener, type Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { serveConnections } from './connections.ts'
import type { Slices } from './slices.ts'

/** How requests learn that the process is stopping. */
export type Drain = {
  /** True once the process takes no more requests. */
  readonly draining: boolean
  /** Aborted when the drain timeout is over while requests are still in flight. */
  readonly impatient: AbortSignal
}

/** The orderly end of a process. */
export type Lifecycle = {
  readonly drain: Drain
  /** Adds a part to close after the HTTP server; the last one added closes first. */
  readonly onStop: (name: string, close: () => Promise<void> | void) => void
  /** Drains and closes everything, once; the promise is that of the first call. */
  readonly stop: (reason: string) => Promise<void>
  /** Binds SIGTERM and SIGINT to `stop`, and uncaught errors to a fatal log line and exit code 1. */
  readonly handleSignals: () => void
}

/** Longest time for the engines to close once the requests are done. */
const CLOSE_TIMEOUT_MS = 10_000

/** Makes the lifecycle of a process that waits up to `drainTimeoutMs` for requests in flight. */
export function createLifecycle(options: { log: Log; drainTimeoutMs: number }): Lifecycle {
  const { log, drainTimeoutMs } = options
  const impatience = new AbortController()
  const drain = { draining: false, impatient: impatience.signal }
  const closers: { name: string; close: () => Promise<void> | void }[] = []
  let stopped: Promise<void> | undefined

  async function run(reason: string) {
    log.info({ reason }, 'stopping')
    drain.draining = true
    const timer = setTimeout(() => impatience.abort(new Error('the process stops')), drainTimeoutMs)
    for (const { name, close } of closers.reverse()) {
      try {
        await close()
      } catch (error) {
        log.error({ err: error, part: name }, 'could not close a part in order')
      }
    }
    clearTimeout(timer)
    log.info('stopped')
  }

  const stop = (reason: string) => {
    stopped ??= run(reason)
    return stopped
  }

  function handleSignals() {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        exitAfter(drainTimeoutMs + CLOSE_TIMEOUT_MS, log)
        void stop(signal).then(() => process.exit(0))
      })
    }
    const die = (error: unknown, origin: string) => {
      log.fatal({ err: error, origin }, 'an uncaught error')
      process.exit(1)
    }
    process.on('uncaughtException', die)
    process.on('unhandledRejection', reason => die(reason, 'unhandledRejection'))
  }

  return { drain, onStop: (name, close) => closers.push({ name, close }), stop, handleSignals }
}

/**
 * Listens, and drains when the lifecycle stops: the server accepts no more connections, requests in flight finish, and
 * those that are left at the drain timeout are cut off. Returns the address that clients can use.
 */
export async function listen(
  app: Express,
  lifecycle: Lifecycle,
  config: Pick<Config, 'host' | 'port' | 'requestTimeoutMs' | 'connectionRequests'>,
  slices?: Slices,
): Promise<{ server: Server; url: string }> {
  const { host, port, requestTimeoutMs, connectionRequests } = config
  const timeouts = { requestTimeout: requestTimeoutMs, headersTimeout: Math.min(requestTimeoutMs, 60_000) }
  // Longer than the idle time of common load balancers, so that the balancer closes an idle connection first.
  const server = createServer({ ...timeouts, keepAliveTimeout: 65_000, requireHostHeader: false, ...messagesOf(app) })
  serveConnections(server, app as RequestListener, connectionRequests, slices)
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => reject(unusable(error, host, port))).listen(port, host, resolve)
  })
  lifecycle.onStop('http', () => drainServer(server, lifecycle.drain.impatient))
  const address = server.address() as AddressInfo
  const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return { server, url: `http://${name}:${address.port}` }
}

/**
 * Classes of requests and responses that have the prototypes of an app from the start. Express gives them to every
 * message, which makes each one slower to use, and does nothing where it has them already.
 */
function messagesOf(app: Express) {
  class Request extends IncomingMessage {}
  class Response extends ServerResponse {}
  Object.setPrototypeOf(Request.prototype, app.request)
  Object.setPrototypeOf(Response.prototype, app.response)
  Object.assign(app, { request: Request.prototype, response: Response.prototype })
  return { IncomingMessage: Request, ServerResponse: Response as typeof ServerResponse }
}

function unusable(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const inUse = error.code === 'EADDRINUSE' ? ': the port is in use, choose another with KOGI_PORT' : ''
  return new Error(`Cannot listen on ${host}:${port}${inUse}`, { cause: error })
}

export function drainServer(server: Server, impatient: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const cut = () => server.closeAllConnections()
    server.close(() => {
      clearInterval(sweep)
      impatient.removeEventListener('abort', cut)
      resolve()
    })
    // A connection becomes idle only when its answer is out, so the idle ones are closed again and again.
    server.closeIdleConnections()
    const sweep = setInterval(() => server.closeIdleConnections(), 50)
    impatient.addEventListener('abort', cut)
    if (impatient.aborted) cut()
  })
}

function exitAfter(milliseconds: number, log: Log) {
  setTimeout(() => {
    log.fatal({ duration_ms: milliseconds }, 'did not stop in time')
    process.exit(1)
  }, milliseconds).unref()
}
