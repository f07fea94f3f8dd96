import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { ApiRequest, ApiResponse, Principal } from '../../domain/kernel/route.ts'
import { PROVED_SECONDS_MAX } from '../auth/step-up.ts'
import { timestampNow } from '../clock.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import { ClientGone } from './body.ts'
import { isMatch, isNotModified } from './conditional.ts'
import { isLatest } from './connections.ts'
import { saneCorrelationId } from './correlation.ts'
import { preflightHeaders } from './cors.ts'
import { answerTo, httpError, retryAfterSeconds } from './errors.ts'
import type { Drain } from './lifecycle.ts'
import { outletOf } from './outlet.ts'
import { attachment, rangeOf } from './ranges.ts'

/** What all exchanges of a server share. */
export type ExchangeDeps = { readonly log: Log; readonly metrics: Metrics; readonly drain?: Drain }

type Aside = NonNullable<ApiRequest['aside']>

/** The principal of a public route, and of a caller before it is authenticated. */
const ANONYMOUS: Principal = { subject: '', org: '', roles: [], permissions: [] }
/** Methods that are labels of metrics; all others share one label, so that clients cannot add time series. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** Codes after which it is not certain where the next request begins, or that the client means it. */
const CLOSING = new Set(['body_too_large', 'expectation_failed', 'invalid_request', 'transfer_coding_unsupported'])
/** Status in metrics of a request whose client left before the answer. */
const CLIENT_GONE = 499
/** Time that a client of a file may take nothing. */
const STALLED_MS = 60_000

