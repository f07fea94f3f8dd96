/** Load over HTTP for a while, and what came of it in a second. */
import { randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import type { Running } from '../running.ts'
import { type Figure, paired } from './figure.ts'

const CONNECTIONS = 64
const ROUNDS = 5
export const ROUND_SECONDS = 3
export const WARM_UP_SECONDS = 1

type Sides = { readonly ours: () => Promise<number>; readonly bare: () => Promise<number> }

/** Ours and bare in turns, so that what else the machine does falls on both. */
export async function pairedRounds(name: string, sides: Sides): Promise<Figure> {
  const rounds: { value: number; bare: number }[] = []
  for (let round = -1; round < ROUNDS; round++) {
    const bare = await sides.bare()
    const value = await sides.ours()
    process.stderr.write(`  ${name}: ${round < 0 ? 'warm-up' : `round ${round + 1} of ${ROUNDS}`}\n`)
    if (round >= 0) rounds.push({ value, bare })
  }
  return paired(name, '1/s', rounds)
}

type Sent = { readonly token?: string; readonly body?: string }

/** Requests/s that were answered with 2xx; any other answer makes the measurement void. */
export async function load(url: string, method: 'GET' | 'POST', pathOf: (n: number) => string, { token, body }: Sent) {
  let n = 0
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: ROUND_SECONDS,
    warmup: { connections: CONNECTIONS, duration: WARM_UP_SECONDS },
    method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(body && { 'content-type': 'application/json' }),
    },
    ...(body && { body }),
    requests: [
      {
        setupRequest: request => ({
          ...request,
          path: pathOf(n++),
          ...(body && { headers: { ...request.headers, 'idempotency-key': randomUUID() } }),
        }),
      },
    ],
  } as autocannon.Options)
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${url}: ${result.non2xx} refused, ${result.errors} failed`)
  return result.requests.average
}

export async function call({ url }: Pick<Running, 'url'>, token: string, path: string, body: object): Promise<void> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`)
}
