/** Listens with gRPC over plain HTTP/2 and a few pages of HTTP/1.1 on one port. */
import { createServer as createHttpServer } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer as createNetServer, type Server, type Socket } from 'node:net'
import type { Logger } from 'pino'
import { Status } from '../../../wire/grpc.ts'
import type { Store } from '../log/store.ts'
import { Call } from '../wire/call.ts'
import { GrpcError } from '../wire/grpc-error.ts'
import type { Committer } from '../write/committer.ts'
import { page, serveHttp } from './http.ts'
import { newInstanceId } from './node-info.ts'
import { handlerOf, type StoreNode } from './services.ts'

/** The settings that a real server announces. */
const SETTINGS = {
  maxConcurrentStreams: 100,
  initialWindowSize: 786_432,
  maxFrameSize: 16_384,
  maxHeaderListSize: 32_768,
}
/** Window of one connection with all its calls, so that appends of several megabytes do not wait for updates of it. */
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
/**
 * Memory of one connection from which on Node refuses new calls. Node counts what cancelled calls had under way as long
 * as the connection lasts, and its counter has 32 bits.
 */
const SESSION_MEMORY_MB = 4000
/** Bytes of cancelled calls at which a client is asked to connect anew, before that limit is reached. */
const ABANDONED_BYTES_MAX = 3e9
const PING_MS = 10_000
/** A connection that does not answer a ping for so long is closed. */
const PING_PATIENCE_MS = 20_000
const HTTP2_PREFACE_START = Buffer.from('PR')
const CLOSE_PATIENCE_MS = 500

export type Listener = {
  readonly port: number
  close(): Promise<void>
}

export type ListenOptions = {
  readonly store: Store
  readonly committer: Committer
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly log: Logger
}

/** Resolves when the port is open. */
export async function listen({ store, committer, host, port, log }: ListenOptions): Promise<Listener> {
  const calls = new Set<Call>()
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  /** Connections that have not sent anything yet, and so belong to neither server. */
  const undecided = new Set<Socket>()
  const node = { store, committer, identity: { instanceId: newInstanceId(), address: host, port } }
  const warnOfCredentials = once(() => log.warn('credentials were sent; the embedded event store ignores them'))
  const http2 = createHttp2Server({ settings: SETTINGS, maxSessionMemory: SESSION_MEMORY_MB })
  http2.on('session', session => welcome(session, sessions))
  http2.on('sessionError', error => log.debug({ err: error }, 'connection ended with an error'))
  http2.on('stream', (stream, headers) => {
    if (headers.authorization !== undefined) warnOfCredentials()
    serveStream(stream, headers, node, calls)
  })
  const http1 = createHttpServer((request, response) => {
    serveHttp(request, response, node).catch(() => response.destroy())
  })
  const net = createNetServer({ noDelay: true }, socket => {
    for (const set of [sockets, undecided]) set.add(socket)
    socket.on('close', () => {
      for (const set of [sockets, undecided]) set.delete(socket)
    })
    socket.on('error', error => log.debug({ err: error }, 'connection ended with an error'))
    socket.once('readable', () => {
      undecided.delete(socket)
      hand(socket, http2, http1)
    })
  })
  await new Promise<void>((resolve, reject) => {
    net.once('error', reject)
    net.listen(port, host, resolve)
  })
  node.identity.port = (net.address() as AddressInfo).port
  return {
    port: node.identity.port,
    async close() {
      const closed = new Promise(resolve => net.close(resolve))
      await committer.flush().catch(() => {})
      for (const call of [...calls]) call.fail(new GrpcError(Status.unavailable, 'The server is shutting down'))
      for (const session of sessions) session.close()
      const patience = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, CLOSE_PATIENCE_MS)
      http1.closeAllConnections()
      for (const socket of undecided) socket.destroy()
      await closed
      clearTimeout(patience)
    },
  }
}

/** Hands a connection to the server that understands its first bytes. */
function hand(socket: Socket, http2: Http2Server, http1: Server): void {
  const start: Buffer | null = socket.read()
  if (start === null) {
    socket.destroy()
    return
  }
  socket.unshift(start)
  // No method that is served here begins like the preface but POST, and that differs in the second byte.
  const isHttp2 = HTTP2_PREFACE_START.subarray(0, start.length).equals(start.subarray(0, HTTP2_PREFACE_START.length))
  const server = isHttp2 ? http2 : http1
  server.emit('connection', socket)
}

/** Pings a new connection as long as it lasts, and closes it when the client does not answer. */
function welcome(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>): void {
  sessions.add(session)
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  let silentSince: number | undefined
  const timer = setInterval(() => {
    if (silentSince !== undefined && Date.now() - silentSince > PING_PATIENCE_MS) return session.destroy()
    if (session.destroyed) return
    silentSince ??= Date.now()
    session.ping(error => {
      if (!error) silentSince = undefined
    })
  }, PING_MS)
  timer.unref()
  session.on('error', () => {})
  session.on('close', () => {
    clearInterval(timer)
    sessions.delete(session)
  })
}

function serveStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, node: StoreNode, calls: Set<Call>): void {
  const path = String(headers[constants.HTTP2_HEADER_PATH])
  const isGrpc = headers['content-type']?.startsWith('application/grpc') === true
  const handler = isGrpc ? handlerOf(path) : undefined
  if (handler === undefined) {
    servePage(stream, isGrpc ? 'GET' : String(headers[constants.HTTP2_HEADER_METHOD]), isGrpc ? '/404' : path)
    return
  }
  const call = new Call(stream, headers)
  const { session } = stream
  if (session) call.onAbandoned = bytes => retireWhenWorn(session, bytes)
  calls.add(call)
  stream.on('close', () => calls.delete(call))
  try {
    handler(call, node)
  } catch (error) {
    call.fail(error)
  }
}

function servePage(stream: ServerHttp2Stream, method: string, path: string): void {
  stream.on('error', () => {})
  stream.resume()
  const { status, headers, body } = page(method, path)
  const hasBody = body !== '' && method !== 'HEAD'
  stream.respond({ ':status': status, ...headers }, { endStream: !hasBody })
  if (hasBody) stream.end(body)
}

const abandonedBytes = new WeakMap<Http2Session, number>()

/** Counts what was abandoned on a connection; once it is too much, no call but those under way is served on it. */
function retireWhenWorn(session: Http2Session, bytes: number): void {
  const before = abandonedBytes.get(session) ?? 0
  abandonedBytes.set(session, before + bytes)
  if (before <= ABANDONED_BYTES_MAX && before + bytes > ABANDONED_BYTES_MAX && !session.destroyed)
    session.goaway(constants.NGHTTP2_NO_ERROR)
}

function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    action()
  }
}
