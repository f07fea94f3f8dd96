import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Due, firstDue, nextDue, type Recurrence } from '../../time/due.ts'
import { parseRule } from '../../time/rule.ts'
import { isZone } from '../../time/zone.ts'
import { type Movement, movementOf } from '../transfer/movement.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

export type StandingOrder =
  | { readonly status: 'none' }
  | { readonly status: 'open'; readonly movement: Movement; readonly recurrence: Recurrence; readonly next: Due }
  | { readonly status: 'ended' }
  | { readonly status: 'cancelled' }

const evolve: Evolve<StandingOrder, typeof events> = {
  StandingOrderOpened: (_, { rule, starts, zone, next, ...movement }) => ({
    status: 'open',
    movement,
    recurrence: { rule, starts, zone },
    next,
  }),
  StandingOrderFired: (order, { next }) => {
    const open = inStatus(order, 'open')
    return next === undefined ? { status: 'ended' } : { ...open, next }
  },
  StandingOrderRefused: order => order,
  StandingOrderCancelled: () => ({ status: 'cancelled' }),
}

const CODES = {
  unknown: 'standing_order_places_unknown',
  mismatch: 'standing_order_places_mismatch',
  fee: 'standing_order_fee_too_large',
}

const decide: Decide<StandingOrder, typeof commands, typeof events> = {
  open(order, { rule, starts, zone, ...asked }, { at }) {
    if (order.status !== 'none') {
      throw rejected('standing_order_already_open', 'The standing order exists; choose another id.')
    }
    const movement = movementOf(asked, CODES)
    const parsed = parseRule(rule)
    if (typeof parsed === 'string') throw rejected('standing_order_rule_invalid', `The rule is not valid: ${parsed}.`)
    if (!isZone(zone))
      throw rejected('standing_order_zone_unknown', 'Name a time zone such as Europe/Berlin.', { zone })
    const next = firstDue({ rule, starts, zone }, at)
    if (!next) throw rejected('standing_order_never_due', 'The rule names no time to come.')
    return [{ type: 'StandingOrderOpened', data: { ...movement, rule, starts, zone, next } }]
  },
  fire(order, { due }, { newId }) {
    if (order.status !== 'open' || order.next.at !== due.at || order.next.number !== due.number) return []
    const next = nextDue(order.recurrence, due)
    const data = { ...order.movement, due, transfer: newId(0), ...(next && { next }) }
    return [{ type: 'StandingOrderFired', data }]
  },
  recordRefusal: (_, refusal) => [{ type: 'StandingOrderRefused', data: refusal }],
  cancel(order) {
    if (order.status === 'cancelled') return []
    inStatus(order, 'open', ['standing_order_ended', 'The standing order has ended by itself.'])
    return [{ type: 'StandingOrderCancelled', data: {} }]
  },
}

/** A transfer that comes again and again, by a rule in its owner's time zone. */
export const standingOrder = aggregate({
  name: 'standingorder',
  events,
  commands,
  api: {
    open: ['POST /standing-orders', 'transfers.write', 'Transfer money again and again, by a recurrence rule.'],
    fire: 'internal',
    recordRefusal: 'internal',
    cancel: ['POST /standing-orders/:id/cancel', 'transfers.write', 'End a standing order.'],
  },
  rejections,
  initial: { status: 'none' } as StandingOrder,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})
