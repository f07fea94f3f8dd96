import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { refuseLate } from './late-errors.ts'

/** An answer over HTTP. `body` is the parsed JSON, `undefined` where there was none. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  // biome-ignore lint/suspicious/noExplicitAny: answers of any route, looked into by tests alone
  readonly body: any
}

type Call = {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** A body that is sent as it is, for tests of bodies that are no JSON. */
  readonly raw?: string | Buffer
}

export type Client = {
  readonly call: (method: string, path: string, call?: Call) => Promise<Answer>
  readonly close: () => void
}

/** A keep-alive HTTP client for one base URL and token. */
export function client(base: string, token?: string, connections = 64): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port } = new URL(base)
  return {
    close: () => agent.destroy(),
    call: (method, path, { body, headers = {}, raw } = {}) =>
      new Promise((resolve, reject) => {
        refuseLate()
        const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
        const sent = request(
          {
            agent,
            hostname,
            port,
            method,
            path,
            headers: {
              ...(token && { authorization: `Bearer ${token}` }),
              ...(payload !== undefined && { 'content-type': 'application/json' }),
              ...(payload !== undefined && { 'content-length': Buffer.byteLength(payload) }),
              ...headers,
            },
          },
          answer => {
            if (String(answer.headers['content-type']).includes('event-stream')) {
              // An answer without an end: its head is all that is asked for.
              answer.destroy()
              resolve({ status: answer.statusCode!, headers: answer.headers, body: undefined })
              return
            }
            const chunks: Buffer[] = []
            answer.on('data', chunk => chunks.push(chunk))
            answer.on('error', reject)
            answer.on('end', () => {
              const text = Buffer.concat(chunks).toString('utf8')
              const json = String(answer.headers['content-type']).includes('json')
              resolve({
                status: answer.statusCode!,
                headers: answer.headers,
                body: text === '' ? undefined : json ? JSON.parse(text) : text,
              })
            })
          },
        )
        sent.on('error', reject)
        sent.end(payload)
      }),
  }
}

/** Runs `job` over all items, at most `lanes` at a time. The first failure ends it. */
export async function inLanes<T>(items: Iterable<T>, lanes: number, job: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]()
  const lane = async () => {
    for (let next = queue.next(); !next.done; next = queue.next()) await job(next.value)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

const PAUSE_MS = 50

/** Waits until a system is ready: its APIs answer before its projector has made the tables. */
export async function untilReady(url: string): Promise<void> {
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(PAUSE_MS)
}

/** Repeats a call until it is answered with a status; meanwhile an engine is away and the answer must be 503. */
export async function untilAnswered(status: number, call: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await call()
    if (answer.status === status) return answer
    expect(answer.status, JSON.stringify(answer.body)).to.equal(503)
    await sleep(PAUSE_MS)
  }
}
