/** Moves the money of a transfer: hold at the source, credit at the target, capture at the source. */
import { events } from '../../../domain/wallet/transfer/messages.ts'
import { movesNothing } from '../../../domain/wallet/transfer/movement.ts'
import { transfer } from '../../../domain/wallet/transfer/transfer.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { process, type Refusal, step } from '../process.ts'

export const transferProcess = process({
  name: 'transfer',
  of: { transfer: events },
  on: {
    TransferScheduled: null,
    TransferRequested({ data, stream, metadata: { id } }) {
      if (movesNothing(data)) return []
      const { from, fromAccount: account, currency, places, amount, description } = data
      const held = { hold: holdOf(stream), account, currency, places, amount, description }
      return [step(wallet, 'hold', from, held, refuse(id, 'hold')), step(transfer, 'recordHold', id, {})]
    },
    TransferHeld({ data, stream, metadata: { id } }) {
      const { from, to, toAccount: account, currency, places, amount, description } = data
      const credited = { account, currency, places, amount, description, counterparty: `external:wallet:${from}` }
      return [
        step(wallet, 'credit', to, credited, refuse(id, 'credit')),
        step(wallet, 'capture', from, { hold: holdOf(stream), counterparty: `external:wallet:${to}` }),
        step(transfer, 'complete', id, {}),
      ]
    },
    TransferHeldInVain: ({ data, stream }) => [release(data.from, stream)],
    TransferRefused: ({ data, stream }) => (data.step === 'credit' ? [release(data.from, stream)] : []),
    TransferCompleted: null,
    TransferTimedOut: null,
    TransferCancelled: null,
  },
})

const refuse = (id: string, at: 'hold' | 'credit') => (refusal: Refusal) =>
  step(transfer, 'refuse', id, { step: at, code: refusal.code.slice(0, 64), reason: refusal.message.slice(0, 1000) })

/** Only processes make and end holds of such names. */
const holdOf = (stream: string): string => `process:${stream}`

const release = (from: string, stream: string) =>
  step(wallet, 'release', from, { hold: holdOf(stream), reason: 'the transfer ended' })
