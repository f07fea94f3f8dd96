import { orderTimers } from '../../../projections/exchange/order-timers.ts'
import { orders } from '../../../projections/exchange/orders.ts'
import { ratings } from '../../../projections/exchange/ratings.ts'
import { reviews } from '../../../projections/exchange/reviews.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const LATER = '2026-02-28T12:00:00.000Z'
const money = { currency: 'EUR', places: 2 }
const from = { wallet: 'studio', account: 'a' }
const terms = { title: 'An atlas', vendor: 'jon', amount: 1_000n, inspection_days: 14, ...from, ...money }
const placed = { type: 'OrderPlaced', data: { ...terms, buyer: 'mira' } }
const held = { type: 'OrderHeld', data: { amount: 1_000n } }
const target = { to_wallet: 'purse', to_account: 'main' }
const confirmed = { type: 'OrderConfirmed', data: target }
const delivered = { type: 'OrderDelivered', data: { note: 'By post', accepted_at: LATER } }
const disputed = { type: 'OrderDisputed', data: { by: 'mira', reason: 'x' } }
const split = { to_vendor: 600n, to_buyer: 400n, why: 'decided' }
const due = { type: 'OrderDue', data: { ...from, ...target, ...money, ...split } }
const unpaid = { type: 'OrderPaymentRefused', data: { code: 'wallet_closed', reason: 'no' } }
const ended = { type: 'OrderEnded', data: split }
const one = { side: 'buyer', by: 'mira', about: 'jon', rating: 5, text: 'On time' }
const other = { side: 'vendor', by: 'jon', about: 'mira', rating: 4 }
const reviewed = { type: 'OrderReviewed', data: { ...one, revealed_at: LATER } }
const revealed = {
  type: 'OrderReviewsRevealed',
  data: { reviews: [one, other].map(each => ({ ...each, at: LATER })) },
}

describe('rows: orders', () => {
  it('say how they stand, to both sides alone', async () => {
    const { given } = rowsFor(orders)
    const readers = ['user mira', 'user jon']
    await given(placed).then({ ...terms, status: 'placed', privacy: 'private', readers })
    await given(placed, held, confirmed, delivered).then({ status: 'delivered', ...target, note: 'By post' })
    await given(placed, held, confirmed, disputed).then({ status: 'disputed', reason: 'x' })
    const before = [placed, held, confirmed, disputed, due]
    await given(...before).then({ status: 'settling', ...split, reason: 'x' })
    await given(...before, unpaid).then({ status: 'unpaid', reason: 'wallet_closed' })
    await given(...before, ended, reviewed, revealed).then({ status: 'ended', why: 'decided' })
    await given(placed, { type: 'OrderRefused', data: { code: 'x', reason: 'y' } }).then({ status: 'refused' })
  })

  it('have reviews once these are revealed, which count for who was rated', async () => {
    const before = [placed, held, confirmed, due, ended, reviewed]
    await rowsFor(reviews)
      .given(...before)
      .then()
    await rowsFor(reviews)
      .given(...before, revealed)
      .then(
        { order: 'thing-1', author: 'mira', about: 'jon', rating: 5, text: 'On time', given_at: LATER },
        { order: 'thing-1', author: 'jon', about: 'mira', rating: 4 },
      )
    await rowsFor(ratings)
      .given(...before, revealed)
      .then(
        { party: 'jon', ratings: 1n, total: 5n, average_e4: 50_000, as_vendor: 1n },
        { party: 'mira', ratings: 1n, total: 4n, average_e4: 40_000, as_vendor: 0n },
      )
  })

  it('set timers for deliveries and reviews', async () => {
    const { given } = rowsFor(orderTimers)
    const lapse = { due_at: LATER, command: 'lapse', body: { accepted_at: LATER } }
    await given(placed, held, confirmed, delivered).then(lapse)
    await given(placed, held, confirmed, delivered, disputed).then()
    await given(placed, held, confirmed, due, ended, reviewed).then({ due_at: LATER, command: 'reveal' })
    await given(placed, held, confirmed, due, ended, reviewed, revealed).then()
  })
})
