import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Store } from '../log/store.ts'
import { postEvents, streamOfPath } from './http-append.ts'
import { existingHead } from './reads.ts'
import { SERVER_VERSION, type Server } from './services.ts'

/** The plain HTTP side: is it alive, what is it, and a door for events. Everything else goes over gRPC. */

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }

export function httpAnswer(method: string, path: string): HttpAnswer {
  const isRead = method === 'GET' || method === 'HEAD'
  const [route] = path.split('?')
  if (route === '/health/live') return isRead ? plain(204) : { ...plain(405), headers: { allow: 'GET, HEAD' } }
  const page = route === '/info' ? INFO : route === '/ping' ? PING : undefined
  if (page === undefined) return plain(404)
  return isRead ? { status: 200, headers: JSON_HEADERS, body: JSON.stringify(page) } : plain(405)
}

/** Answers HTTP/1.1: the pages above, and what concerns a stream. */
export async function serveHttp(request: IncomingMessage, response: ServerResponse, server: Server): Promise<void> {
  const method = request.method ?? 'GET'
  const stream = streamOfPath(request.url ?? '/')
  const answer =
    stream === undefined
      ? httpAnswer(method, request.url ?? '/')
      : method === 'POST'
        ? await postEvents(request, stream, server.writer)
        : feed(stream, server.store)
  request.resume()
  const { status, headers, body } = answer
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }) })
  response.end(method === 'HEAD' ? undefined : body)
}

/** Whether a stream is there; its feed is another matter. */
function feed(stream: string, store: Store): HttpAnswer {
  try {
    if (existingHead(store, stream) === undefined) return plain(404)
  } catch {
    return plain(410)
  }
  return { ...plain(501), body: 'Feeds are not part of the embedded event store; a real EventStoreDB has them.' }
}

function plain(status: number): HttpAnswer {
  return { status, headers: {}, body: '' }
}

const INFO = {
  esVersion: SERVER_VERSION,
  state: 'leader',
  features: { projections: false, userManagement: false, atomPub: false },
  authentication: { type: 'insecure', properties: null },
}

const PING = { text: 'Ping request successfully handled', msgTypeId: 123, label: 'Http' }