/** One request and its one answer: wrapped in the envelope, measured, and logged where it failed. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly requestId = randomUUID()
  readonly correlationId: string
  /** Pattern of the route, once it is found: a label of metrics, so never the path itself. */
  route = 'unmatched'
  principal = ANONYMOUS
  readonly #deps: ExchangeDeps
  readonly #startedAt = performance.now()
  #ended = false

  constructor(deps: ExchangeDeps, request: IncomingMessage, response: ServerResponse) {
    this.#deps = deps
    this.request = request
    this.response = response
    this.correlationId = saneCorrelationId(request.headers['x-correlation-id']) ?? this.requestId
    deps.metrics.httpInFlight.inc()
  }

  /** Answers what a route returned; `aside` runs the waits for a client that takes bytes which reads make. */
  async success(answer: ApiResponse, aside: ApiRequest['aside'] = wait => wait()): Promise<void> {
    const { status = 200, data, meta, pagination, headers, stream, file, bytes, plain } = answer
    const { method, headers: asked } = this.request
    if (stream) {
      this.#stream(stream, { ...headers })
      return
    }
    if (method === 'GET' || method === 'HEAD') {
      if (!isMatch(asked['if-match'], answer)) throw httpError('precondition_failed')
      if (isNotModified(asked['if-none-match'], answer)) {
        this.#send(304, { ...headers }, '')
        return
      }
    }
    if (bytes) {
      await this.#bytes(bytes, { ...headers }, aside)
      return
    }
    if (file) {
      const disposition = `attachment; filename="${file.name}"`
      this.#send(status, { ...headers, 'Content-Type': file.type, 'Content-Disposition': disposition }, file.content)
      return
    }
    if (plain) {
      this.#send(status, { ...headers }, JSON.stringify(data))
      return
    }
    const envelope = status === 204 ? '' : JSON.stringify({ data, meta: { ...this.#meta(), ...meta }, pagination })
    this.#send(status, { ...headers }, envelope)
  }

  /** Answers an OPTIONS request: which methods the path takes, for browsers and people. */
  options(methods: readonly string[]): void {
    if (methods.length === 0) throw httpError('route_not_found')
    const allow = methods.join(', ')
    const preflight = this.response.hasHeader('Access-Control-Allow-Origin') ? preflightHeaders(allow) : {}
    this.#send(204, { Allow: allow, ...preflight }, '')
  }

  /** Answers an error in the form of the catalogue. What is not meant for clients is logged only. */
  failure(error: unknown, methodsOfPath?: () => readonly string[]): void {
    if (error instanceof ClientGone || this.response.destroyed) {
      this.#end(CLIENT_GONE)
      return
    }
    const { status, code, message, details, meta, retryAfterSeconds: wait } = answerTo(error)
    if (status >= 500) {
      const line = this.#logFields(status)
      // What happens in an outage is known; only a fault of the code is worth its stack.
      const context = { ...line.context, code, ...(status === 500 ? { error } : { reason: reasonOf(error) }) }
      this.#deps.log[status === 500 ? 'error' : 'warn']({ ...line, context }, 'request failed')
    }
    if (this.response.headersSent) {
      this.response.destroy()
      return
    }
    const headers: Record<string, string | number> = {}
    const waitSeconds = wait ?? retryAfterSeconds[status]
    if (waitSeconds) headers['Retry-After'] = waitSeconds
    if (status === 401) headers['WWW-Authenticate'] = CHALLENGES[code] ?? 'Bearer realm="kogi"'
    if (status === 405 && methodsOfPath) headers.Allow = methodsOfPath().join(', ')
    if (status === 426) headers.Upgrade = 'websocket'
    if (CLOSING.has(code)) headers.Connection = 'close'
    this.#send(
      status,
      headers,
      JSON.stringify({ error: { code, message, details }, meta: { ...this.#meta(), ...meta } }),
    )
  }

  /** Begins an answer without an end. It counts as answered with its head: how long it lasts says nothing of us. */
  #stream(begin: NonNullable<ApiResponse['stream']>, headers: Record<string, string>): void {
    const { response } = this
    headers['X-Correlation-Id'] = this.correlationId
    headers['Cache-Control'] = 'no-store'
    headers['Content-Type'] = 'text/event-stream; charset=utf-8'
    // nginx would hold events back until a buffer of them is full.
    headers['X-Accel-Buffering'] = 'no'
    response.writeHead(200, headers)
    this.#end(200)
    if (this.request.method === 'HEAD') response.end()
    else begin(outletOf(response))
  }

  /** Sends a file, or the part of it that is asked for, as its bytes are read. */
  async #bytes(bytes: NonNullable<ApiResponse['bytes']>, headers: Record<string, string>, aside: Aside) {
    const { name, type, size, open, isRead } = bytes
    const { request, response } = this
    const range = size === undefined ? undefined : rangeOf(request.headers, size, headers.ETag!)
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${size}`)
      throw httpError('range_not_satisfiable')
    }
    const stream = await open(range)
    if (!stream) throw httpError('file_missing')
    headers['X-Correlation-Id'] = this.correlationId
    headers['Cache-Control'] = size === undefined ? 'no-store' : 'private, no-cache'
    headers['Content-Type'] = type
    headers['Content-Disposition'] = attachment(name)
    headers['X-Content-Type-Options'] = 'nosniff'
    headers['Content-Security-Policy'] = "default-src 'none'; sandbox"
    if (size !== undefined) {
      headers['Accept-Ranges'] = 'bytes'
      headers['Content-Length'] = String(range ? range.last - range.first + 1 : size)
    }
    if (range) headers['Content-Range'] = `bytes ${range.first}-${range.last}/${size}`
    response.writeHead(range ? 206 : 200, headers)
    if (request.method === 'HEAD') {
      stream.destroy()
      response.end()
      this.#end(range ? 206 : 200)
      return
    }
    response.setTimeout(STALLED_MS, () => response.destroy())
    try {
      await (isRead ? sendMade(stream, response, aside) : pipeline(stream, response))
      this.#end(range ? 206 : 200)
    } catch (error) {
      // The response is over in either case. A client that left or takes nothing is no fault of ours; a disk is.
      response.destroy()
      const isLeft = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE'
      const isGone = isLeft || error instanceof ClientGone
      if (!isGone) this.#deps.log.error({ ...this.#logFields(500), err: error }, 'a file could not be sent to its end')
      this.#end(isGone ? CLIENT_GONE : 500)
    }
  }

  #send(status: number, headers: Record<string, string | number>, body: string | Uint8Array): void {
    const { request, response } = this
    headers['X-Correlation-Id'] = this.correlationId
    headers['Cache-Control'] = 'no-store'
    if (this.#deps.drain?.draining) headers.Connection = 'close'
    if (headers.Connection !== undefined) {
      // A connection that closes would lose the answers to requests behind this one.
      if (isLatest(request)) response.shouldKeepAlive = false
      else delete headers.Connection
    }
    const hasBody = status !== 204 && status !== 304
    if (hasBody) {
      headers['Content-Type'] ??= 'application/json; charset=utf-8'
      headers['Content-Length'] = Buffer.byteLength(body)
      headers['X-Content-Type-Options'] = 'nosniff'
    }
    response.writeHead(status, headers)
    response.end(hasBody && request.method !== 'HEAD' ? body : undefined)
    this.#end(status)
  }

  #end(status: number): void {
    if (this.#ended) return
    this.#ended = true
    const { route, request } = this
    const { log, metrics } = this.#deps
    const method = METHODS.has(request.method!) ? request.method! : 'other'
    metrics.httpInFlight.dec()
    metrics.httpAnswered(method, route, status, (performance.now() - this.#startedAt) / 1000)
    if (log.isLevelEnabled('debug')) log.debug(this.#logFields(status), 'request answered')
  }

  #meta() {
    return { request_id: this.requestId, timestamp: timestampNow() }
  }

  #logFields(status: number) {
    const { request, route, requestId, correlationId, principal } = this
    return {
      trace_id: correlationId,
      ...(principal.subject && { user_id: principal.subject }),
      duration_ms: Math.round((performance.now() - this.#startedAt) * 1000) / 1000,
      context: { request_id: requestId, method: request.method, route, status, org: principal.org || undefined },
    }
  }
}

/** Sends bytes as they are made. None are made while the client takes those before, which is waited for aside. */
async function sendMade(bytes: AsyncIterable<Uint8Array>, response: ServerResponse, aside: Aside): Promise<void> {
  response.on('error', () => response.destroy())
  for await (const piece of bytes) {
    if (response.destroyed) throw new ClientGone()
    if (!response.write(piece)) await aside(() => taken(response))
  }
  if (response.destroyed) throw new ClientGone()
  response.end()
}

/** Resolves once the client has taken what was sent, or is gone. */
function taken(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    if (response.destroyed || !response.writableNeedDrain) return resolve()
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

const CHALLENGES: Readonly<Record<string, string>> = {
  invalid_token: 'Bearer realm="kogi", error="invalid_token"',
  // RFC 9470: which level, and how long ago at most.
  insufficient_user_authentication:
    'Bearer realm="kogi", error="insufficient_user_authentication", ' +
    `error_description="A second factor is needed, shown just now", acr_values="aal2", max_age=${PROVED_SECONDS_MAX}`,
}
