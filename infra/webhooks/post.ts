/**
 * Posts to endpoints of others: to addresses that are allowed alone, once, and not for long. The name is resolved
 * before, all its addresses are checked, and the connection goes to these: another answer of the name servers between
 * the check and the connection changes nothing. Redirects are answers like others.
 */
import { lookup as resolve } from 'node:dns/promises'
import http from 'node:http'
import https from 'node:https'
import { type BlockList, isIP } from 'node:net'
import { isIn, isPublic } from './addresses.ts'

/** Time for everything, from the name to the last byte that is read. */
const TIMEOUT_MS = 10_000
/** What is read of an answer; the connection is cut behind it. */
const ANSWER_BYTES_MAX = 256 * 1024

type Address = { readonly address: string; readonly family: number }

/**
 * What became of a post: the status of the answer, or why there was none. `retryAfterMs`: for how long the receiver
 * asks to be left alone.
 */
export type Posted = {
  readonly status?: number
  readonly failure?: string
  readonly latencyMs: number
  readonly retryAfterMs?: number
}

type Answer = { readonly status: number; readonly retryAfter: string | undefined }

export type Post = (url: string, headers: Readonly<Record<string, string>>, body: string) => Promise<Posted>

export type PostOptions = {
  /** Networks of special purposes that may be reached nevertheless, by plain http as well. */
  readonly networks: BlockList
  readonly timeoutMs?: number
  /** Finds the addresses of a name. */
  readonly addressesOf?: (name: string) => Promise<readonly Address[]>
}

/** A failure that has a name of its own. */
class PostError extends Error {
  override readonly name = 'PostError'
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Makes a post. It never throws: what goes wrong is its outcome. */
export function poster({ networks, timeoutMs = TIMEOUT_MS, addressesOf = resolved }: PostOptions): Post {
  const checked = async ({ protocol, hostname }: URL): Promise<readonly Address[]> => {
    const name = hostname.replace(/^\[|\]$/g, '')
    const family = isIP(name)
    const addresses = family === 0 ? await addressesOf(name) : [{ address: name, family }]
    const isListed = addresses.every(({ address }) => isIn(networks, address))
    const isAllowed = addresses.every(({ address }) => isIn(networks, address) || isPublic(address))
    if (addresses.length === 0) throw new PostError('name_unknown')
    if (!isAllowed) throw new PostError('address_refused')
    if (protocol !== 'https:' && !isListed) throw new PostError('https_needed')
    return addresses
  }
  return async (url, headers, body) => {
    const begun = performance.now()
    const latencyMs = () => Math.round(performance.now() - begun)
    const signal = AbortSignal.timeout(timeoutMs)
    try {
      const target = new URL(url)
      const addresses = await until(signal, checked(target))
      const { status, retryAfter } = await send(target, addresses, headers, body, signal)
      const isSuccess = status >= 200 && status < 300
      if (isSuccess) return { status, latencyMs: latencyMs() }
      const retryAfterMs = retryAfterOf(retryAfter, Date.now())
      return { status, failure: 'status', latencyMs: latencyMs(), ...(retryAfterMs !== undefined && { retryAfterMs }) }
    } catch (error) {
      return { failure: signal.aborted ? 'timeout' : failureOf(error), latencyMs: latencyMs() }
    }
  }
}

const resolved = (name: string): Promise<readonly Address[]> => resolve(name, { all: true })

/** The promise, or a rejection when the signal aborts: a name server cannot be hurried. */
const until = <T>(signal: AbortSignal, promise: Promise<T>): Promise<T> =>
  new Promise((done, failed) => {
    signal.addEventListener('abort', () => failed(signal.reason), { once: true })
    promise.then(done, failed)
  })

/** The pause that a `Retry-After` field asks for, in seconds or as a date (RFC 9110, 10.2.3); none for other texts. */
export function retryAfterOf(field: string | undefined, now: number): number | undefined {
  const text = field?.trim() ?? ''
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1_000
  const until = HTTP_DATE.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(until) ? undefined : Math.max(0, until - now)
}

/** `Sun, 06 Nov 1994 08:49:37 GMT`: the one form of dates that senders may write (RFC 9110, 5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** The answer, once it has ended or enough of it was read. */
const send = (
  url: URL,
  addresses: readonly Address[],
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Answer> =>
  new Promise((done, failed) => {
    const { request } = url.protocol === 'https:' ? https : http
    const lookup: http.RequestOptions['lookup'] = (_, { all }, found) => {
      const [{ address, family }] = addresses as [Address]
      if (all) found(null, [...addresses])
      else found(null, address, family)
    }
    const length = Buffer.byteLength(body)
    const sent = request(url, {
      method: 'POST',
      agent: false,
      lookup,
      signal,
      headers: { ...headers, 'content-length': length },
    })
    sent.on('error', failed)
    sent.on('response', answer => {
      const end = () => {
        done({ status: answer.statusCode!, retryAfter: answer.headers['retry-after'] })
        sent.destroy()
      }
      let bytes = 0
      answer.on('error', failed)
      answer.on('end', end)
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) end()
      })
    })
    sent.end(body)
  })

/** Names of failures, by the beginnings of the codes of errors. */
const FAILURES: readonly (readonly [code: RegExp, failure: string])[] = [
  [/^HPE_/, 'answer_invalid'],
  [/^(ENOTFOUND|EAI_|ENODATA)/, 'name_unknown'],
  [/^(ERR_TLS|ERR_SSL|CERT|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO)/, 'tls_failed'],
]

function failureOf(error: unknown): string {
  if (error instanceof PostError) return error.code
  const code = String((error as { readonly code?: unknown }).code ?? '')
  return FAILURES.find(([form]) => form.test(code))?.[1] ?? 'connection_failed'
}
