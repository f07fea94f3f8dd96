/** The plain HTTP side: whether the server is alive, what it is, and a way to append. Reads go over gRPC alone. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Store } from '../log/store.ts'
import { type HttpAnswer, httpAnswer } from './http-answer.ts'
import { postEvents, streamOfPath } from './http-append.ts'
import { SERVER_VERSION } from './node-info.ts'
import { existingHead } from './reads.ts'
import type { StoreNode } from './services.ts'

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' }

const INFO = {
  esVersion: SERVER_VERSION,
  state: 'leader',
  features: { projections: false, userManagement: false, atomPub: false },
  authentication: { type: 'insecure', properties: null },
}

/** Persistent subscriptions: lists, infos, groups, and what can be done with them. */
const SUBSCRIPTIONS = /^\/subscriptions(\/|$)/
const NO_SUBSCRIPTIONS =
  'Persistent subscriptions are not part of the embedded event store; a real EventStoreDB has them.'

const PING = { text: 'Ping request successfully handled', msgTypeId: 123, label: 'Http' }

/** Answers HTTP/1.1: the pages, and what concerns a stream. */
export async function serveHttp(request: IncomingMessage, response: ServerResponse, node: StoreNode): Promise<void> {
  const method = request.method ?? 'GET'
  const path = request.url ?? '/'
  const stream = streamOfPath(path)
  let answer: HttpAnswer
  if (stream === undefined) answer = page(method, path)
  else if (method === 'POST') answer = await postEvents(request, stream, node.committer)
  else answer = feed(stream, node.store)
  request.resume()
  const { status, headers, body, reason } = answer
  if (reason !== undefined) response.statusMessage = reason
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }) })
  response.end(method === 'HEAD' ? undefined : body)
}

/** The answer of a page; 404 for a path without one. */
export function page(method: string, path: string): HttpAnswer {
  const isRead = method === 'GET' || method === 'HEAD'
  const [route = '/'] = path.split('?')
  if (SUBSCRIPTIONS.test(route)) return { ...httpAnswer(501, NO_SUBSCRIPTIONS), reason: NO_SUBSCRIPTIONS }
  if (route === '/health/live')
    return isRead ? httpAnswer(204) : { ...httpAnswer(405), headers: { allow: 'GET, HEAD' } }
  const content = route === '/info' ? INFO : route === '/ping' ? PING : undefined
  if (content === undefined) return httpAnswer(404)
  return isRead ? { status: 200, headers: JSON_HEADERS, body: JSON.stringify(content) } : httpAnswer(405)
}

/** Says whether a stream is there; its feed is not served. */
function feed(stream: string, store: Store): HttpAnswer {
  try {
    if (existingHead(store, stream) === undefined) return httpAnswer(404)
  } catch {
    return httpAnswer(410)
  }
  return httpAnswer(501, 'Feeds are not part of the embedded event store; a real EventStoreDB has them.')
}
