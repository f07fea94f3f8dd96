/** So many requests over HTTP: how fast they were answered, and what that took of CPU. */
import { randomUUID } from 'node:crypto'
import autocannon from 'autocannon'
import { cpuSeconds } from './cpu.ts'
import { type Figure, paired } from './figure.ts'

const CONNECTIONS = 64
/** autocannon sees the end of its requests when it samples: so precise is the time that they took. */
const SAMPLE_MS = 10

export type Side = {
  readonly url: string
  /** The processes whose CPU counts. */
  readonly pids: readonly number[]
  readonly pathOf: (n: number) => string
  readonly token?: string
  readonly body: string | ((n: number) => string)
  readonly connections?: number
  /** Things done by one request; 1 by default. */
  readonly each?: number
}

export type Measured = { readonly perSecond: number; readonly cpuMs: number }

/** Sends the requests and answers things done a second, and CPU milliseconds of each. Any refusal is an error. */
export async function sendMany(side: Side, requests: number): Promise<Measured> {
  const { url, pids, pathOf, token, body, connections = CONNECTIONS, each = 1 } = side
  const before = cpuSeconds(pids)
  let n = 0
  const setupRequest = (request: autocannon.Request): autocannon.Request => {
    const place = n++
    const headers = { ...request.headers, 'idempotency-key': randomUUID() }
    return { ...request, headers, path: pathOf(place), body: typeof body === 'string' ? body : body(place) }
  }
  const { non2xx, errors, duration } = await autocannon({
    url,
    connections,
    amount: requests,
    sampleInt: SAMPLE_MS,
    method: 'POST',
    headers: { ...(token && { authorization: `Bearer ${token}` }), 'content-type': 'application/json' },
    requests: [{ setupRequest }],
  } as autocannon.Options)
  if (non2xx > 0 || errors > 0) throw new Error(`${url}: ${non2xx} refused, ${errors} failed`)
  const things = requests * each
  return { perSecond: things / duration, cpuMs: ((cpuSeconds(pids) - before) * 1000) / things }
}

type Pair = { readonly ours: () => Promise<Measured>; readonly bare: () => Promise<Measured> }

/** Two figures of the same rounds, in turns and each side first in every other one: rate, and CPU. */
export async function rateAndCpu(name: string, { ours, bare }: Pair, rounds: number): Promise<Figure[]> {
  const measured: { ours: Measured; bare: Measured }[] = []
  for (let round = -1; round < rounds; round++) {
    const first = round % 2 === 0 ? await ours() : undefined
    const other = await bare()
    const pair = { ours: first ?? (await ours()), bare: other }
    if (round >= 0) measured.push(pair)
  }
  const by = (of: (one: Measured) => number) => measured.map(pair => ({ value: of(pair.ours), bare: of(pair.bare) }))
  return [
    paired(
      `${name}_per_second`,
      '1/s',
      by(({ perSecond }) => perSecond),
    ),
    paired(
      `${name}_cpu`,
      'ms',
      by(({ cpuMs }) => cpuMs),
    ),
  ]
}
