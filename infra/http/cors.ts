import type { IncomingHttpHeaders } from 'node:http'

const EXPOSED =
  'ETag, Kogi-Position, Kogi-Next, Location, Idempotency-Key, X-Correlation-Id, Retry-After, ' +
  'RateLimit, RateLimit-Policy, Deprecation, Sunset'
const ALLOWED =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Kogi-Min-Position, X-Correlation-Id'
const PREFLIGHT_MAX_AGE_SECONDS = '600'

/** Headers that let the pages of some origins read the answers, by the request's own headers. */
export type Cors = (headers: IncomingHttpHeaders) => Readonly<Record<string, string>> | undefined

/** Makes the CORS policy for a list of origins. Credentials are never allowed: tokens travel in a header. */
export function createCors(origins: readonly string[]): Cors {
  if (origins.length === 0) return () => undefined
  const any = origins.includes('*')
  return headers => {
    const { origin } = headers
    if (origin === undefined || !(any || origins.includes(origin))) return VARIES
    const allowed = { Vary: 'Origin', 'Access-Control-Allow-Origin': any ? '*' : origin }
    return { ...allowed, 'Access-Control-Expose-Headers': EXPOSED }
  }
}

/** Headers of the answer to a preflight, beside those of `Cors`. */
export function preflightHeaders(methods: string): Record<string, string> {
  return {
    'Access-Control-Allow-Methods': methods,
    'Access-Control-Allow-Headers': ALLOWED,
    'Access-Control-Max-Age': PREFLIGHT_MAX_AGE_SECONDS,
  }
}

const VARIES = Object.freeze({ Vary: 'Origin' })
