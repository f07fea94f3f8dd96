/** One process behind the gateway: how it is asked, and when it is not asked for a while. */
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse, request as send } from 'node:http'
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

/** Failures in a row after which it is not asked, and how long. */
const FAILURES = 5
const REST_MS = 5_000
const SOCKETS_MAX = 1_024

type Asked = {
  readonly method: string
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** Sends the body. */
  readonly body: (to: NodeJS.WritableStream) => void
  /** Where the answer goes: once that is gone, nothing more is asked for. */
  readonly response: ServerResponse
}

export type Upstream = {
  readonly url: string
  /** Resolves with the head of the answer. Throws `engine_unavailable` or `too_many_requests` where there is none. */
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
  const { hostname, port } = new URL(url)
  const agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX, maxFreeSockets: SOCKETS_MAX })
  // What is wrong with a request says nothing of the process.
  const failures = handleWhen(error => !(error instanceof KogiError))
  const breaker = circuitBreaker(failures, { halfOpenAfter: REST_MS, breaker: new ConsecutiveBreaker(FAILURES) })
  const policy = wrap(bulkhead(atOnce, atOnce), breaker)

  const head = ({ method, path, headers, body, response }: Asked): Promise<IncomingMessage | undefined> =>
    new Promise((resolve, reject) => {
      const sent = send({ agent, hostname, port, method, path, headers })
      const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs)
      if (response.destroyed) sent.destroy()
      response.once('close', () => {
        if (!response.writableFinished) sent.destroy()
      })
      sent.once('response', answer => {
        clearTimeout(timer)
        resolve(answer)
      })
      sent.once('error', error => {
        clearTimeout(timer)
        // A client that left says nothing of the process.
        if (response.destroyed) resolve(undefined)
        else reject(error)
      })
      body(sent)
    })

  return {
    url,
    async ask(asked) {
      try {
        const answer = await policy.execute(() => head(asked))
        if (answer) return answer
      } catch (error) {
        throw asAway(error)
      }
      throw new KogiError('engine_unavailable', 'The client has left.')
    },
    isOpen: () => breaker.state !== CircuitState.Open,
    close: () => agent.destroy(),
  }
}

function asAway(error: unknown): KogiError {
  if (error instanceof KogiError) return error
  if (error instanceof BulkheadRejectedError) return new KogiError('too_many_requests', 'Too many requests wait.')
  const why = error instanceof BrokenCircuitError ? 'has not answered for a while' : 'does not answer'
  return new KogiError('engine_unavailable', `A process behind the gateway ${why}.`, [], { cause: error })
}
