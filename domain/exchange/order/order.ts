import { aggregate, type Decide, type EventOf } from '../../kernel/aggregate.ts'
import type { Context, OtherThing } from '../../kernel/context.ts'
import { rejected } from '../../kernel/errors.ts'
import { placesFor } from '../../record/currencies.ts'
import { DAY_SECONDS, laterBy } from '../../time/civil.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'
import { mustBeSoldFor } from './source.ts'
import { type Due, evolve, type OpenOrder, type Order } from './state.ts'

const REVIEW_SECONDS = 14 * DAY_SECONDS
const PLACES = { unknown: 'order_places_unknown', mismatch: 'order_places_mismatch' }

const decide: Decide<Order, typeof commands, typeof events> = {
  place(order, { id: _, places, ...asked }, { actor: buyer, at, seen }) {
    if (order.status !== 'none') throw rejected('order_already_placed', 'The order exists; choose another id.')
    if (asked.vendor === buyer) throw rejected('order_of_oneself', 'Order from another than yourself.')
    const terms = { ...asked, buyer, places: placesFor(asked.currency, places, PLACES) }
    mustBeSoldFor(terms, seen)
    if (asked.deliver_by !== undefined && asked.deliver_by <= at) {
      throw rejected('order_not_now', 'Name a time of delivery that is still to come.')
    }
    return [{ type: 'OrderPlaced', data: terms }]
  },
  recordHold: order => (order.status === 'placed' ? [{ type: 'OrderHeld', data: { amount: order.terms.amount } }] : []),
  refuse: (order, refusal) => (order.status === 'placed' ? [{ type: 'OrderRefused', data: refusal }] : []),
  confirm(order, target, context) {
    mustBe('vendor', order, ['held'], context)
    return [{ type: 'OrderConfirmed', data: target }]
  },
  decline(order, { reason }, context) {
    return due(mustBe('vendor', order, ['held'], context), 0n, 'declined', context, reason)
  },
  cancel(order, { reason }, context) {
    const open = mustBe('buyer', order, ['held', 'confirmed'], context)
    const { deliver_by: by } = open.terms
    if (open.status === 'confirmed' && (by === undefined || context.at < by)) {
      throw rejected('order_delivery_not_late', 'The vendor has confirmed it: ask for a refund, or dispute it.')
    }
    return due(open, 0n, 'cancelled', context, reason)
  },
  deliver(order, { note }, context) {
    const { terms } = mustBe('vendor', order, ['confirmed'], context)
    const accepted_at = laterBy(terms.inspection_days * DAY_SECONDS, context.at)
    return [{ type: 'OrderDelivered', data: { ...(note !== undefined && { note }), accepted_at } }]
  },
  accept(order, _, context) {
    const open = mustBe('buyer', order, ['confirmed', 'delivered', 'disputed'], context)
    return due(open, open.terms.amount, 'accepted', context)
  },
  lapse(order, { accepted_at }, context) {
    if (order.status !== 'delivered' || order.accepted_at !== accepted_at) return []
    return due(order, order.terms.amount, 'lapsed', context)
  },
  dispute(order, { reason }, context) {
    mustBe('party', order, ['confirmed', 'delivered'], context)
    return [{ type: 'OrderDisputed', data: { by: context.actor, reason } }]
  },
  refund(order, { reason }, context) {
    const open = mustBe('vendor', order, ['confirmed', 'delivered', 'disputed', 'unpaid'], context)
    return due(open, 0n, 'refunded', context, reason)
  },
  decide(order, { to_vendor, reason }, context) {
    const open = mustBeIn(order, ['disputed', 'unpaid'])
    const { buyer, vendor, arbiter, amount } = open.terms
    const { actor } = context
    if (actor === buyer || actor === vendor) throw rejected('order_party_decides', 'A party does not decide a dispute.')
    if (arbiter !== undefined && actor !== arbiter) {
      throw rejected('order_arbiter_is_another', 'Both sides have named who decides.', { arbiter })
    }
    if (to_vendor > amount) throw rejected('order_more_than_held', 'No more is held than this.', { amount })
    return due(open, to_vendor, 'decided', context, reason)
  },
  redirect(order, target, context) {
    const open = mustBe('vendor', order, ['unpaid'], context)
    return open.status === 'unpaid' ? [{ type: 'OrderDue', data: { ...open.due, ...target } }] : []
  },
  refusePayment: (order, refusal) =>
    order.status === 'settling' ? [{ type: 'OrderPaymentRefused', data: refusal }] : [],
  settle(order) {
    if (order.status !== 'settling') return []
    const { to_vendor, to_buyer, why } = order.due
    return [{ type: 'OrderEnded', data: { to_vendor, to_buyer, why } }]
  },
  review(order, { rating, text }, context) {
    const { terms, ...open } = mustBe('party', order, ['ended'], context)
    const { actor: by, at } = context
    const [first] = 'reviews' in open ? open.reviews : []
    if (first?.by === by) throw rejected('order_reviewed', 'You have reviewed the order.')
    const side = by === terms.buyer ? ('buyer' as const) : ('vendor' as const)
    const about = side === 'buyer' ? terms.vendor : terms.buyer
    const data = { side, by, about, rating, ...(text !== undefined && { text }) }
    const given = { type: 'OrderReviewed', data: { ...data, revealed_at: laterBy(REVIEW_SECONDS, at) } } as const
    return first ? [given, { type: 'OrderReviewsRevealed', data: { reviews: [first, { ...data, at }] } }] : [given]
  },
  reveal(order) {
    if (order.status !== 'ended' || order.reviews.length === 0) return []
    return [{ type: 'OrderReviewsRevealed', data: { reviews: [...order.reviews] } }]
  },
}

