import { expect } from 'chai'
import type { events } from '../../domain/exchange/order/messages.ts'
import { order } from '../../domain/exchange/order/order.ts'
import type { Order } from '../../domain/exchange/order/state.ts'
import type { EventOf } from '../../domain/kernel/aggregate.ts'
import { ratings } from '../../projections/exchange/ratings.ts'
import { rowsFor } from '../support/rows-spec.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

type Facts = readonly EventOf<typeof events>[]
const AT = '2026-01-01T00:00:00.000Z'

describe('ratings: real ones, each of an order of its own', function () {
  const set = dataSet(this, 'ratings', 'ratings.csv')
  const rows = set.oracle ? csv(set.text('ratings.csv')) : []

  it('have the averages that were worked out elsewhere', async () => {
    expect(rows.length).to.equal(set.oracle!.ratings)
    const facts = rows.flatMap(({ seq, user, place, rating }) =>
      reviewed(user!, place!, Number(rating)).map(fact => ({ ...fact, id: `order-${seq}` })),
    )
    const found = await rowsFor(ratings)
      .given(...facts)
      .rows()
    const lines = found.map(row => `${row.party},${row.average_e4}`)
    expect(lines.length).to.equal(set.oracle!.places)
    expect(checksum(lines)).to.equal(set.oracle!.sha256_average_e4)
  })

  it('are one of each side of an order', () => {
    const before = ordered('u', 'p')
    const given = decided(before, order.decide.review(stateOf(before), { rating: 1 }, context('u')))
    expect(() => order.decide.review(stateOf(given), { rating: 2 }, context('u'))).to.throw('You have reviewed')
  })
})

const context = (actor: string) => ({ id: 'o', org: 'o', permissions: [], newId: () => '', actor, at: AT })
const decided = (before: Facts, more: Facts): Facts => [...before, ...more]
const stateOf = (facts: Facts): Order =>
  facts.reduce((state, { type, data }) => order.evolve[type](state, data as never, AT), order.initial)

/** An order that has ended, by the rules. */
function ordered(buyer: string, vendor: string): Facts {
  const terms = { title: 'A meal', vendor, amount: 1n, currency: 'EUR', inspection_days: 1, wallet: 'w', account: 'a' }
  const { decide } = order
  const steps: ((state: Order) => Facts)[] = [
    state => decide.place(state, terms, context(buyer)),
    state => decide.recordHold(state, {}, context('process:order')),
    state => decide.confirm(state, { to_wallet: 'v', to_account: 'a' }, context(vendor)),
    state => decide.accept(state, {}, context(buyer)),
    state => decide.settle(state, {}, context('process:order')),
  ]
  return steps.reduce<Facts>((facts, step) => decided(facts, step(stateOf(facts))), [])
}

/** The same, reviewed by its buyer and revealed by the timer. */
function reviewed(buyer: string, vendor: string, rating: number): Facts {
  const before = ordered(buyer, vendor)
  const given = decided(before, order.decide.review(stateOf(before), { rating }, context(buyer)))
  return decided(given, order.decide.reveal(stateOf(given), {}, context('process:timer')))
}
