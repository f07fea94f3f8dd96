/** What holds of a connection: few requests at work at once, answers in order, a last word where it goes wrong. */
import { randomUUID } from 'node:crypto'
import { type IncomingMessage, type RequestListener, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { refuseBody } from './body.ts'
import { type ErrorCode, errorCatalogue, httpError, retryAfterSeconds } from './errors.ts'
import { Slices } from './slices.ts'
import { originForm } from './well-formed.ts'

type Arrived = { readonly request: IncomingMessage; readonly response: ServerResponse }

/** How a connection ends: with an answer to what is no request, or without one where that request had its own. */
type Ending = { readonly code?: ErrorCode }

type Connection = {
  atWork: number
  /** Requests that came while as many as allowed were at work. The socket is not read meanwhile. */
  waiting: Arrived[]
  latest?: IncomingMessage
  ending?: Ending
}

/** Time that a client has to read the last answer before its connection is cut. */
const LINGER_MS = 2_000
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

const connections = new WeakMap<Duplex, Connection>()

/**
 * Hands requests to `listener`, at most `atOnce` of one connection at a time: the rest wait, and once one waits no more
 * bytes are read. What Node's parser refuses is answered in the envelope, after the answers to the requests before it.
 * Reads are begun in `slices`, so that commands and health checks do not wait for all that came with them.
 */
export function serveConnections(server: Server, listener: RequestListener, atOnce: number, slices = new Slices()) {
  const begin = (arrived: Arrived): void => {
    const { request, response } = arrived
    const work = () => {
      if (!response.destroyed) handle(arrived)
    }
    if (isRead(request)) slices.add(request.headers.authorization ?? '', work)
    else work()
  }
  const handle = ({ request, response }: Arrived): void => {
    listener(request, response)
    // Requests behind an answer that closes the connection would take effect without one.
    if (!response.shouldKeepAlive && response.writableEnded) of(request.socket).ending ??= {}
  }
  const arrive = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request
    const connection = of(socket)
    if (connection.ending) return
    connection.latest = request
    response.once('close', () => leave(connection, socket))
    const arrived = { request, response }
    if (connection.atWork < atOnce) {
      connection.atWork += 1
      begin(arrived)
    } else {
      connection.waiting.push(arrived)
      socket.pause()
    }
  }
  const leave = (connection: Connection, socket: Duplex): void => {
    const next = connection.waiting.shift()
    if (next && !socket.destroyed) begin(next)
    else connection.atWork -= 1
    if (connection.waiting.length === 0) socket.resume()
    if (connection.ending && connection.atWork === 0) end(socket, connection.ending)
  }
  server.on('request', arrive)
  server.on('checkExpectation', arrive)
  server.on('connect', (_, socket) => refuse(socket, 'method_not_allowed'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    refuse(socket, CLIENT_ERRORS[error.code ?? ''] ?? 'invalid_request')
  })
}

/** Whether a request is a read of the API: there may be hundreds of them at once. */
const isRead = ({ method, url = '' }: IncomingMessage): boolean =>
  method === 'GET' && originForm(url).startsWith('/api/')

/** Whether no request has come behind this one on its connection, so that its answer may close it. */
export function isLatest(request: IncomingMessage): boolean {
  const latest = connections.get(request.socket)?.latest
  return latest === undefined || latest === request
}

function of(socket: Duplex): Connection {
  const known = connections.get(socket)
  if (known) return known
  const connection: Connection = { atWork: 0, waiting: [] }
  connections.set(socket, connection)
  return connection
}

/** Whether a request of the connection is at work. */
export const isAtWork = (socket: Duplex): boolean => of(socket).atWork > 0

/** Ends a connection that brings what is no request, once every request before that is answered. */
export function refuse(socket: Duplex, code: ErrorCode): void {
  const connection = of(socket)
  if (connection.ending) return
  const { latest, atWork } = connection
  const isInBody = latest !== undefined && !latest.complete
  connection.ending = isInBody ? {} : { code }
  if (isInBody) refuseBody(latest, httpError(code))
  if (atWork === 0) end(socket, connection.ending)
}

function end(socket: Duplex, { code }: Ending): void {
  const cut = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  socket.once('close', () => clearTimeout(cut))
  if (socket.writable) socket.end(code === undefined ? undefined : answerOf(code))
  socket.resume()
}

/** A whole answer, for what has no request. */
function answerOf(code: ErrorCode): string {
  const { status, message } = errorCatalogue[code]
  const meta = { request_id: randomUUID(), timestamp: new Date().toISOString() }
  const body = JSON.stringify({ error: { code, message, details: [] }, meta })
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    ...(status === 405 ? [`Allow: ${METHODS}`] : []),
    ...(retryAfterSeconds[status] ? [`Retry-After: ${retryAfterSeconds[status]}`] : []),
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}
