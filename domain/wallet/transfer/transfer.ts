import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'
import { type Movement, movementOf, movesNothing } from './movement.ts'

/**
 * A transfer is requested until its amount is held; up to then it can time out or be cancelled. From then on it ends
 * with the credit at its target: completed where that is accepted, refused where it is not.
 */
export type Transfer =
  | { readonly status: 'none' }
  | { readonly status: 'scheduled'; readonly movement: Movement; readonly expiresAt?: string | undefined }
  | { readonly status: 'requested'; readonly movement: Movement }
  | { readonly status: 'held'; readonly movement: Movement }
  | { readonly status: 'completed' }
  | { readonly status: 'refused'; readonly from: string }
  | { readonly status: 'timed_out'; readonly from: string }
  | { readonly status: 'cancelled'; readonly from: string }

const evolve: Evolve<Transfer, typeof events> = {
  TransferScheduled: (_, { dueAt: __, expiresAt, ...movement }) => ({ status: 'scheduled', movement, expiresAt }),
  TransferRequested: (_, { expiresAt: __, ...movement }) => ({ status: 'requested', movement }),
  TransferHeld: (_, movement) => ({ status: 'held', movement }),
  TransferHeldInVain: transfer => transfer,
  TransferCompleted: () => ({ status: 'completed' }),
  TransferRefused: (_, { from }) => ({ status: 'refused', from }),
  TransferTimedOut: transfer => ({ status: 'timed_out', from: sourceOf(transfer) }),
  TransferCancelled: transfer => ({ status: 'cancelled', from: sourceOf(transfer) }),
}

const PLACES = { unknown: 'transfer_places_unknown', mismatch: 'transfer_places_mismatch' }

const decide: Decide<Transfer, typeof commands, typeof events> = {
  request(transfer, { due_at, expires_at, ...asked }, { at }) {
    if (transfer.status !== 'none') {
      throw rejected('transfer_already_requested', 'The transfer exists; choose another id.')
    }
    if (expires_at !== undefined && (expires_at <= at || (due_at !== undefined && expires_at <= due_at))) {
      throw rejected('transfer_expires_too_early', 'It must expire after it begins: choose a later `expires_at`.')
    }
    const movement = movementOf(asked, PLACES)
    const expiry = expires_at === undefined ? {} : { expiresAt: expires_at }
    if (due_at === undefined || due_at <= at) return requested(movement, expiry)
    return [{ type: 'TransferScheduled', data: { ...movement, dueAt: due_at, ...expiry } }]
  },
  start(transfer) {
    if (transfer.status !== 'scheduled') return []
    const { movement, expiresAt } = transfer
    return requested(movement, expiresAt === undefined ? {} : { expiresAt })
  },
  recordHold(transfer) {
    if (transfer.status === 'requested') return [{ type: 'TransferHeld', data: transfer.movement }]
    return 'from' in transfer ? [{ type: 'TransferHeldInVain', data: { from: transfer.from } }] : []
  },
  refuse(transfer, refusal) {
    const isOpen = transfer.status === (refusal.step === 'hold' ? 'requested' : 'held')
    return isOpen ? [{ type: 'TransferRefused', data: { ...refusal, from: sourceOf(transfer) } }] : []
  },
  complete: transfer => (transfer.status === 'held' ? [{ type: 'TransferCompleted', data: {} }] : []),
  timeOut: transfer => (transfer.status === 'requested' ? [{ type: 'TransferTimedOut', data: {} }] : []),
  cancel(transfer) {
    switch (transfer.status) {
      case 'cancelled':
        return []
      case 'scheduled':
      case 'requested':
        return [{ type: 'TransferCancelled', data: {} }]
      case 'held':
        throw rejected('transfer_under_way', 'The amount is held and on its way: ask for a transfer back.')
      default:
        throw rejected('transfer_ended', `The transfer is ${transfer.status} already.`, { status: transfer.status })
    }
  },
}

/** Money from an account of one wallet to an account of another: a process that ends once. */
export const transfer = aggregate({
  name: 'transfer',
  events,
  commands,
  api: {
    request: ['POST /transfers', 'transfers.write', 'Transfer money to another account, at once or at a later time.'],
    start: 'internal',
    recordHold: 'internal',
    refuse: 'internal',
    complete: 'internal',
    timeOut: 'internal',
    cancel: ['POST /transfers/:id/cancel', 'transfers.write', 'Cancel a transfer whose amount is not held yet.'],
  },
  rejections,
  initial: { status: 'none' } as Transfer,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})

/** The request, and for what moves nothing its end as well. */
function requested(movement: Movement, expiry: { readonly expiresAt?: string }) {
  const request = { type: 'TransferRequested', data: { ...movement, ...expiry } } as const
  return movesNothing(movement) ? [request, { type: 'TransferCompleted', data: {} } as const] : [request]
}

function sourceOf(transfer: Transfer): string {
  invariant('movement' in transfer, `a transfer that is ${transfer.status} ends`)
  return transfer.movement.from
}
