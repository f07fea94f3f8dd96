import { aggregate, type Context, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { invariant, rejected } from '../../kernel/errors.ts'
import { because } from '../../record/reason.ts'
import { DAY_SECONDS, laterBy } from '../../time/civil.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'
import { type Movement, movementOf, movesNothing } from './movement.ts'

type Batch = { readonly id: string; readonly payment: number; readonly total?: bigint | undefined }
/** What moves, of which kind the entries are, who asked for it, and of which batch it is. */
type Moved = Movement & {
  readonly kind?: 'transfer' | undefined
  readonly requestedBy?: string | undefined
  readonly batch?: Batch | undefined
}
type Begun = { readonly movement: Moved; readonly expiresAt?: string | undefined }
type Ended = { readonly from: string }

/**
 * A transfer is requested until its amount is held; up to then it can time out or be cancelled, and it may wait for
 * approval. From then on it ends with the credit at its target: completed where that is accepted, refused where not.
 */
export type Transfer =
  | { readonly status: 'none' }
  | ({ readonly status: 'scheduled' } & Begun)
  | ({ readonly status: 'requested' } & Begun)
  | ({ readonly status: 'waiting'; readonly approvers: readonly string[] } & Begun)
  | ({ readonly status: 'approved'; readonly approvers: readonly string[] } & Begun)
  | { readonly status: 'held'; readonly movement: Moved }
  | { readonly status: 'completed' }
  | ({ readonly status: 'refused' | 'timed_out' | 'cancelled' | 'declined' } & Ended)

const evolve: Evolve<Transfer, typeof events> = {
  TransferScheduled: (_, { dueAt: __, expiresAt, ...movement }) => ({ status: 'scheduled', movement, expiresAt }),
  TransferRequested: (_, { expiresAt, ...movement }) => ({ status: 'requested', movement, expiresAt }),
  TransferApprovalAsked(transfer, { approvers, expiresAt, requestedBy }) {
    const { movement } = begun(transfer)
    const asked = { ...movement, ...(requestedBy !== undefined && { requestedBy }) }
    return { status: 'waiting', movement: asked, approvers, expiresAt }
  },
  TransferApproved(transfer) {
    const { approvers } = waiting(transfer)
    return { ...begun(transfer), status: 'approved', approvers }
  },
  TransferDeclined: transfer => ({ status: 'declined', from: sourceOf(transfer) }),
  TransferHeld: (_, movement) => ({ status: 'held', movement }),
  TransferHeldInVain: transfer => transfer,
  TransferCompleted: () => ({ status: 'completed' }),
  TransferRefused: (_, { from }) => ({ status: 'refused', from }),
  TransferTimedOut: transfer => ({ status: 'timed_out', from: sourceOf(transfer) }),
  TransferCancelled: transfer => ({ status: 'cancelled', from: sourceOf(transfer) }),
}

const CODES = {
  unknown: 'transfer_places_unknown',
  mismatch: 'transfer_places_mismatch',
  fee: 'transfer_fee_too_large',
}
/** How long a transfer waits for approval that names no time of its own. */
const APPROVAL_SECONDS = 7 * DAY_SECONDS

const decide: Decide<Transfer, typeof commands, typeof events> = {
  request: (transfer, asked, context) => request(transfer, asked, context),
  pay: (transfer, { batch, ...asked }, context) => request(transfer, asked, context, batch),
  start(transfer, _, { behalf }) {
    if (transfer.status !== 'scheduled') return []
    const { movement, expiresAt } = transfer
    const { requestedBy = behalf?.subject } = movement
    const whole = { ...movement, ...(requestedBy !== undefined && { requestedBy }) }
    return requested(whole, expiresAt === undefined ? {} : { expiresAt })
  },
  askApproval(transfer, { approvers }, { at, behalf }) {
    if (transfer.status !== 'requested' && transfer.status !== 'approved') return []
    const { expiresAt = laterBy(APPROVAL_SECONDS, at) } = transfer
    // An approval by someone without a right to the wallet is none: others may still approve.
    const named = transfer.status === 'approved' ? transfer.approvers : approvers
    // A request from before it named who asked: that is on whose behalf its process acts, until another approves.
    const isUnnamed = transfer.status === 'requested' && transfer.movement.requestedBy === undefined
    const asker = isUnnamed && behalf ? { requestedBy: behalf.subject } : {}
    const data = { approvers: [...named], expiresAt, ...asker, ...ofBatch(transfer.movement) }
    return [{ type: 'TransferApprovalAsked', data }]
  },
  approve(transfer, { reason }, { actor }) {
    if (transfer.status === 'approved') return []
    const { movement } = mustWait(transfer)
    if (movement.requestedBy === actor) {
      throw rejected('transfer_of_oneself', 'A second person has to approve it: you asked for it yourself.')
    }
    return [{ type: 'TransferApproved', data: { ...movement, approvedBy: actor, ...because(reason) } }]
  },
  decline(transfer, { reason }) {
    if (transfer.status === 'declined') return []
    return [{ type: 'TransferDeclined', data: { reason, ...ofBatch(mustWait(transfer).movement) } }]
  },
  decideInBatch(transfer, { isApproved, reason }, { actor, behalf }) {
    if (transfer.status !== 'waiting') return []
    const { movement } = transfer
    if (!isApproved) {
      return [{ type: 'TransferDeclined', data: { reason: reason ?? 'Declined with its batch', ...ofBatch(movement) } }]
    }
    const approvedBy = behalf?.subject ?? actor
    if (movement.requestedBy === approvedBy) return []
    return [{ type: 'TransferApproved', data: { ...movement, approvedBy, ...because(reason) } }]
  },
  recordHold(transfer) {
    // The wallet let it be held by its rules of that moment: approval that was asked for beside it is not needed.
    if (isHoldable(transfer) || transfer.status === 'waiting') {
      return [{ type: 'TransferHeld', data: transfer.movement }]
    }
    return 'from' in transfer ? [{ type: 'TransferHeldInVain', data: { from: transfer.from } }] : []
  },
  refuse(transfer, refusal) {
    const isOpen = refusal.step === 'hold' ? isHoldable(transfer) : transfer.status === 'held'
    if (!isOpen || !('movement' in transfer)) return []
    return [{ type: 'TransferRefused', data: { ...refusal, from: sourceOf(transfer), ...ofBatch(transfer.movement) } }]
  },
  complete: transfer =>
    transfer.status === 'held' ? [{ type: 'TransferCompleted', data: ofBatch(transfer.movement) }] : [],
  timeOut: transfer =>
    isHoldable(transfer) || transfer.status === 'waiting'
      ? [{ type: 'TransferTimedOut', data: ofBatch(transfer.movement) }]
      : [],
  cancel(transfer) {
    switch (transfer.status) {
      case 'cancelled':
        return []
      case 'scheduled':
      case 'requested':
      case 'waiting':
      case 'approved':
        return [{ type: 'TransferCancelled', data: ofBatch(transfer.movement) }]
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
    pay: 'internal',
    start: 'internal',
    askApproval: 'internal',
    approve: [
      'POST /transfers/:id/approve',
      'transfers.approve',
      'Approve a transfer that another person asked for, and that waits for that.',
    ],
    decline: ['POST /transfers/:id/decline', 'transfers.approve', 'Decline a transfer that waits for approval.'],
    decideInBatch: 'internal',
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
  stateSchema: 2,
  activity,
})

type Asked = Omit<ReturnType<(typeof commands)['request']['parse']>, 'id'> & { readonly id?: string | undefined }

function request(transfer: Transfer, asked: Asked, { at, actor, behalf }: Context, batch?: Batch) {
  const { id: _, due_at, expires_at, ...rest } = asked
  if (transfer.status !== 'none') {
    throw rejected('transfer_already_requested', 'The transfer exists; choose another id.')
  }
  if (expires_at !== undefined && (expires_at <= at || (due_at !== undefined && expires_at <= due_at))) {
    throw rejected('transfer_expires_too_early', 'It must expire after it begins: choose a later `expires_at`.')
  }
  const requestedBy = behalf?.subject ?? actor
  const movement = { ...movementOf(rest, CODES), kind: 'transfer' as const, requestedBy, ...(batch && { batch }) }
  const expiry = expires_at === undefined ? {} : { expiresAt: expires_at }
  if (due_at === undefined || due_at <= at) return requested(movement, expiry)
  return [{ type: 'TransferScheduled', data: { ...movement, dueAt: due_at, ...expiry } } as const]
}

/** The request, and for what moves nothing its end as well. */
function requested(movement: Moved, expiry: { readonly expiresAt?: string }) {
  const request = { type: 'TransferRequested', data: { ...movement, ...expiry } } as const
  if (!movesNothing(movement)) return [request]
  return [request, { type: 'TransferCompleted', data: ofBatch(movement) } as const]
}

type Holdable = Extract<Transfer, { readonly status: 'requested' | 'approved' }>
/** Whether its hold is under way: a refused hold ends it then, but not while it waits for approval. */
const isHoldable = (transfer: Transfer): transfer is Holdable =>
  transfer.status === 'requested' || transfer.status === 'approved'

const ofBatch = ({ batch }: Moved) => (batch ? { batch: { id: batch.id, payment: batch.payment } } : {})

function mustWait(transfer: Transfer) {
  if (transfer.status === 'waiting') return transfer
  throw rejected('transfer_not_waiting', 'The transfer does not wait for approval.', { status: transfer.status })
}

function waiting(transfer: Transfer) {
  invariant('approvers' in transfer, `a transfer that is ${transfer.status} is approved`)
  return transfer
}

function begun(transfer: Transfer): Begun {
  invariant('movement' in transfer, `an event of a transfer that is ${transfer.status}`)
  const { movement } = transfer
  const { expiresAt } = 'expiresAt' in transfer ? transfer : {}
  return { movement, expiresAt }
}

function sourceOf(transfer: Transfer): string {
  invariant('movement' in transfer, `a transfer that is ${transfer.status} ends`)
  return transfer.movement.from
}
