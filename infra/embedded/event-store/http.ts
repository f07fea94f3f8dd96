import type { IncomingMessage, ServerResponse } from 'node:http'
import { SERVER_VERSION } from './services.ts'

/** The plain HTTP side: is it alive, what is it. Everything else about the store goes over gRPC. */

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

export function serveHttp(request: IncomingMessage, response: ServerResponse): void {
  request.resume()
  const { status, headers, body } = httpAnswer(request.method ?? 'GET', request.url ?? '/')
  response.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }) })
  response.end(request.method === 'HEAD' ? undefined : body)
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
