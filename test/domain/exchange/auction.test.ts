import { expect } from 'chai'
import fc from 'fast-check'
import { type Auction, auction } from '../../../domain/exchange/auction/auction.ts'
import { codeOf, specFor, stateOf } from '../../support/spec.ts'

const START = '2026-01-31T12:00:00.000Z'
const END = '2026-02-28T12:00:00.000Z'
const asked = { format: 'english' as const, title: 'An atlas', currency: 'EUR', start: 1_000n, ends_at: END }
const opened = (more: object = {}) =>
  ({
    type: 'AuctionOpened',
    data: { ...asked, ...more, seller: 'mira', places: 2, starts_at: START },
  }) as const
const uuid = (n: number) => `6f1d3c0a-5b8e-5f77-96c2-${String(n).padStart(12, '0')}`
const bid = (bidder: string, maximum: bigint, stands: object = {}) =>
  ({ type: 'BidPlaced', data: { bid: uuid(1), bidder, maximum, ...stands } }) as const
const by = (actor: string, at = START) => ({ actor, at, newId: () => uuid(1) })
const ended = (data: object) => ({ type: 'AuctionEnded', data }) as never
const sold = (winner: string, price: bigint, why = 'highest_bid') => ended({ outcome: 'sold', why, winner, price })

describe('auction', () => {
  const { given } = specFor(auction)

  it('is opened once, on terms that make sense together', () => {
    given().when('open', asked, by('mira')).then(opened())
    given(opened()).when('open', asked).rejects('auction_already_opened')
    given()
      .when('open', { ...asked, currency: 'BEANS' })
      .rejects('auction_places_unknown')
    given()
      .when('open', { ...asked, places: 3 })
      .rejects('auction_places_mismatch')
    const falling = { every_seconds: 60, by: 10n, floor: 500n }
    for (const wrong of [
      { ends_at: START },
      { starts_at: END },
      { falling },
      { format: 'dutch' as const },
      { format: 'dutch' as const, falling: { ...falling, floor: 1_001n } },
      { format: 'dutch' as const, falling, reserve: 2_000n },
      { format: 'second_price' as const, buy_now: 9_000n },
      { format: 'first_price' as const, extension: { within_seconds: 1, by_seconds: 1 } },
      { reserve: 999n },
      { reserve: 5_000n, buy_now: 4_999n },
      { increments: [{ from: 1n, step: 1n }] },
      {
        increments: [
          { from: 0n, step: 1n },
          { from: 0n, step: 2n },
        ],
      },
    ]) {
      given()
        .when('open', { ...asked, ...wrong })
        .rejects('auction_terms_invalid')
    }
  })

  it('bids up to the maxima of its bidders', () => {
    const increments = [{ from: 0n, step: 100n }]
    const first = bid('ann', 5_000n, { leader: 'ann', price: 1_000n, reserve_met: true })
    given(opened({ increments })).when('bid', { maximum: 5_000n }, by('ann')).then(first)
    given(opened({ increments }), first)
      .when('bid', { maximum: 2_000n }, by('jon'))
      .then(bid('jon', 2_000n, { leader: 'ann', price: 2_100n, reserve_met: true }))
    given(opened({ increments }), first)
      .when('bid', { maximum: 5_050n }, by('jon'))
      .then(bid('jon', 5_050n, { leader: 'jon', price: 5_050n, reserve_met: true }))
    given(opened({ increments }), first)
      .when('bid', { maximum: 5_000n }, by('jon'))
      .then(bid('jon', 5_000n, { leader: 'ann', price: 5_000n, reserve_met: true }))
  })

  it('takes bids of others than its seller, while it runs, from its price on', () => {
    given(opened()).when('bid', { maximum: 999n }, by('ann')).rejects('bid_too_low')
    given(opened()).when('bid', { maximum: 5_000n }, by('mira')).rejects('bid_on_own_auction')
    given(opened()).when('bid', { maximum: 5_000n }, by('ann', END)).rejects('auction_ended')
    given(opened()).when('bid', { maximum: 5_000n }, by('ann', '2026-01-31T11:59:59.999Z')).rejects('auction_not_begun')
    const first = bid('ann', 5_000n, { leader: 'ann', price: 1_000n, reserve_met: true })
    given(opened(), first).when('bid', { maximum: 5_000n }, by('ann')).rejects('bid_not_raised')
    given(opened(), first)
      .when('bid', { maximum: 6_000n }, by('ann'))
      .then(bid('ann', 6_000n, { leader: 'ann', price: 1_000n, reserve_met: true }))
    given(opened(), sold('ann', 5_000n)).when('bid', { maximum: 6_000n }, by('jon')).rejects('auction_ended')
  })

  it('is not sold below its reserve, and at the reserve once a maximum reaches it', () => {
    const low = bid('ann', 4_999n, { leader: 'ann', price: 1_000n, reserve_met: false })
    given(opened({ reserve: 5_000n }))
      .when('bid', { maximum: 4_999n }, by('ann'))
      .then(low)
    given(opened({ reserve: 5_000n }), low)
      .when('end', {}, { at: END })
      .then(ended({ outcome: 'unsold', why: 'reserve_not_met' }))
    const high = bid('jon', 6_000n, { leader: 'jon', price: 5_000n, reserve_met: true })
    given(opened({ reserve: 5_000n }), low)
      .when('bid', { maximum: 6_000n }, by('jon'))
      .then(high)
    given(opened({ reserve: 5_000n }), low, high)
      .when('end', {}, { at: END })
      .then(sold('jon', 5_000n))
  })

  it('ends later where a bid comes shortly before its end', () => {
    const extension = { within_seconds: 300, by_seconds: 600 }
    const placed = bid('ann', 1_000n, { leader: 'ann', price: 1_000n, reserve_met: true })
    given(opened({ extension }))
      .when('bid', { maximum: 1_000n }, by('ann', '2026-02-28T11:55:00.000Z'))
      .then(placed, { type: 'AuctionExtended', data: { ends_at: '2026-02-28T12:05:00.000Z' } })
    given(opened({ extension })).when('bid', { maximum: 1_000n }, by('ann', '2026-02-28T11:54:59.999Z')).then(placed)
    const extended = { type: 'AuctionExtended', data: { ends_at: '2026-02-28T12:05:00.000Z' } } as const
    given(opened({ extension }), placed, extended).when('end', {}, { at: END }).changesNothing()
    given(opened({ extension }), placed, extended)
      .when('end', {}, { at: '2026-02-28T12:05:00.000Z' })
      .then(sold('ann', 1_000n))
  })

  it('is bought at once until the first bid, or at the price that has fallen so far', () => {
    given(opened({ buy_now: 9_000n }))
      .when('buy', { at_most: 9_000n }, by('ann'))
      .then(sold('ann', 9_000n, 'bought'))
    given(opened({ buy_now: 9_000n }))
      .when('buy', { at_most: 8_999n }, by('ann'))
      .rejects('auction_costs_more')
    given(opened({ buy_now: 9_000n }), bid('jon', 1_000n))
      .when('buy', { at_most: 9_000n }, by('ann'))
      .rejects('bid_wrong_format')
    given(opened()).when('buy', { at_most: 9_000n }, by('ann')).rejects('bid_wrong_format')
    const dutch = opened({ format: 'dutch', falling: { every_seconds: 60, by: 200n, floor: 500n } })
    given(dutch).when('bid', { maximum: 9_000n }, by('ann')).rejects('bid_wrong_format')
    for (const [at, price] of [
      ['12:00:59.999', 1_000n],
      ['12:01:00.000', 800n],
      ['12:03:00.000', 500n],
      ['19:00:00.000', 500n],
    ] as const) {
      given(dutch)
        .when('buy', { at_most: 1_000n }, by('ann', `2026-01-31T${at}Z`))
        .then(sold('ann', price, 'bought'))
    }
    given(dutch)
      .when('end', {}, { at: END })
      .then(ended({ outcome: 'unsold', why: 'no_bid' }))
  })

  it('keeps sealed bids to itself, and the highest pays itself or the second', () => {
    for (const [format, price] of [
      ['first_price', 7_000n],
      ['second_price', 6_000n],
    ] as const) {
      const bids = [bid('ann', 5_000n), bid('jon', 7_000n), bid('ann', 6_000n), bid('eve', 7_000n)]
      given(opened({ format }), bids[0]!).when('bid', { maximum: 1_000n }, by('jon')).then(bid('jon', 1_000n))
      given(opened({ format }), bids[0]!).when('bid', { maximum: 5_000n }, by('ann')).rejects('bid_not_raised')
      given(opened({ format }), ...bids.slice(0, 3))
        .when('end', {}, { at: END })
        .then(sold('jon', price))
      given(opened({ format }), ...bids)
        .when('end', {}, { at: END })
        .then(sold('jon', 7_000n))
    }
    given(opened({ format: 'second_price', reserve: 3_000n }), bid('ann', 5_000n))
      .when('end', {}, { at: END })
      .then(sold('ann', 3_000n))
  })

  it('counts the bidders of a sealed auction, and not their raises', () => {
    const state = stateOf(auction, [
      opened({ format: 'first_price' }),
      bid('ann', 5_000n),
      bid('ann', 6_000n),
      bid('jon', 1_000n),
    ])
    expect(state).to.include({ bids: 3, bidders: 2 })
  })

  it('is cancelled by its seller until the first bid, and ended once', () => {
    given(opened())
      .when('cancel', {}, by('mira'))
      .then(ended({ outcome: 'cancelled', why: 'cancelled' }))
    given(opened()).when('cancel', {}, by('ann')).rejects('auction_of_another')
    given(opened(), bid('ann', 1_000n)).when('cancel', {}, by('mira')).rejects('auction_has_bids')
    given(opened(), sold('ann', 1_000n)).when('end', {}, { at: END }).changesNothing()
  })

  it('has the winner and the price that the final maxima alone give', () => {
    const step = (price: bigint) => (price < 5_000n ? 100n : 250n)
    const increments = [
      { from: 0n, step: 100n },
      { from: 5_000n, step: 250n },
    ]
    const anyBid = fc.record({ bidder: fc.constantFrom('ann', 'jon', 'eve'), maximum: fc.bigInt(500n, 9_000n) })
    fc.assert(
      fc.property(fc.array(anyBid, { maxLength: 30 }), all => {
        let state: Auction = stateOf(auction, [opened({ increments })])
        const maxima = new Map<string, { maximum: bigint; at: number }>()
        for (const [at, { bidder, maximum }] of all.entries()) {
          const refused = codeOf(() => {
            for (const fact of auction.decide.bid(
              state,
              { maximum },
              { ...by(bidder), id: 'a', org: 'o', permissions: [] },
            )) {
              state = auction.evolve[fact.type](state, fact.data as never, START)
            }
          })
          if (refused === undefined) maxima.set(bidder, { maximum, at })
        }
        const [end] = auction.decide.end(state, {}, { ...by('x', END), id: 'a', org: 'o', permissions: [] })
        const [first, second] = [...maxima].sort(([, a], [, b]) => Number(b.maximum - a.maximum) || a.at - b.at)
        const stepped = second && second[1].maximum + step(second[1].maximum)
        const prices = first && stepped ? [stepped, first[1].maximum] : [1_000n]
        const [price] = prices.sort((a, b) => Number(a - b))
        expect(end!.data).to.include(first ? { outcome: 'sold', winner: first[0], price } : { outcome: 'unsold' })
      }),
    )
  })
})
