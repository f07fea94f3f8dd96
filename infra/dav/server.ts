/**
 * CalDAV (RFC 4791) and CardDAV (RFC 6352) for calendars and contact books, enough for clients that synchronize:
 * OPTIONS, PROPFIND, REPORT (multiget and query), GET, PUT, DELETE, MKCALENDAR and MKCOL. Each is an operation of the
 * API, with the caller's permissions; the password of Basic authentication is an API key or a token.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Principal, Route } from '../../domain/kernel/route.ts'
import type { Admit } from '../access/admission.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { mustAllow } from '../auth/permissions.ts'
import { answerTo } from '../http/errors.ts'
import { ACTS, type Answer, type Call, DAV_BASE, partsOf, Status } from './acts.ts'
import { xmlText } from './xml.ts'

const BODY_BYTES_MAX = 8 * 1024 * 1024
const METHODS = 'OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, REPORT, MKCALENDAR, MKCOL'
const DAV_HEADER = '1, 3, calendar-access, addressbook'

type Deps = {
  readonly routes: readonly Route[]
  readonly authenticate: Authenticate
  /** Refuses what the installation does not take at the moment. */
  readonly admit: Admit
  /** Told of what is no client's fault. */
  readonly onFault: (error: unknown) => void
}

/** Answers requests below `DAV_BASE`, and where clients look for it (RFC 6764). */
export function davServer({ routes, authenticate, admit, onFault }: Deps) {
  const byName = new Map(routes.map(route => [route.operationId, route]))
  const callerOf = (principal: Principal): Call => {
    return async (operation, { headers = {}, ...parts }) => {
      const route = byName.get(operation)!
      if (route.permission !== null && route.permission !== 'signed in') mustAllow(principal, route.permission)
      await admit(route)
      const header = (name: string) => (headers as Record<string, string | undefined>)[name]
      const shared = { principal, params: {}, query: {}, body: undefined, correlationId: randomUUID() }
      return route.handle({ ...shared, signal: AbortSignal.timeout(60_000), header, ...parts } as ApiRequest)
    }
  }
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, headers = {}, body = '' } = await answer(request).catch(error => failure(error, onFault))
    const type = body === '' ? {} : { 'Content-Type': 'application/xml; charset=utf-8' }
    response.writeHead(status, { DAV: DAV_HEADER, ...type, ...headers, 'Content-Length': Buffer.byteLength(body) })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async function answer(request: IncomingMessage): Promise<Answer> {
    const { method = 'GET', headers } = request
    if (method === 'OPTIONS') return { status: 200, headers: { Allow: METHODS } }
    const principal = await authenticate(bearerOf(headers.authorization))
    const body = await bytesOf(request)
    const path = request.url!.split('?')[0]!.slice(DAV_BASE.length)
    const asked = { method, parts: partsOf(path), principal, headers, body }
    const act = ACTS[method]
    if (!act) return { status: 405, headers: { Allow: METHODS } }
    return act(asked, callerOf(principal))
  }
}

/** Basic authentication carries a key or a token as its password. */
function bearerOf(authorization: string | undefined): string | undefined {
  const [, basic] = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? '') ?? []
  if (basic === undefined) return authorization
  const text = Buffer.from(basic, 'base64').toString()
  return `Bearer ${text.slice(text.indexOf(':') + 1)}`
}

function failure(error: unknown, onFault: (error: unknown) => void): Answer {
  if (error instanceof Status) return { status: error.status, body: errorXml(error.message) }
  const { status, message, details, retryAfterSeconds: later } = answerTo(error)
  if (status >= 500 && !(error instanceof KogiError)) onFault(error)
  const about = details.map(({ field, message: what }) => `${field} ${what}`).join('; ')
  const challenge = status === 401 ? { 'WWW-Authenticate': 'Basic realm="Kogi", charset="UTF-8"' } : {}
  const headers = { ...challenge, ...(later !== undefined && { 'Retry-After': String(later) }) }
  return { status: status === 422 ? 409 : status, headers, body: errorXml(`${message} ${about}`.trim()) }
}

function errorXml(message: string): string {
  const said = `<D:responsedescription>${xmlText(message)}</D:responsedescription>`
  return `<?xml version="1.0" encoding="utf-8"?>\n<D:error xmlns:D="DAV:">${said}</D:error>\n`
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += (chunk as Buffer).length
    if (size > BODY_BYTES_MAX) throw new Status(413, `The body is larger than ${BODY_BYTES_MAX} bytes.`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
