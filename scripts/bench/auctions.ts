/** Bids of many clients on one auction: how many are decided in a second, and whether the end is that of a replay. */
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { proxyPrice, type Standing, withMaximum } from '../../domain/exchange/auction/price.ts'
import { kogi, startKogi } from '../running.ts'
import { alone, type Figure } from './figure.ts'
import { call } from './load.ts'

const CLIENTS = 16
const BIDS = 10_000
const IN_BULK = 25
const START = 100n
const STEP = 5n

type Sent = {
  readonly maximum: string
  readonly status: number
  readonly revision?: string | undefined
  readonly bidder: string
}

/**
 * 10,000 bids of 16 bidders, each with bids of its own under way, on one auction: accepted or refused in a second, in
 * requests of one bid each and of 25. Throws where the auction does not end as the accepted bids, replayed in the order
 * of the log, say.
 */
export async function auctionBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-'))
  const dev = await startKogi(['dev', '--port', '0'], { KOGI_DATA_DIR: data })
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS * 4 })
  try {
    const tokenOf = (subject: string) =>
      kogi(['token', '--org', 'bench', '--subject', subject, '--role', 'team-lead'], { KOGI_DATA_DIR: data })
    const seller = await tokenOf('seller')
    const bidders = Array.from({ length: CLIENTS }, (_, n) => `bidder-${n}`)
    const tokens: string[] = []
    for (const bidder of bidders) tokens.push(await tokenOf(bidder))
    const figures: Figure[] = []
    for (const [name, size] of [
      ['warm', 1],
      ['auction_bids', 1],
      ['auction_bids_in_bulk', IN_BULK],
    ] as const) {
      await open(dev, seller, name)
      const began = performance.now()
      const send = (n: number, maxima: readonly bigint[]) =>
        post({ url: dev.url, agent, token: tokens[n]!, bidder: bidders[n]! }, name, maxima)
      const sent = (await Promise.all(bidders.map((_, n) => bidsOf(n, size, maxima => send(n, maxima))))).flat()
      const seconds = (performance.now() - began) / 1_000
      await mustEndAsReplayed(dev.url, seller, name, sent)
      if (name !== 'warm') figures.push(alone(name, sent.length / seconds, '1/s'))
    }
    return figures
  } finally {
    agent.destroy()
    await dev.stop()
    await rm(data, { recursive: true, force: true })
  }
}

async function open(dev: { readonly url: string }, token: string, id: string): Promise<void> {
  const terms = { format: 'english', title: 'Bench', currency: 'EUR', start: String(START) }
  const increments = [{ from: '0', step: String(STEP) }]
  await call(dev, token, '/kex/auctions', { id, ...terms, increments, ends_at: '2999-12-31T12:00:00.000Z' })
}

/** One bidder's bids: they rise over time with some noise, so that some are too low by then. */
async function bidsOf(n: number, size: number, send: (maxima: readonly bigint[]) => Promise<readonly Sent[]>) {
  const sent: Sent[] = []
  const each = BIDS / CLIENTS
  for (let at = 0; at < each; at += size) {
    const maxima = Array.from({ length: Math.min(size, each - at) }, (_, k) => {
      const nth = (at + k) * CLIENTS + n
      return START + BigInt(nth * 3) + BigInt((nth * 7_919) % 400)
    })
    sent.push(...(await send(maxima)))
  }
  return sent
}

type Client = { readonly url: string; readonly agent: Agent; readonly token: string; readonly bidder: string }

async function post(client: Client, id: string, maxima: readonly bigint[]): Promise<readonly Sent[]> {
  const [first] = maxima
  const bodies = maxima.map(maximum => ({ maximum: String(maximum) }))
  if (maxima.length === 1) {
    const { status, body } = await give(client, `/kex/auctions/${id}/bids`, bodies[0]!)
    return [{ maximum: String(first), status, revision: body.data?.revision, bidder: client.bidder }]
  }
  const { body } = await give(client, '/bulk', {
    commands: bodies.map((each, n) => ({
      command: 'auction.bid',
      id,
      key: `${client.bidder}-${first}-${n}`,
      body: each,
    })),
  })
  return body.data!.results.map(({ status, data }, n) => ({
    maximum: bodies[n]!.maximum,
    status,
    revision: data?.revision,
    bidder: client.bidder,
  }))
}

type Answer = {
  readonly data?: {
    readonly revision: string
    readonly results: readonly { readonly status: number; readonly data?: { readonly revision: string } }[]
  }
}

function give({ url, agent, token }: Client, to: string, body: object): Promise<{ status: number; body: Answer }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/v1${to}`, { method: 'POST', agent, headers }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part
      })
      answer.on('end', () => resolve({ status: answer.statusCode!, body: JSON.parse(text) as Answer }))
    })
    sent.on('error', reject)
    sent.end(JSON.stringify(body))
  })
}

/** Replays the accepted bids in the order of their revisions, and compares the leader and the price with the row. */
async function mustEndAsReplayed(url: string, token: string, id: string, sent: readonly Sent[]): Promise<void> {
  const odd = sent.find(({ status }) => status !== 201 && status !== 422)
  if (odd) throw new Error(`a bid was answered with ${odd.status}`)
  const taken = sent.filter(({ status }) => status === 201)
  const inOrder = taken.toSorted((a, b) => Number(BigInt(a.revision!) - BigInt(b.revision!)))
  const end = inOrder.reduce<Standing | undefined>(
    (standing, { bidder, maximum }) => withMaximum(standing, bidder, BigInt(maximum)),
    undefined,
  )!
  const price = String(proxyPrice(end, { start: START, increments: [{ from: 0n, step: STEP }] }))
  const headers = { authorization: `Bearer ${token}`, 'kogi-min-position': '0' }
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${url}/api/v1/kex/auctions/${id}`, { headers })
    const { data } = (await answer.json()) as { readonly data?: Readonly<Record<string, string>> }
    if (data?.bids === String(taken.length)) {
      if (data.leader === end.leader && data.price === price) return
      throw new Error(`${id} ended with ${data.leader} at ${data.price}, its replay with ${end.leader} at ${price}`)
    }
    if (tries > 600) throw new Error(`${id} shows ${data?.bids} of ${taken.length} bids`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
