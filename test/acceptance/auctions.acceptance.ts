import { expect } from 'chai'
import { type Auction, auction } from '../../domain/exchange/auction/auction.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

const START = '2026-01-01T00:00:00.000Z'
const END = '2026-02-01T00:00:00.000Z'
/** Steps of those years, in cents. */
const INCREMENTS = [
  [0n, 5n],
  [100n, 25n],
  [500n, 50n],
  [2_500n, 100n],
  [10_000n, 250n],
  [25_000n, 500n],
  [50_000n, 1_000n],
  [100_000n, 2_500n],
  [250_000n, 5_000n],
  [500_000n, 10_000n],
].map(([from, step]) => ({ from: from!, step: step! }))

/** Why a real bid is refused: it was below the opening or the price, or it is no raise of its bidder's own. */
const MAY_BE = ['bid_too_low', 'bid_not_raised']

const inOrder = (bids: readonly Record<string, string>[]) => bids.toSorted((a, b) => Number(a.n) - Number(b.n))

type Ended = {
  readonly winner: string
  readonly price: bigint
  readonly top: bigint
  readonly codes: readonly (string | undefined)[]
}

describe('auctions: real proxy bids', function () {
  const set = dataSet(this, 'auctions', 'auctions.csv', 'bids.csv')
  const auctions = set.oracle ? csv(set.text('auctions.csv')) : []
  const bids = new Map<string, Record<string, string>[]>()
  for (const bid of set.oracle ? csv(set.text('bids.csv')) : []) {
    bids.set(bid.auction!, [...(bids.get(bid.auction!) ?? []), bid])
  }
  const ended = new Map(auctions.map(row => [row.auction!, run(row.opening_cents!, bids.get(row.auction!)!)]))
  const lines = (line: (id: string, end: Ended) => string) => [...ended].map(([id, end]) => line(id, end))

  it('are as many as the data set has', () => {
    expect([ended.size, [...bids.values()].flat().length]).to.deep.equal([set.oracle!.auctions, set.oracle!.bids])
  })

  it('have the winners and their maxima', () => {
    const found = checksum(lines((id, { winner, top }) => `${id}:${winner},${top}`))
    expect(found).to.equal(set.oracle!.sha256_winner)
  })

  it('have the second prices', () => {
    expect(checksum(lines((id, { price }) => `${id},${price}`))).to.equal(set.oracle!.sha256_proxy)
  })

  it('take bids that are not above the highest one before, which half of the real ones are not', () => {
    let [low, taken] = [0, 0]
    for (const { auction: id, opening_cents } of auctions) {
      const { codes } = ended.get(id!)!
      let [highest, holder] = [0n, '']
      for (const [n, { bid_cents, bidder }] of inOrder(bids.get(id!)!).entries()) {
        const amount = BigInt(bid_cents!)
        if (amount < BigInt(opening_cents!)) continue
        if (amount > highest) [highest, holder] = [amount, bidder!]
        else if (bidder !== holder) {
          low += 1
          if (codes[n] === undefined) taken += 1
        }
      }
      expect(codes.filter(code => code !== undefined && !MAY_BE.includes(code))).to.deep.equal([])
    }
    expect(low).to.equal(set.oracle!.not_increasing_bids)
    expect(taken / low).to.be.above(0.9)
  })
})

/** Bids one after another by the rules of the auction, up to its end. */
function run(opening: string, bids: readonly Record<string, string>[]): Ended {
  const context = { id: 'a', org: 'o', permissions: [], newId: () => '00000000-0000-5000-8000-000000000000' }
  const terms = {
    format: 'english' as const,
    title: 'x',
    currency: 'USD',
    start: BigInt(opening),
    increments: INCREMENTS,
  }
  const by = (actor: string, at = START) => ({ ...context, actor, at })
  let state: Auction = auction.initial
  const take = (facts: ReturnType<(typeof auction.decide)['end']>) => {
    for (const { type, data } of facts) state = auction.evolve[type](state, data as never, START)
    return facts
  }
  take(auction.decide.open(state, { ...terms, ends_at: END }, by('seller')))
  const codes: (string | undefined)[] = []
  const maxima = new Map<string, bigint>()
  for (const { bidder, bid_cents } of inOrder(bids)) {
    try {
      take(auction.decide.bid(state, { maximum: BigInt(bid_cents!) }, by(bidder!)))
      maxima.set(bidder!, BigInt(bid_cents!))
      codes.push(undefined)
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
      codes.push(error.code)
    }
  }
  const [end] = take(auction.decide.end(state, {}, by('timer', END)))
  const { winner, price } = end!.data as { winner: string; price: bigint }
  return { winner, price, top: maxima.get(winner)!, codes }
}
