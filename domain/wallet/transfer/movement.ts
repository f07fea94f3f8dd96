/** What a transfer and a standing order move from where to where. */
import { rejected } from '../../kernel/errors.ts'
import { currency, id, integer, minorUnits, ref, text } from '../../kernel/schema.ts'
import { placesOf } from '../wallet/currencies.ts'

export type Movement = {
  readonly from: string
  readonly fromAccount: string
  readonly to: string
  readonly toAccount: string
  readonly currency: string
  readonly places: number
  readonly amount: bigint
  readonly description?: string | undefined
}

export const account = text(255)
  .refine(name => !name.startsWith('external:'), 'must be an account of the wallet, not an external one')
  .meta({ description: 'account of the wallet' })
const description = text(1000)
export const places = integer(0, 30).meta({
  description: 'decimal places of the amount: needed where the currency is not of ISO 4217',
})
const amount = minorUnits.refine(units => units >= 0n, 'must not be below zero')

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
}

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
}

type Asked = Omit<Movement, 'fromAccount' | 'toAccount' | 'places'> & {
  readonly from_account: string
  readonly to_account: string
  readonly places?: number | undefined
}

type PlacesCodes = { readonly unknown: string; readonly mismatch: string }

/**
 * The movement that a command asks for. It names its decimal places, so that both wallets read the amount in the same
 * unit; `codes` are those of the rejections where they are not known, or others than those of the currency.
 */
export function movementOf(asked: Asked, codes: PlacesCodes): Movement {
  const { from, from_account: fromAccount, to, to_account: toAccount, currency, places, amount, description } = asked
  const said = description === undefined ? {} : { description }
  return { from, fromAccount, to, toAccount, currency, places: placesFor(currency, places, codes), amount, ...said }
}

/** The decimal places of amounts: those of the currency, or those that a command names where it is not of ISO 4217. */
export function placesFor(currency: string, places: number | undefined, codes: PlacesCodes): number {
  const known = placesOf(currency)
  if (known !== undefined && places !== undefined && places !== known) {
    throw rejected(codes.mismatch, 'The currency has other decimal places.', { currency, places: known })
  }
  const found = known ?? places
  if (found === undefined) {
    throw rejected(codes.unknown, 'Not an ISO 4217 code: name the decimal `places` of the amount.', { currency })
  }
  return found
}

/** Whether nothing moves: the amount is nothing, or it goes from an account to itself. */
export const movesNothing = ({ amount, from, fromAccount, to, toAccount }: Movement): boolean =>
  amount === 0n || (from === to && fromAccount === toAccount)
