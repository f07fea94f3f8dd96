import { order } from '../../../domain/exchange/order/order.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

const asked = { title: 'An atlas', vendor: 'jon', amount: 1_000n, inspection_days: 14, wallet: 'studio', account: 'a' }
const place = { ...asked, currency: 'EUR' }
const placed = (more: object = {}) =>
  ({ type: 'OrderPlaced', data: { ...place, ...more, buyer: 'mira', places: 2 } }) as const
const held = { type: 'OrderHeld', data: { amount: 1_000n } } as const
const target = { to_wallet: 'purse', to_account: 'main' }
const confirmed = { type: 'OrderConfirmed', data: target } as const
const ACCEPTED_AT = '2026-02-14T12:00:00.000Z'
const delivered = { type: 'OrderDelivered', data: { accepted_at: ACCEPTED_AT } } as const
const disputed = { type: 'OrderDisputed', data: { by: 'mira', reason: 'Pages are missing' } } as const
const due = (to: bigint, why: 'accepted' | 'decided' | 'cancelled' | 'lapsed', more: object = target) => {
  const from = { wallet: 'studio', account: 'a', currency: 'EUR', places: 2 }
  return { type: 'OrderDue', data: { ...from, to_vendor: to, to_buyer: 1_000n - to, why, ...more } } as const
}
const unpaid = { type: 'OrderPaymentRefused', data: { code: 'wallet_closed', reason: 'no' } } as const
const ended = { type: 'OrderEnded', data: { to_vendor: 1_000n, to_buyer: 0n, why: 'accepted' } } as const
const [mira, jon, ann] = [{ actor: 'mira' }, { actor: 'jon' }, { actor: 'ann' }]
const begun = [placed(), held, confirmed] as const

