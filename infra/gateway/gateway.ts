/** One address for both APIs: counts requests, passes them on as they come, and answers as they are answered. */
import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { saneCorrelationId } from '../http/correlation.ts'
import type { Cors } from '../http/cors.ts'
import { answerTo, httpError, retryAfterSeconds } from '../http/errors.ts'
import { API_BASE } from '../http/server.ts'
import { faultOf, originForm } from '../http/well-formed.ts'
import type { Log } from '../log.ts'
import { metered, sendOn } from './bytes.ts'
import type { Limits, Sender, Verdict } from './limits.ts'
import type { Senders } from './senders.ts'
import type { RateRule } from './settings.ts'
import { mustBeSocket, refuse, tunnel } from './tunnel.ts'
import type { Upstream } from './upstream.ts'

export type GatewayOptions = {
  readonly commands: Upstream
  readonly reads: Upstream
  readonly limits: Limits
  readonly senders: Senders
  /** What an organization may use beside the limits of all. */
  readonly quotas: (org: string) => Promise<readonly RateRule[]>
  readonly cors: Cors
  /** Headers of every answer, by the version of the API that its path names. */
  readonly always: (version: string | undefined) => Readonly<Record<string, string>>
  /** 0 sets no limit. */
  readonly bodyBytesMax: number
  readonly answerBytesMax: number
  /** Paths below the base of what is no GET and still a read. */
  readonly isRead: (method: string, path: string) => boolean
  readonly log: Pick<Log, 'warn' | 'error'>
}

/** What is passed on: the API, what clients look for in known places, its documents, calendars and contact books. */
const PASSES = /^\/(api\/v\d+|\.well-known|docs|openapi|dav)(\/|$)|^\/openapi\.json$/
/** Headers of one connection alone (RFC 9110, 7.6.1). */
const OF_CONNECTION = new Set(
  'connection keep-alive proxy-connection te trailer transfer-encoding upgrade proxy-authorization expect'.split(' '),
)
const VERSION = /^\/api\/(v\d+)(?:\/|$)/
const SOCKET_GONE = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'])

/** The listeners of a gateway's server: requests, and upgrades to WebSockets. */
export function gateway(options: GatewayOptions) {
  const { commands, reads, limits, senders, quotas, isRead } = options

  /** Counts a request. Throws where it is one too many, with the headers that say so. */
  async function admit(request: IncomingMessage, path: string): Promise<Pick<Verdict, 'headers'> & { by: Sender }> {
    const by = await senders(request.headers.authorization, addressOf(request))
    const verdict = await limits.take(by, path, by.org === undefined ? [] : await quotas(by.org))
    if (verdict.refused === undefined) return { headers: verdict.headers, by }
    throw Object.assign(httpError('too_many_requests'), {
      headers: verdict.headers,
      retryAfterSeconds: verdict.refused,
    })
  }

  async function answer(request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void> {
    const { method = 'GET' } = request
    const fault = faultOf(request)
    if (fault) throw fault
    const url = originForm(request.url!)
    const [path, version] = [pathOf(url), VERSION.exec(url)?.[1]]
    for (const [name, value] of Object.entries(options.always(version))) response.setHeader(name, value)
    if (!PASSES.test(url.split('?', 1)[0]!)) throw httpError('route_not_found')
    const counted = method === 'OPTIONS' ? undefined : await admit(request, path)
    const body = metered(request, options.bodyBytesMax)
    const to = method === 'GET' || method === 'HEAD' || isRead(method, path) ? reads : commands
    const headers = passedOn(request, correlationId)
    const found = await to.ask({
      ...{ method, path: url, headers, body, request, response },
      by: counted?.by.org ?? addressOf(request),
    })
    const { statusCode = 502, headers: given } = found
    if (options.answerBytesMax > 0 && Number(given['content-length'] ?? 0) > options.answerBytesMax) {
      found.destroy()
      throw httpError('answer_too_large')
    }
    for (const [name, value] of Object.entries(given)) {
      if (value !== undefined && !OF_CONNECTION.has(name)) response.setHeader(name, value)
    }
    for (const [name, value] of Object.entries(counted?.headers ?? {})) response.setHeader(name, value)
    response.writeHead(statusCode)
    // What is sent as it comes waits for nobody: a stream of events shows its head at once.
    if (given['content-length'] === undefined) response.flushHeaders()
    const isStream = given['content-type']?.startsWith('text/event-stream') === true
    const bytesMax = isStream ? 0 : options.answerBytesMax
    sendOn(found, response, bytesMax)
  }

  return {
    request(request: IncomingMessage, response: ServerResponse): void {
      const correlationId = saneCorrelationId(request.headers['x-correlation-id']) ?? randomUUID()
      answer(request, response, correlationId).catch(error =>
        fail(options, { request, response, correlationId, error }),
      )
    },
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
      socket.on('error', () => socket.destroy())
      const join = async () => {
        mustBeSocket(request)
        await admit(request, pathOf(originForm(request.url!)))
        const correlationId = saneCorrelationId(request.headers['x-correlation-id']) ?? randomUUID()
        tunnel(reads, request, passedOn(request, correlationId), { socket, head })
      }
      join().catch(error => refuse(socket, error))
    },
  }
}

/** The path below the base of the API, without the query; any other path as it is. */
function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!
  return path.startsWith(`${API_BASE}/`) ? path.slice(API_BASE.length) : path
}

const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? ''

/**
 * The headers of a request for the process behind; what this connection alone is about stays here. Where a body ends is
 * said again whatever the method: without, the process would take it for the next request.
 */
function passedOn({ headers, socket }: IncomingMessage, correlationId: string): IncomingHttpHeaders {
  const own = (headers.connection ?? '')
    .toLowerCase()
    .split(/[ \t]*,[ \t]*/)
    .filter(name => name !== 'content-length')
  const kept = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name) && !own.includes(name))
  return {
    ...Object.fromEntries(kept),
    ...(headers['transfer-encoding'] !== undefined && { 'transfer-encoding': 'chunked' }),
    'x-correlation-id': correlationId,
    'x-forwarded-for': socket.remoteAddress ?? '',
    'x-forwarded-proto': 'encrypted' in socket ? 'https' : 'http',
    ...(headers.host !== undefined && { 'x-forwarded-host': headers.host }),
  }
}

type Failed = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly correlationId: string
  readonly error: unknown
}

/** Answers in the envelope of the API; an answer that has begun is cut off, so that nobody takes a part for a whole. */
function fail({ cors, log }: GatewayOptions, { request, response, correlationId, error }: Failed): void {
  const { status, code, message, details } = answerTo(error)
  if (status >= 500 && !response.destroyed && !SOCKET_GONE.has(String((error as { code?: unknown }).code))) {
    log.warn({ trace_id: correlationId, context: { code }, err: error }, 'the gateway could not pass a request on')
  }
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const { headers = {}, retryAfterSeconds: later } = error as Partial<Verdict> & { retryAfterSeconds?: number }
  const again = later ?? retryAfterSeconds[status]
  for (const name of response.getHeaderNames()) if (name.startsWith('content-')) response.removeHeader(name)
  response.writeHead(status, {
    ...cors(request.headers),
    ...headers,
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Correlation-Id': correlationId,
    ...(again !== undefined && { 'Retry-After': String(again) }),
    // The rest of a body that is not read would be taken for the next request.
    ...(!request.complete && { Connection: 'close' }),
  })
  const meta = { request_id: correlationId, timestamp: new Date().toISOString() }
  response.end(JSON.stringify({ error: { code, message, details }, meta }))
}
