/** What the parser lets through although the interface cannot be sure what is meant. */
import type { IncomingMessage } from 'node:http'
import type { KogiError } from '../../domain/kernel/errors.ts'
import { httpError } from './errors.ts'

/** Headers that a request may carry once: of two, a proxy before us may have gone by the other one. */
const SINGLE: ReadonlyMap<string, string> = new Map(
  [
    'Host',
    'Authorization',
    'Content-Type',
    'Content-Length',
    'Content-Encoding',
    'Transfer-Encoding',
    'Idempotency-Key',
    'Kogi-Min-Position',
    'X-Correlation-Id',
  ].map(name => [name.toLowerCase(), name]),
)
/** A host with an optional port, as a URL has it, or nothing (RFC 9110, 7.2). */
const HOST = /^[\w.~!$&'()*+,;=%:[\]-]*$/

/** Why a request is refused before anything looks at it: its framing, its host, a header that came twice. */
export function faultOf(request: IncomingMessage): KogiError | undefined {
  const { headers, rawHeaders, httpVersionMinor } = request
  const twice = Object.keys(headers).length < rawHeaders.length / 2 ? repeated(rawHeaders) : undefined
  if (twice) return malformed(twice, 'came more than once')
  if (headers.host === undefined && httpVersionMinor > 0) return malformed('Host', 'must be given')
  if (headers.host !== undefined && !HOST.test(headers.host)) return malformed('Host', 'must be a host and a port')
  const coding = headers['transfer-encoding']
  if (coding !== undefined) {
    const details = [{ field: 'Transfer-Encoding', message: 'must be chunked' }]
    if (coding.trim().toLowerCase() !== 'chunked') return httpError('transfer_coding_unsupported', details)
    if (httpVersionMinor === 0) return malformed('Transfer-Encoding', 'does not exist in HTTP/1.0')
  }
  const { expect } = headers
  if (expect === undefined || expect.toLowerCase() === '100-continue') return undefined
  return httpError('expectation_failed', [{ field: 'Expect', message: 'must be 100-continue' }])
}

/** The first header that came more than once and may not. */
function repeated(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (SINGLE.has(name) && seen.has(name)) return SINGLE.get(name)
    seen.add(name)
  }
  return undefined
}

const ABSOLUTE = /^https?:\/\/[^/?#]*/i

/**
 * The target of a request as a path and a query. A client may send a whole URL, as it does to a proxy; which host it
 * names says nothing here (RFC 9112, 3.2.2).
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(ABSOLUTE, '')
  return rest.startsWith('/') || rest === target ? rest : `/${rest}`
}

const malformed = (field: string, message: string) =>
  httpError('invalid_request', [{ field, message }], `This is not a well-formed HTTP request: ${field} ${message}.`)
