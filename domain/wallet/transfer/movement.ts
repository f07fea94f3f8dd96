/** What a transfer, a standing order and a payment of a batch move from where to where, and what that costs. */
import { rejected } from '../../kernel/errors.ts'
import {
  currency,
  id,
  MAX_MINOR_UNITS,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  refined,
  text,
} from '../../kernel/schema.ts'
import { type PlacesCodes, places, placesFor } from '../../record/currencies.ts'
import { positiveDecimal } from '../../record/decimal.ts'
import { decimalOf, rounded, tenTo } from '../ratetable/decimal.ts'

/** What a transfer costs: an entry of its own in the wallet of who pays it, to an external account. */
type Fee = { readonly amount: bigint; readonly payer: 'from' | 'to'; readonly account: string }

export type Movement = {
  readonly from: string
  readonly fromAccount: string
  readonly to: string
  readonly toAccount: string
  readonly currency: string
  readonly places: number
  readonly amount: bigint
  readonly description?: string | undefined
  readonly fee?: Fee | undefined
}

export const account = refined(
  text(255),
  name => !name.startsWith('external:'),
  'must be an account of the wallet, not an external one',
).meta({ description: 'account of the wallet' })
const description = text(1000)
const amount = refined(minorUnits, units => units >= 0n, 'must not be below zero')
const payer = oneOf('from', 'to').meta({
  description: 'who pays it: `from` on top of the amount, `to` out of what arrives',
})
const feeAccount = text(255)
  .regex(/^external:./, 'must be `external:` and a name')
  .meta({ pattern: '^external:[^\\x00]+$', description: 'the external account that gets the fee' })

/** As events have it. */
export const movement = {
  from: id('wallet'),
  fromAccount: account,
  to: id('wallet'),
  toAccount: account,
  currency,
  places,
  amount,
  description: description.optional(),
  fee: object({ amount: positiveMinorUnits, payer, account: feeAccount }).optional(),
}

/** As commands have what it costs. */
const askedFee = object({
  fixed: positiveMinorUnits.meta({ description: 'a fixed amount, in the unit of the transfer' }).optional(),
  share: positiveDecimal
    .meta({ description: 'a share of the amount: `0.015` is 1.5 %; rounded half up to the unit of the transfer' })
    .optional(),
  payer: payer.default('from'),
  account: feeAccount.default('external:fees'),
}).meta({ description: 'what it costs: both parts together' })

/** As commands have it. */
export const askedMovement = {
  from: ref('wallet'),
  from_account: account,
  to: ref('wallet'),
  to_account: account,
  currency,
  places: places.optional(),
  amount,
  description: description.optional(),
  fee: askedFee.optional(),
}

type AskedFee = ReturnType<(typeof askedFee)['parse']>
type Asked = Omit<Movement, 'fromAccount' | 'toAccount' | 'places' | 'fee'> & {
  readonly from_account: string
  readonly to_account: string
  readonly places?: number | undefined
  readonly fee?: AskedFee | undefined
}

type Codes = PlacesCodes & { readonly fee: string }

/**
 * The movement that a command asks for. It names its decimal places, so that both wallets read the amount in the same
 * unit; `codes` are those of the rejections where they are not known, or others than those of the currency, and where
 * the fee takes more than arrives, or is more than can be.
 */
export function movementOf(asked: Asked, codes: Codes): Movement {
  const { from, from_account: fromAccount, to, to_account: toAccount, currency, places, amount, description } = asked
  const said = description === undefined ? {} : { description }
  const unit = placesFor(currency, places, codes)
  const movement = { from, fromAccount, to, toAccount, currency, places: unit, amount, ...said }
  const fee = asked.fee && !movesNothing(movement) ? feeOf(amount, asked.fee) : 0n
  if (fee === 0n) return movement
  const { payer, account } = asked.fee!
  if (payer === 'to' && fee > amount) {
    throw rejected(codes.fee, 'The fee is more than what arrives: let `from` pay it.', { fee, amount })
  }
  const whole = { ...movement, fee: { amount: fee, payer, account } }
  if (takenBy(whole) > MAX_MINOR_UNITS) {
    throw rejected(codes.fee, 'The amount and its fee together have more than 38 digits.', { fee, amount })
  }
  return whole
}

/** What an amount costs, in its unit. */
function feeOf(amount: bigint, { fixed = 0n, share }: AskedFee): bigint {
  if (share === undefined) return fixed
  const { digits, scale } = decimalOf(share)
  return fixed + rounded({ n: amount * digits, d: tenTo(scale) })
}

/** What leaves the source: the amount, and the fee where the source pays it. */
export const takenBy = ({ amount, fee }: Pick<Movement, 'amount' | 'fee'>): bigint =>
  fee?.payer === 'from' ? amount + fee.amount : amount

/** What a movement takes out of its wallet by the rules of that: nothing where it stays there without a fee. */
export const leavingBy = (movement: Movement): bigint =>
  movesNothing(movement) || (movement.from === movement.to && !movement.fee) ? 0n : takenBy(movement)

/** A movement as a command asks for it. */
export function askedOf({ fromAccount, toAccount, fee, ...movement }: Movement) {
  const { amount: fixed, ...paid } = fee ?? {}
  const asked = { ...movement, from_account: fromAccount, to_account: toAccount }
  return fee ? { ...asked, fee: { fixed: fixed!, ...paid } as AskedFee } : asked
}

/** Whether nothing moves: the amount is nothing, or it goes from an account to itself. */
export const movesNothing = ({
  amount,
  from,
  fromAccount,
  to,
  toAccount,
}: Pick<Movement, 'amount' | 'from' | 'fromAccount' | 'to' | 'toAccount'>): boolean =>
  amount === 0n || (from === to && fromAccount === toAccount)
