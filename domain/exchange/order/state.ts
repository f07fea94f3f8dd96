import type { EventOf, Evolve } from '../../kernel/aggregate.ts'
import { inStatus } from '../../kernel/aggregate.ts'
import type { events } from './messages.ts'

type Placed = Extract<EventOf<typeof events>, { readonly type: 'OrderPlaced' }>['data']
export type Due = Extract<EventOf<typeof events>, { readonly type: 'OrderDue' }>['data']
type Terms = Pick<
  Placed,
  'buyer' | 'vendor' | 'amount' | 'currency' | 'places' | 'wallet' | 'account' | 'deliver_by' | 'arbiter'
> & { readonly inspection_days: number }
type Target = { readonly to_wallet: string; readonly to_account: string }
type Review = Extract<EventOf<typeof events>, { readonly type: 'OrderReviewsRevealed' }>['data']['reviews'][number]

type Begun = { readonly terms: Terms; readonly target?: Target }
type As<S extends string> = Begun & { readonly status: S }
type Running = As<'placed'> | As<'held'> | As<'confirmed'> | As<'disputed'>
type Delivered = Begun & { readonly status: 'delivered'; readonly accepted_at: string }
/** `unpaid`: the vendor's wallet refused what is due. */
type Settling = (As<'settling'> | As<'unpaid'>) & { readonly due: Due }
type Ended = { readonly status: 'ended'; readonly terms: Terms; readonly reviews: readonly Review[] }
/**
 * The amount of an order is held from the start. What ends it says how much of that the vendor gets: all of it once the
 * delivery is accepted, nothing where it is cancelled, a part where an arbiter decides so. Then both sides may review.
 */
export type Order =
  | { readonly status: 'none' }
  | Running
  | Delivered
  | Settling
  | Ended
  /** Refused, or reviewed and revealed: nothing follows. */
  | { readonly status: 'over' }
export type OpenOrder = Exclude<Order, { readonly status: 'none' | 'over' }>

export const evolve: Evolve<Order, typeof events> = {
  OrderPlaced: (_, placed) => {
    const { buyer, vendor, amount, currency, places, wallet, account, deliver_by, inspection_days, arbiter } = placed
    const terms = { buyer, vendor, amount, currency, places, wallet, account, inspection_days }
    return { status: 'placed', terms: { ...terms, ...(deliver_by && { deliver_by }), ...(arbiter && { arbiter }) } }
  },
  OrderRefused: () => ({ status: 'over' }),
  OrderHeld: order => ({ ...inStatus(order, 'placed'), status: 'held' }),
  OrderConfirmed: (order, target) => ({ ...inStatus(order, 'held'), status: 'confirmed', target }),
  OrderDelivered: (order, { accepted_at }) => ({ ...begun(order), status: 'delivered', accepted_at }),
  OrderDisputed: order => ({ ...begun(order), status: 'disputed' }),
  OrderDue: (order, due) => {
    const { terms, target } = begun(order)
    const { to_wallet, to_account } = due
    const named = to_wallet === undefined || to_account === undefined ? target : { to_wallet, to_account }
    return { status: 'settling', terms, ...(named && { target: named }), due }
  },
  OrderPaymentRefused: order => ({ ...inStatus(order, 'settling'), status: 'unpaid' }),
  OrderEnded: order => ({ status: 'ended', terms: begun(order).terms, reviews: [] }),
  OrderReviewed: (order, { revealed_at: _, ...review }, at) => {
    const before = inStatus(order, 'ended')
    return { ...before, reviews: [...before.reviews, { ...review, at }] }
  },
  OrderReviewsRevealed: () => ({ status: 'over' }),
}

/** The order with its terms; an event of one that has none is an impossible history. */
function begun(order: Order): Begun {
  if (order.status === 'none' || order.status === 'over' || order.status === 'ended') {
    throw new TypeError(`an event of an order that is ${order.status}`)
  }
  const { terms } = order
  return { terms, ...(order.target && { target: order.target }) }
}
