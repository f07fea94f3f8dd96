import { createServer as createHttpServer } from 'node:http'
import {
  constants,
  createServer as createHttp2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, createServer as createNetServer, type Socket } from 'node:net'
import type { Logger } from 'pino'
import type { Store } from '../log/store.ts'
import { Call, GrpcError, Status } from '../wire/call.ts'
import type { Writer } from '../write/committer.ts'
import { httpAnswer, serveHttp } from './http.ts'
import { handlerOf, newInstanceId, type Server } from './services.ts'

/** The settings that a real server announces. */
const SETTINGS = {
  maxConcurrentStreams: 100,
  initialWindowSize: 786_432,
  maxFrameSize: 16_384,
  maxHeaderListSize: 32_768,
}
/** Of one connection, all its calls together: appends of several megabytes must not wait for window updates. */
const CONNECTION_WINDOW_BYTES = 4 * 1024 * 1024
/**
 * Of one connection; beyond it, new calls are refused. Every call may have a quarter of a megabyte under way, and Node
 * never stops counting what a cancelled one had: so as much as its 32 bits hold.
 */
const SESSION_MEMORY_MB = 4000
/** Cancelled calls had so much under way: the client is asked to connect anew, before the above refuses its calls. */
const ABANDONED_BYTES_MAX = 3e9
const PING_MS = 10_000
/** A connection that does not answer a ping is dead, or the machine at its other end is. */
const PING_PATIENCE_MS = 20_000
const HTTP2_PREFACE_START = 0x50 // 'P' of 'PRI * HTTP/2.0'; no other method that is served here begins so but POST.
const CLOSE_PATIENCE_MS = 500

export interface Listener {
  readonly port: number
  close(): Promise<void>
}

/** Listens with gRPC over plain HTTP/2 and a few pages of HTTP/1.1 on one port. */
export async function listen(options: {
  store: Store
  writer: Writer
  host: string
  port: number
  log: Logger
}): Promise<Listener> {
  const { store, writer, host, log } = options
  const calls = new Set<Call>()
  const sessions = new Set<ServerHttp2Session>()
  const sockets = new Set<Socket>()
  /** Connections that have not said anything yet. */
  const undecided = new Set<Socket>()
  const server: Server & { endpoint: { address: string; port: number } } = {
    store,
    writer,
    instanceId: newInstanceId(),
    endpoint: { address: host, port: options.port },
  }
  const credentials = warnOnce(() => log.warn('credentials were sent; the embedded event store ignores them'))
  const http2 = createHttp2Server({ settings: SETTINGS, maxSessionMemory: SESSION_MEMORY_MB })
  http2.on('session', session => welcome(session, sessions))
  http2.on('sessionError', error => log.debug({ err: error }, 'connection ended with an error'))
  http2.on('stream', (stream, headers) => {
    if (headers.authorization !== undefined) credentials()
    serveStream(stream, headers, server, calls)
  })
  const http1 = createHttpServer((request, response) => {
    serveHttp(request, response, server).catch(() => response.destroy())
  })
  const net = createNetServer({ noDelay: true }, socket => {
    sockets.add(socket)
    undecided.add(socket)
    socket.on('close', () => {
      sockets.delete(socket)
      undecided.delete(socket)
    })
    socket.on('error', error => log.debug({ err: error }, 'connection ended with an error'))
    socket.once('readable', () => {
      const start: Buffer | null = socket.read()
      undecided.delete(socket)
      if (start === null) {
        socket.destroy()
        return
      }
      socket.unshift(start)
      const isHttp2 = start[0] === HTTP2_PREFACE_START && (start.length === 1 || start[1] === 0x52)
      if (isHttp2) http2.emit('connection', socket)
      else http1.emit('connection', socket)
    })
  })
  await new Promise<void>((resolve, reject) => {
    net.once('error', reject)
    net.listen(options.port, host, resolve)
  })
  const port = (net.address() as AddressInfo).port
  server.endpoint.port = port
  return {
    port,
    async close() {
      const closed = new Promise(resolve => net.close(resolve))
      await writer.flush().catch(() => {})
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

function welcome(session: ServerHttp2Session, sessions: Set<ServerHttp2Session>): void {
  sessions.add(session)
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
  let silentSince: number | undefined
  const timer = setInterval(() => {
    if (silentSince !== undefined && Date.now() - silentSince > PING_PATIENCE_MS) return session.destroy()
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

const abandonedBytes = new WeakMap<Http2Session, number>()

/** Counts what was abandoned on a connection, and lets it end with the calls that it has once that is too much. */
function retireWhenWorn(session: Http2Session, bytes: number): void {
  const before = abandonedBytes.get(session) ?? 0
  abandonedBytes.set(session, before + bytes)
  if (before <= ABANDONED_BYTES_MAX && before + bytes > ABANDONED_BYTES_MAX && !session.destroyed)
    session.goaway(constants.NGHTTP2_NO_ERROR)
}

function serveStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, server: Server, calls: Set<Call>): void {
  const path = String(headers[constants.HTTP2_HEADER_PATH])
  const isGrpc = headers['content-type']?.startsWith('application/grpc') === true
  const handler = isGrpc ? handlerOf(path) : undefined
  if (handler === undefined) {
    stream.on('error', () => {})
    stream.resume()
    const method = String(headers[constants.HTTP2_HEADER_METHOD])
    const { status, headers: fields, body } = isGrpc ? httpAnswer('GET', '/404') : httpAnswer(method, path)
    stream.respond({ ':status': status, ...fields }, { endStream: body === '' || method === 'HEAD' })
    if (body !== '' && method !== 'HEAD') stream.end(body)
    return
  }
  const call = new Call(stream, headers)
  const { session } = stream
  if (session) call.onAbandoned = bytes => retireWhenWorn(session, bytes)
  calls.add(call)
  stream.on('close', () => calls.delete(call))
  try {
    handler(call, server)
  } catch (error) {
    call.fail(error)
  }
}

function warnOnce(warn: () => void): () => void {
  let warned = false
  return () => {
    if (warned) return
    warned = true
    warn()
  }
}