type Source = { readonly listing?: string; readonly auction?: string; readonly negotiation?: string }
const source = ({ listing, auction, negotiation }: { readonly [K in keyof Source]?: string | undefined }) => {
  const [first] = Object.entries({ auction, negotiation, listing }).filter(([, id]) => id !== undefined)
  return first && ({ category: first[0], id: first[1]! } satisfies OtherThing)
}

/** What is bought of another, and paid once it is delivered: the amount is held until then. */
export const order = aggregate({
  name: 'order',
  events,
  commands,
  api: {
    place: ['POST /orders', 'orders.write', 'Order: the amount is held in a wallet until the delivery is accepted.'],
    confirm: ['POST /orders/:id/confirm', 'orders.write', 'Confirm an order as its vendor; say where the money goes.'],
    decline: ['POST /orders/:id/decline', 'orders.write', 'Decline an order as its vendor: the amount is let go.'],
    cancel: ['POST /orders/:id/cancel', 'orders.write', 'Cancel an order that is not confirmed, or late.'],
    deliver: ['POST /orders/:id/deliver', 'orders.write', 'Say as the vendor that the order is delivered.'],
    accept: ['POST /orders/:id/accept', 'orders.write', 'Accept the delivery as the buyer: the vendor is paid.'],
    dispute: ['POST /orders/:id/dispute', 'orders.write', 'Dispute an order: an arbiter decides who gets what.'],
    refund: ['POST /orders/:id/refund', 'orders.write', 'Give all of it back as the vendor.'],
    decide: ['POST /orders/:id/decide', 'disputes.write', 'Decide a dispute: what the vendor gets of the amount.'],
    redirect: ['POST /orders/:id/redirect', 'orders.write', 'Name another account where the first took nothing.'],
    review: ['POST /orders/:id/review', 'reviews.write', 'Review the other side of an order that has ended, once.'],
    recordHold: 'internal',
    refuse: 'internal',
    lapse: 'internal',
    refusePayment: 'internal',
    settle: 'internal',
    reveal: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Order,
  evolve,
  decide,
  sees: { place: command => source(command) },
  stateSchema: 1,
  activity,
})

function due(order: OpenOrder, to_vendor: bigint, why: Due['why'], context: Context, reason?: string) {
  const { wallet, account, currency, places, amount } = order.terms
  const target = 'target' in order ? order.target : undefined
  const split = { to_vendor, to_buyer: amount - to_vendor, why }
  const by = context.actor.startsWith('process:') ? {} : { by: context.actor }
  const data = {
    wallet,
    account,
    ...target,
    currency,
    places,
    ...split,
    ...by,
    ...(reason !== undefined && { reason }),
  }
  return [{ type: 'OrderDue', data }] as const satisfies readonly EventOf<typeof events>[]
}

/** The order, where it stands as a command needs it and the caller is that side of it. */
function mustBe(who: 'buyer' | 'vendor' | 'party', order: Order, statuses: readonly string[], { actor }: Context) {
  const open = mustBeIn(order, statuses)
  const { buyer, vendor } = open.terms
  const parties = { buyer: [buyer], vendor: [vendor], party: [buyer, vendor] }[who]
  if (parties.includes(actor)) return open
  throw rejected('order_of_others', `Only the ${who} of the order may do this.`)
}

function mustBeIn(order: Order, statuses: readonly string[]): OpenOrder {
  if (statuses.includes(order.status)) return order as OpenOrder
  throw rejected('order_not_now', `The order is ${order.status}.`, { status: order.status, needs: statuses.join(', ') })
}
