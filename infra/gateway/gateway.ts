/** One address for both APIs: counts requests, passes them on as they come, and answers as they are answered. */
import { randomUUID } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import type { Duplex } from 'node:stream'
import { saneCorrelationId } from '../http/correlation.ts'
import type { Cors } from '../http/cors.ts'
import { answerTo, httpError, retryAfterSeconds } from '../http/errors.ts'
import { API_BASE } from '../http/server.ts'
import type { Log } from '../log.ts'
import { metered, sendOn } from './bytes.ts'
import type { Limits, Verdict } from './limits.ts'
import type { Senders } from './senders.ts'
import type { RateRule } from './settings.ts'
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
  async function admit(request: IncomingMessage, path: string): Promise<Verdict> {
    const sender = await senders(request.headers.authorization, request.socket.remoteAddress ?? '')
    const verdict = await limits.take(sender, path, sender.org === undefined ? [] : await quotas(sender.org))
    if (verdict.refused === undefined) return verdict
    throw Object.assign(httpError('too_many_requests'), {
      headers: verdict.headers,
      retryAfterSeconds: verdict.refused,
    })
  }

  async function answer(request: IncomingMessage, response: ServerResponse, correlationId: string): Promise<void> {
    const { method = 'GET', url = '/' } = request
    const [path, version] = [pathOf(url), VERSION.exec(url)?.[1]]
    for (const [name, value] of Object.entries(options.always(version))) response.setHeader(name, value)
    if (url === '/metrics') throw httpError('route_not_found')
    const counted = method === 'OPTIONS' ? undefined : await admit(request, path)
    const body = metered(request, options.bodyBytesMax)
    const to = method === 'GET' || method === 'HEAD' || isRead(method, path) ? reads : commands
    const headers = passedOn(request, correlationId)
    const found = await to.ask({ method, path: url, headers, body, response })
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
      admit(request, pathOf(request.url ?? '/')).then(
        () => tunnel(reads, request, { socket, head }),
        error => {
          const { status, code, message, details } = answerTo(error)
          refuse(socket, `${status} ${code}`, JSON.stringify({ error: { code, message, details }, meta: {} }))
        },
      )
    },
  }
}

/** The path below the base of the API, without the query; any other path as it is. */
function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!
  return path.startsWith(`${API_BASE}/`) ? path.slice(API_BASE.length) : path
}

/** The headers of a request for the process behind; what this connection alone is about stays here. */
function passedOn({ headers, socket }: IncomingMessage, correlationId: string): IncomingHttpHeaders {
  const own = (headers.connection ?? '').toLowerCase().split(/ *, */)
  const kept = Object.entries(headers).filter(([name]) => !OF_CONNECTION.has(name) && !own.includes(name))
  return {
    ...Object.fromEntries(kept),
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

type Opened = { readonly socket: Duplex; readonly head: Buffer }

/** Joins the client of a WebSocket with the read API; a refusal of that is passed on as it is. */
function tunnel({ url }: Upstream, request: IncomingMessage, { socket, head }: Opened): void {
  const { hostname, port } = new URL(url)
  const correlationId = saneCorrelationId(request.headers['x-correlation-id']) ?? randomUUID()
  const headers = { ...passedOn(request, correlationId), connection: 'Upgrade', upgrade: request.headers.upgrade }
  const sent = send({ hostname, port, path: request.url, headers })
  const linesOf = ({ statusCode, statusMessage, rawHeaders }: IncomingMessage) => {
    const pairs = rawHeaders.flatMap((name, n) => (n % 2 === 0 ? [`${name}: ${rawHeaders[n + 1]}`] : []))
    return [`HTTP/1.1 ${statusCode} ${statusMessage}`, ...pairs, '', ''].join('\r\n')
  }
  sent.once('upgrade', (answer, other, first) => {
    socket.write(linesOf(answer))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) other.write(head)
    for (const [from, to] of [
      [socket, other],
      [other, socket],
    ] as const) {
      from.pipe(to)
      from.on('error', () => to.destroy())
      from.on('close', () => to.destroy())
    }
  })
  sent.once('response', answer => {
    socket.write(linesOf(answer))
    answer.pipe(socket)
  })
  sent.once('error', () => refuse(socket, '503 Service Unavailable', ''))
  sent.end()
}

function refuse(socket: Duplex, status: string, body: string): void {
  const type = 'Content-Type: application/json; charset=utf-8'
  socket.end(
    `HTTP/1.1 ${status}\r\n${type}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
