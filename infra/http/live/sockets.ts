/** The WebSocket of the API (RFC 6455), through the library `ws`: which upgrades are taken, and what is refused. */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { KogiError } from '../../../domain/kernel/errors.ts'
import { Session, type SessionDeps, type Socket } from '../../../read-api/live/session.ts'
import { hasBody } from '../body.ts'
import { isAtWork, refuse } from '../connections.ts'
import type { ErrorCode } from '../errors.ts'
import type { Drain } from '../lifecycle.ts'
import { outletTo } from '../outlet.ts'
import { API_BASE } from '../server.ts'
import { originForm } from '../well-formed.ts'

/** Largest message of a client: a token, or the names of its channels. */
const MESSAGE_BYTES_MAX = 65_536
/** Messages of a client that wait for the one before them. */
const WAITING_MAX = 64
const [UNSUPPORTED_DATA, POLICY_VIOLATION, TRY_AGAIN_LATER] = [1003, 1008, 1013]

export type SocketOptions = {
  readonly session: SessionDeps
  /** Origins whose pages may connect, as for CORS; pages of the API's own origin and clients without one may too. */
  readonly corsOrigins: readonly string[]
  readonly drain: Drain
}

/** Serves `/api/v1/ws`. A request for another upgrade is answered as if it had not asked for it (RFC 9110, 7.8). */
export function serveSockets(server: Server, { session, corsOrigins, drain }: SocketOptions): void {
  // Compression would keep a window of memory for each connection.
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MESSAGE_BYTES_MAX,
    perMessageDeflate: false,
  })
  sockets.on('wsClientError', (_, socket) => refuse(socket, 'invalid_request'))
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const [path] = originForm(request.url!).split('?')
    const isOurs = request.headers.upgrade?.toLowerCase() === 'websocket' && path === `${API_BASE}/ws`
    if (!isOurs) return answerPlainly(server, request, socket, head)
    const fault = faultOf(request, { session, corsOrigins, drain })
    if (fault) return refuse(socket, fault)
    sockets.handleUpgrade(request, socket, head, opened => open(opened, socket, session))
  })
}

function faultOf(request: IncomingMessage, { session, corsOrigins, drain }: SocketOptions): ErrorCode | undefined {
  if (isAtWork(request.socket)) return 'invalid_request'
  if (drain.draining) return 'draining'
  if (!isAllowed(request, corsOrigins)) return 'origin_forbidden'
  try {
    session.connections.mustHaveRoom()
  } catch (error) {
    return (error as KogiError).code as ErrorCode
  }
  return undefined
}

function isAllowed({ headers: { origin, host } }: IncomingMessage, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*') || allowed.includes(origin)) return true
  return URL.canParse(origin) && new URL(origin).host === host
}

/** Answers a request by the ordinary way, on the connection that Node has let go of. */
function answerPlainly(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  if (isAtWork(socket) || hasBody(request) || head.length > 0) {
    refuse(socket, 'invalid_request')
    return
  }
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(request.socket)
  response.once('finish', () => {
    response.detachSocket(request.socket)
    socket.end()
  })
  server.emit('request', request, response)
}

function open(opened: WebSocket, raw: Duplex, deps: SessionDeps): void {
  const { socket, closed } = socketOf(opened)
  opened.on('error', () => opened.terminate())
  opened.once('close', closed)
  let session: Session
  try {
    session = new Session(deps, socket)
  } catch (error) {
    // The last place was taken between the look and now.
    opened.close(TRY_AGAIN_LATER, error instanceof KogiError ? error.code : '')
    return
  }
  let waiting = 0
  let last: Promise<void> = Promise.resolve()
  raw.on('drain', () => opened.resume())
  opened.on('pong', () => session.isHeard())
  opened.on('message', (data: RawData, isBinary: boolean) => {
    if (isBinary) return opened.close(UNSUPPORTED_DATA, 'messages are texts')
    if (waiting >= WAITING_MAX) return opened.close(POLICY_VIOLATION, 'too many messages at once')
    // A client that reads no answers is not listened to until it does.
    if (socket.outlet.waiting() >= deps.bufferBytes) opened.pause()
    waiting += 1
    last = last
      .then(() => session.receive(String(data)))
      .finally(() => {
        waiting -= 1
      })
  })
}

function socketOf(opened: WebSocket): { readonly socket: Socket; readonly closed: () => void } {
  let closing: [code: number, reason: string] = [1000, '']
  const outlet = outletTo({
    write: (data, done) => opened.send(data, { binary: false }, done),
    waiting: () => opened.bufferedAmount,
    end(data) {
      opened.send(data)
      opened.close(...closing)
    },
    cut: () => opened.terminate(),
  })
  const socket: Socket = {
    outlet,
    ping: () => opened.ping(),
    closeWith: (code, reason) => {
      closing = [code, reason]
    },
    cut: () => opened.terminate(),
  }
  return { socket, closed: outlet.closed }
}
