/** The sides of a transfer with a fee: who pays it has two entries of one command, the amount and the fee. */
import type { Context } from '../../kernel/aggregate.ts'
import { invariant } from '../../kernel/errors.ts'
import { inUnit, post, transfer } from './entry.ts'
import { ENDING, freed, mustBeOpen } from './holds.ts'
import type { commands } from './messages.ts'
import { minorPlaces, type OpenWallet } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>

/** Takes what is held at the source: the amount, and the fee that comes on top of it. */
export function settle(open: OpenWallet, { hold, ...body }: Command<'settle'>, context: Context) {
  const { account, currency, amount, places } = mustBeOpen(open, hold)
  const [sent, fee] = entriesOf(freed(open, hold), { ...body, account, currency, isOut: true }, context)
  const unit = Math.max(body.places, places ?? minorPlaces(open, currency) ?? 0)
  const inAll = (amount: bigint, places: number | undefined) =>
    inUnit(open, { account, currency, amount, places }, unit)
  const isWhole = inAll(body.amount + body.fee.amount, body.places) === inAll(amount, places)
  invariant(isWhole, `the hold ${hold} is of another amount than the transfer with its fee`)
  const held = { hold, account, currency, amount, ...(places !== undefined && { places }) }
  return [sent, fee, { type: 'HoldCaptured', data: { ...held, released: 0n, entry: sent.data.entry } }] as const
}

/** Takes in the amount at the target, and pays the fee of it, whatever else the account can spend. */
export const receive = (open: OpenWallet, body: Command<'receive'>, context: Context) =>
  entriesOf(open, { ...body, isOut: false }, context)

type Paid = Command<'receive'> & { readonly isOut: boolean }

function entriesOf(open: OpenWallet, paid: Paid, context: Context) {
  const { account, currency, amount, places, counterparty, description, fee, isOut } = paid
  const [from, to] = isOut ? [account, counterparty] : [counterparty, account]
  const moved = transfer(from, to, { currency, amount, places })
  const charged = transfer(account, fee.account, { currency, amount: fee.amount, places })
  const second = { ...context, newId: (n: number) => context.newId(n + 1) }
  const [sent] = post(open, context, { kind: 'transfer', postings: moved, description }, isOut ? ENDING : {})
  const [paidFee] = post(open, second, { kind: 'fee', postings: charged, description }, { ...ENDING, isCovered: true })
  return [sent, paidFee] as const
}
