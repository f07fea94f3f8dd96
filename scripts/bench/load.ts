/** Load over HTTP for a while, and what came of it in a second. */
import { randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import type { Running } from '../running.ts'
import { type Figure, paired } from './figure.ts'

const CONNECTIONS = 64
const ROUNDS = 5
export const ROUND_SECONDS = 3
export const WARM_UP_SECONDS = 1

/** A figure from two sides: the work `of` one against the work that it is measured `against`. */
export type Pair<S extends string> = { readonly name: string; readonly of: S; readonly against: S }

/** All sides in turns, so that what else the machine does falls on each; the first round warms up. */
export async function pairedRounds<S extends string>(
  sides: Readonly<Record<S, () => Promise<number>>>,
  pairs: readonly Pair<S>[],
): Promise<Figure[]> {
  const rounds: Record<S, number>[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = {} as Record<S, number>
    for (const side of Object.keys(sides) as S[]) measured[side] = await sides[side]()
    process.stderr.write(`  ${round === 0 ? 'warmed up' : `round ${round} of ${ROUNDS}`}\n`)
    if (round > 0) rounds.push(measured)
  }
  return pairs.map(({ name, of, against }) =>
    paired(
      name,
      '1/s',
      rounds.map(round => ({ value: round[of], bare: round[against] })),
    ),
  )
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
