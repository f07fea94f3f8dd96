/** One process behind the gateway: how it is asked, and when it is not asked for a while. */
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, request as send } from 'node:http'
import type { Writable } from 'node:stream'
import { urlToHttpOptions } from 'node:url'
import {
  BrokenCircuitError,
  BulkheadRejectedError,
  bulkhead,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  wrap,
} from 'cockatiel'
import { KogiError } from '../../domain/kernel/errors.ts'
import { httpError } from '../http/errors.ts'

/** Failures in a row after which it is not asked, and how long. */
const FAILURES = 5
const REST_MS = 5_000
const FREE_SOCKETS_MAX = 1_024
/** One org or address may have this part of the places at once. */
const SHARE = 4

type Asked = {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** Sends the body. */
  readonly body: (to: Writable) => void
  /** Where the body comes from. */
  readonly request: IncomingMessage
  /** Where the answer goes: once that is gone, nothing more is asked for. */
  readonly response: ServerResponse
  /** Who asks: an org, or an address. */
  readonly by: string
}

export type Upstream = {
  readonly url: string
  readonly timeoutMs: number
  /**
   * Resolves with the head of the answer. Where there is none it throws `engine_unavailable`, `too_many_requests`, or
   * `request_timeout` for a body that stopped coming.
   */
  readonly ask: (asked: Asked) => Promise<IncomingMessage>
  readonly isOpen: () => boolean
  readonly close: () => void
}

type Options = { readonly url: string; readonly timeoutMs: number; readonly atOnce: number }

/**
 * An answer of any status is no failure: it is the answer. A process that does not answer is asked again after a rest;
 * requests of other processes do not wait for it.
 */
export function upstream({ url, timeoutMs, atOnce }: Options): Upstream {
  const { hostname, port } = urlToHttpOptions(new URL(url))
  const agent = new Agent({ keepAlive: true, maxFreeSockets: FREE_SOCKETS_MAX })
  // What is wrong with a request says nothing of the process.
  const failures = handleWhen(error => !(error instanceof KogiError))
  const breaker = circuitBreaker(failures, { halfOpenAfter: REST_MS, breaker: new ConsecutiveBreaker(FAILURES) })
  const policy = wrap(bulkhead(atOnce, atOnce), breaker)

  const places = placesOf(Math.max(2, Math.ceil(atOnce / SHARE)))

  const head = ({ method, path, headers, body, request, response }: Asked): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      if (response.destroyed) return reject(hasLeft())
      const sent = send({ agent, hostname, port, method, path, headers })
      let isUnderWay = true
      // It runs from the last bytes of the client: how long an upload takes says nothing of the process.
      const timer = setTimeout(() => {
        const isClients = !request.complete && sent.socket?.connecting === false && !sent.writableNeedDrain
        sent.destroy(isClients ? httpError('request_timeout') : new Error(`no answer in ${timeoutMs} ms`))
      }, timeoutMs)
      const later = () => isUnderWay && timer.refresh()
      const over = () => {
        isUnderWay = false
        clearTimeout(timer)
      }
      request.on('data', later)
      request.once('end', later)
      response.once('close', () => {
        if (!response.writableFinished) sent.destroy()
      })
      sent.once('close', over)
      sent.once('response', answer => {
        over()
        resolve(answer)
      })
      // A client that left says nothing of the process.
      sent.on('error', error => reject(response.destroyed ? hasLeft() : error))
      body(sent)
    })

  return {
    url,
    timeoutMs,
    async ask(asked) {
      places.enter(asked.by)
      try {
        return await policy.execute(() => head(asked))
      } catch (error) {
        throw asAway(error)
      } finally {
        places.leave(asked.by)
      }
    },
    isOpen: () => breaker.state !== CircuitState.Open,
    close: () => agent.destroy(),
  }
}

/** Counts the requests of each org or address that are at work or wait. Throws `too_many_requests`. */
function placesOf(most: number) {
  const taken = new Map<string, number>()
  return {
    enter(by: string) {
      const before = taken.get(by) ?? 0
      if (before >= most) throw new KogiError('too_many_requests', 'Too many of your requests wait.')
      taken.set(by, before + 1)
    },
    leave(by: string) {
      const left = taken.get(by)! - 1
      if (left > 0) taken.set(by, left)
      else taken.delete(by)
    },
  }
}

const hasLeft = () => new KogiError('engine_unavailable', 'The client has left.')

function asAway(error: unknown): KogiError {
  if (error instanceof KogiError) return error
  if (error instanceof BulkheadRejectedError) return new KogiError('too_many_requests', 'Too many requests wait.')
  const why = error instanceof BrokenCircuitError ? 'has not answered for a while' : 'does not answer'
  return new KogiError('engine_unavailable', `A process behind the gateway ${why}.`, [], { cause: error })
}
