import { expect } from 'chai'
import { auctionTimers } from '../../../projections/exchange/auction-timers.ts'
import { auctions } from '../../../projections/exchange/auctions.ts'
import { bids } from '../../../projections/exchange/bids.ts'
import { type Given, rowsFor } from '../../support/rows-spec.ts'

const [start, end, later] = ['2026-01-31T12:00:00.000Z', '2026-02-28T12:00:00.000Z', '2026-02-28T12:05:00.000Z']
const [one, two] = ['6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f01', '6f1d3c0a-5b8e-5f77-96c2-a4e1d0b37f02']
const terms = { format: 'english', title: 'An atlas', currency: 'EUR', start: 1_000n, reserve: 5_000n, seller: 'mira' }
const opened = { type: 'AuctionOpened', data: { ...terms, places: 2, starts_at: start, ends_at: end } }
const placed = (bid: string, bidder: string, maximum: bigint, stands: object) => ({
  type: 'BidPlaced',
  data: { bid, bidder, maximum, ...stands },
})
const first = placed(one, 'ann', 4_000n, { leader: 'ann', price: 1_000n, reserve_met: false })
const second = placed(two, 'jon', 9_000n, { leader: 'jon', price: 5_000n, reserve_met: true })
const extended = { type: 'AuctionExtended', data: { ends_at: later } }
const sold = { type: 'AuctionEnded', data: { outcome: 'sold', why: 'highest_bid', winner: 'jon', price: 5_000n } }

describe('rows: auctions', () => {
  const { given } = rowsFor(auctions)

  it('say how an auction stands, and who has won', async () => {
    await given(opened).then({ status: 'open', has_reserve: true, bids: 0n, price: undefined, ends_at: end })
    const stands = { bids: 2n, leader: 'jon', price: 5_000n, reserve_met: true }
    await given(opened, first, second, extended).then({ status: 'open', ...stands, ends_at: later })
    await given(opened, first, second, sold).then({ status: 'sold', why: 'highest_bid', winner: 'jon', ...stands })
  })

  it('have neither the reserve nor what a bidder pays at most', async () => {
    const rows = [...(await given(opened, first, second, sold).rows()), ...(await bidRows(opened, first, second))]
    const values = rows.flatMap(row => Object.values(row as object)).map(String)
    expect(values).to.include('5000').and.not.include('4000').and.not.include('9000')
    expect(Object.keys(rows[0] as object)).not.to.include('reserve')
  })
})

const bidRows = (...facts: readonly Given[]) =>
  rowsFor(bids)
    .given(...facts)
    .rows()

describe('rows: bids', () => {
  it('are one for each, with the price behind it', () =>
    rowsFor(bids)
      .given(opened, first, second, sold)
      .then(
        { bid: one, bidder: 'ann', price: 1_000n, leader: 'ann' },
        { bid: two, bidder: 'jon', price: 5_000n, leader: 'jon' },
      ))
})

describe('rows: timers of auctions', () => {
  const { given } = rowsFor(auctionTimers)

  it('are set for the end, which a late bid moves, until the end', async () => {
    await given(opened, first).then({ due_at: end, category: 'auction', command: 'end' })
    await given(opened, first, extended).then({ due_at: later })
    await given(opened, first, extended, sold).then()
  })
})
