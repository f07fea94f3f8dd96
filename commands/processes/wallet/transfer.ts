/** Moves the money of a transfer: hold at the source, credit at the target, capture at the source. */
import { events } from '../../../domain/wallet/transfer/messages.ts'
import { movesNothing, takenBy } from '../../../domain/wallet/transfer/movement.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { leadingTo, process, type Refusal, type Step, step } from '../process.ts'
import { paymentEnded, paymentWaits } from './payment.ts'

type Moved = ReturnType<(typeof events)['TransferHeld']['parse']>

export const transferProcess = process({
  name: 'transfer',
  of: { transfer: events },
  on: {
    TransferScheduled: null,
    TransferRequested({ data, stream, metadata: { id } }) {
      if (movesNothing(data)) return paymentEnded(data.batch, 'completed')
      const held = heldOf(data, stream)
      const refused = (refusal: Refusal) =>
        refusal.code === 'transfer_approval_required' ? askApproval(id, refusal) : refuse(id, 'hold')(refusal)
      const { total } = data.batch ?? {}
      // What all payments of a batch take together may need a second person though each alone does not.
      const hold =
        total === undefined
          ? step(wallet, 'hold', data.from, held, refused)
          : step(wallet, 'reserve', data.from, { ...held, as: 'asked', total }, refused)
      // A transfer from before there were kinds goes on as it began, in two parts.
      if (data.kind === undefined) return [hold, step(transfer, 'recordHold', id, {})]
      const within = step(wallet, 'reserve', data.from, { ...held, as: 'within' }, refuse(id, 'hold'))
      // A fee leaves the wallet also where the amount stays in it.
      return [data.from === data.to && !data.fee ? within : hold, ...moves(data, stream, id)]
    },
    TransferApprovalAsked: ({ data }) => paymentWaits(data.batch, data.approvers),
    TransferApproved({ data, stream, metadata: { id } }) {
      const hold = step(wallet, 'reserve', data.from, { ...heldOf(data, stream), as: 'approved' }, refusal =>
        refusal.code === 'wallet_right_missing' ? askApproval(id, refusal) : refuse(id, 'hold')(refusal),
      )
      if (data.kind === undefined) return [hold, step(transfer, 'recordHold', id, {})]
      return [hold, ...moves(data, stream, id)]
    },
    TransferHeld: ({ data, stream, metadata: { id } }) => (data.kind === undefined ? delivers(data, stream, id) : []),
    TransferHeldInVain: ({ data, stream }) => [release(data.from, stream)],
    TransferRefused: ({ data, stream }) => [
      ...(data.step === 'credit' ? [release(data.from, stream)] : []),
      ...paymentEnded(data.batch, 'refused', data.code),
    ],
    TransferCompleted: null,
    TransferTimedOut: ({ data }) => paymentEnded(data.batch, 'timed_out'),
    TransferCancelled: ({ data }) => paymentEnded(data.batch, 'cancelled'),
    TransferDeclined: ({ data }) => paymentEnded(data.batch, 'declined'),
  },
})

/** Only processes make and end holds of such names. */
const holdOf = (stream: string): string => `process:${stream}`

function heldOf(moved: Moved, stream: string) {
  const { fromAccount: account, currency, places, description } = moved
  return { hold: holdOf(stream), account, currency, places, amount: takenBy(moved), description }
}

/** Once the amount is held: unless the transfer has ended meanwhile, it is delivered. */
const moves = (moved: Moved, stream: string, id: string): readonly Step[] => [
  leadingTo(step(transfer, 'recordHold', id, {}), 'TransferHeld'),
  ...delivers(moved, stream, id),
]

const delivers = (moved: Moved, stream: string, id: string): readonly Step[] => [
  creditOf(moved, id),
  captureOf(moved, stream),
  step(transfer, 'complete', id, {}),
  ...paymentEnded(moved.batch, 'completed'),
]

/** What arrives; where the target pays the fee, that is an entry of its own. */
function creditOf(
  { from, to, toAccount: account, currency, places, amount, description, kind, fee }: Moved,
  id: string,
) {
  const credited = { account, currency, places, amount, description, counterparty: `external:wallet:${from}` }
  return fee?.payer === 'to'
    ? step(wallet, 'receive', to, { ...credited, fee: paid(fee) }, refuse(id, 'credit'))
    : step(wallet, 'credit', to, { ...credited, ...(kind && { kind }) }, refuse(id, 'credit'))
}

/** What leaves; where the source pays the fee, that is an entry of its own. */
function captureOf({ from, to, places, amount, description, kind, fee }: Moved, stream: string) {
  const captured = { hold: holdOf(stream), counterparty: `external:wallet:${to}` }
  return fee?.payer === 'from'
    ? step(wallet, 'settle', from, { ...captured, amount, places, description, fee: paid(fee) })
    : step(wallet, 'capture', from, { ...captured, ...(kind && { kind }) })
}

const paid = ({ amount, account }: NonNullable<Moved['fee']>) => ({ amount, account })

const refuse = (id: string, at: 'hold' | 'credit') => (refusal: Refusal) =>
  step(transfer, 'refuse', id, { step: at, code: refusal.code.slice(0, 64), reason: refusal.message.slice(0, 1000) })

/** The wallet says who may approve. */
const askApproval = (id: string, { details = [] }: Refusal) =>
  step(transfer, 'askApproval', id, {
    approvers: details.filter(({ field }) => field === 'approver').map(({ message }) => message),
  })

const release = (from: string, stream: string) =>
  step(wallet, 'release', from, { hold: holdOf(stream), reason: 'the transfer ended' })