describe('order', () => {
  const { given } = specFor(order)

  it('is placed once, with another, at the terms of what it names', () => {
    given().when('place', place, mira).then(placed())
    given(placed()).when('place', place, mira).rejects('order_already_placed')
    given().when('place', place, jon).rejects('order_of_oneself')
    given()
      .when('place', { ...place, deliver_by: CONTEXT.at }, mira)
      .rejects('order_not_now')
    given()
      .when('place', { ...place, currency: 'BEANS' }, mira)
      .rejects('order_places_unknown')
    given()
      .when('place', { ...place, places: 3 }, mira)
      .rejects('order_places_mismatch')
    const agreed = { amount: 1_000n, currency: 'EUR', places: 2 }
    const listing = { status: 'present', owner: 'jon', fields: { status: 'published', price: 1_000n, ...agreed } }
    const named = { ...place, listing: 'l' }
    const sold = (seen: object) => given().when('place', named, { ...mira, seen })
    sold(listing).then(placed({ listing: 'l' }))
    sold({ ...listing, fields: { ...listing.fields, price: 999n } }).rejects('order_terms_differ')
    sold({ ...listing, fields: { ...listing.fields, status: 'draft' } }).rejects('order_terms_differ')
    sold({ ...listing, owner: 'ann' }).rejects('order_terms_differ')
    sold({ status: 'ended' }).rejects('order_terms_differ')
    sold({ status: 'ended', sold: { ...agreed, buyer: 'mira', vendor: 'jon' } }).then(placed({ listing: 'l' }))
    sold({ status: 'ended', sold: { ...agreed, buyer: 'ann', vendor: 'jon' } }).rejects('order_terms_differ')
    sold({ status: 'ended', sold: { ...agreed, between: ['jon', 'mira'] } }).then(placed({ listing: 'l' }))
    sold({ status: 'ended', sold: { ...agreed, between: ['jon', 'ann'] } }).rejects('order_terms_differ')
  })

  it('goes from its hold to its delivery by the two sides of it', () => {
    given(placed()).when('recordHold', {}).then(held)
    given(placed(), held).when('recordHold', {}).changesNothing()
    const refusal = { code: 'insufficient_funds', reason: 'no' }
    given(placed()).when('refuse', refusal).then({ type: 'OrderRefused', data: refusal })
    given(placed(), held).when('refuse', refusal).changesNothing()
    given(placed()).when('confirm', target, jon).rejects('order_not_now')
    given(placed(), held).when('confirm', target, mira).rejects('order_of_others')
    given(placed(), held).when('confirm', target, jon).then(confirmed)
    given(...begun)
      .when('deliver', {}, jon)
      .then(delivered)
    given(...begun, delivered)
      .when('dispute', { reason: 'Pages are missing' }, mira)
      .then(disputed)
    given(...begun, delivered)
      .when('dispute', { reason: 'x' }, ann)
      .rejects('order_of_others')
  })

  it('says who gets what once it is accepted, lapses, or is given up', () => {
    given(...begun, delivered)
      .when('accept', {}, mira)
      .then(due(1_000n, 'accepted', { ...target, by: 'mira' }))
    const lapse = { accepted_at: ACCEPTED_AT }
    const timer = { actor: 'process:timer' }
    given(...begun, delivered)
      .when('lapse', lapse, timer)
      .then(due(1_000n, 'lapsed'))
    given(...begun, delivered, disputed)
      .when('lapse', lapse, timer)
      .changesNothing()
    given(placed(), held)
      .when('cancel', {}, mira)
      .then(due(0n, 'cancelled', { by: 'mira' }))
    given(...begun)
      .when('cancel', {}, mira)
      .rejects('order_delivery_not_late')
    const late = { deliver_by: '2026-01-30T12:00:00.000Z' }
    given(placed(late), held, confirmed)
      .when('cancel', {}, mira)
      .then(due(0n, 'cancelled', { ...target, by: 'mira' }))
    for (const [name, by] of [
      ['decline', 'mira'],
      ['refund', 'mira'],
    ] as const) {
      const before = name === 'decline' ? [placed(), held] : begun
      given(...before)
        .when(name, {}, { actor: by })
        .rejects('order_of_others')
    }
  })

  it('is decided by an arbiter, who is no side of it', () => {
    const body = { to_vendor: 600n, reason: 'Half' }
    const decided = due(600n, 'decided', { ...target, by: 'ann', reason: 'Half' })
    given(...begun, disputed)
      .when('decide', body, ann)
      .then(decided)
    given(...begun, disputed)
      .when('decide', body, mira)
      .rejects('order_party_decides')
    given(...begun, disputed)
      .when('decide', { ...body, to_vendor: 1_001n }, ann)
      .rejects('order_more_than_held')
    given(placed({ arbiter: 'eve' }), held, confirmed, disputed)
      .when('decide', body, ann)
      .rejects('order_arbiter_is_another')
    given(...begun)
      .when('decide', body, ann)
      .rejects('order_not_now')
  })

  it('waits for another account where the first takes nothing', () => {
    const settling = [...begun, due(600n, 'decided')] as const
    given(...settling)
      .when('settle', {})
      .then({ type: 'OrderEnded', data: { to_vendor: 600n, to_buyer: 400n, why: 'decided' } })
    given(...settling)
      .when('refusePayment', unpaid.data)
      .then(unpaid)
    given(...settling, unpaid)
      .when('settle', {})
      .changesNothing()
    const other = { to_wallet: 'other', to_account: 'main' }
    given(...settling, unpaid)
      .when('redirect', other, jon)
      .then(due(600n, 'decided', other))
    given(...settling, unpaid, due(600n, 'decided', other))
      .when('refusePayment', unpaid.data)
      .then(unpaid)
  })

  it('is reviewed once by each side; both are revealed together, or one by a timer', () => {
    const over = [...begun, due(1_000n, 'accepted'), ended] as const
    const of = (side: 'buyer' | 'vendor', by: string, about: string) => ({ side, by, about, rating: 4 }) as const
    const review = (data: ReturnType<typeof of>) =>
      ({ type: 'OrderReviewed', data: { ...data, revealed_at: ACCEPTED_AT } }) as const
    const [one, other] = [of('buyer', 'mira', 'jon'), of('vendor', 'jon', 'mira')]
    const both = { reviews: [one, other].map(each => ({ ...each, at: CONTEXT.at })) }
    given(...begun)
      .when('review', { rating: 4 }, mira)
      .rejects('order_not_now')
    given(...over)
      .when('review', { rating: 4 }, mira)
      .then(review(one))
    given(...over)
      .when('review', { rating: 4 }, ann)
      .rejects('order_of_others')
    given(...over, review(one))
      .when('review', { rating: 1 }, mira)
      .rejects('order_reviewed')
    const revealed = { type: 'OrderReviewsRevealed', data: both } as const
    given(...over, review(one))
      .when('review', { rating: 4 }, jon)
      .then(review(other), revealed)
    given(...over, review(one))
      .when('reveal', {})
      .then({ type: 'OrderReviewsRevealed', data: { reviews: both.reviews.slice(0, 1) } })
    given(...over, review(one), review(other), revealed)
      .when('reveal', {})
      .changesNothing()
  })
})
