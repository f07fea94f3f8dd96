/** The rules of acquiring, disposing, moving and splitting. */
import type { Context } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { memberOf, membersOf } from '../../record/keyed.ts'
import { approximated, type Fraction, fractionOf, rounded, tenTo } from '../ratetable/decimal.ts'
import { type Description, divided, isLongTerm, type Lot, type Method, type Part, take } from './lots.ts'
import { type commands, type events, INCOME, PARTS_MAX } from './messages.ts'
import { heldIn, lotsFor, type OpenInvestment, withHeld, withLot, withoutParts } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Disposed = ReturnType<(typeof events)['LotsDisposed']['parse']>

/** Decimal places of a price that is worked out. */
const PRICE_PLACES = 18
/** What every price is below: 20 digits before the point, less what rounding may add. */
const PRICE_BELOW = 10n ** 20n - 1n

/** A lot more; what was paid for it in the asset itself goes at once. */
export function acquire(open: OpenInvestment, body: Command<'acquire'>, context: Context) {
  const { lot = context.newId(0), account, type, quantity, cost, at = context.at, description, fee_quantity } = body
  if (memberOf(open.lots, lot)) throw rejected('lot_already_acquired', 'The lot is there; choose another id.', { lot })
  const price = body.price ?? priceOf(open, quantity, cost)
  const said = description === undefined ? {} : { description }
  const acquired = { lot, account, quantity, cost, price, acquiredAt: at }
  const isIncome = (INCOME as readonly string[]).includes(type)
  const event = { type: 'LotAcquired', data: { ...acquired, type, isIncome, ...open.unit, ...said } } as const
  if (fee_quantity === undefined) return [event]
  const with1 = withHeld(withLot(open, acquired), account, quantity)
  const proceeds = body.fee_value ?? valueAt(open, fee_quantity, price)
  const fee = { account, quantity: fee_quantity, feeQuantity: 0n, proceeds, at }
  return [event, disposed(with1, 'fee', fee, context)] as const
}

type Going = Description & {
  readonly account: string
  readonly quantity: bigint
  readonly feeQuantity: bigint
  readonly proceeds: bigint
  readonly at: string
  readonly method?: Method | undefined
  readonly description?: string | undefined
}

export function dispose(
  open: OpenInvestment,
  { type, fee_quantity = 0n, ...body }: Command<'dispose'>,
  context: Context,
) {
  const { at = context.at, ...asked } = body
  return [disposed(open, type, { ...asked, feeQuantity: fee_quantity, at }, context)]
}

/** What goes, lot by lot, with what each part of it brought and cost. */
function disposed(open: OpenInvestment, type: Disposed['type'], going: Going, context: Context) {
  const { account, quantity, feeQuantity, proceeds, at, description } = going
  const whole = quantity + feeQuantity
  const parts = taken(open, account, whole, going)
  const shares = divided(
    proceeds,
    parts.map(part => part.quantity),
  )
  const data = {
    disposal: context.newId(1),
    account,
    type,
    quantity,
    feeQuantity,
    proceeds,
    disposedAt: at,
    method: methodOf(open, going),
    parts: parts.map(({ lot: { lot, acquiredAt }, ...part }, n) => ({
      lot,
      quantity: part.quantity,
      cost: part.cost,
      proceeds: shares[n]!,
      acquiredAt,
      isLongTerm: isLongTerm(acquiredAt, at, open.longTermDays),
    })),
    ...open.unit,
    ...(description !== undefined && { description }),
  }
  return { type: 'LotsDisposed', data } as const
}

const methodOf = (open: OpenInvestment, { method, lot }: { method?: Method | undefined; lot?: string | undefined }) =>
  method ?? (lot === undefined ? open.method : 'named')

/** The parts of lots that leave an account, which must hold as much. */
function taken(
  open: OpenInvestment,
  account: string,
  quantity: bigint,
  how: Description & { readonly method?: Method | undefined; readonly at: string },
): readonly Part[] {
  const held = heldIn(open, account)
  if (held < quantity) {
    throw rejected('holding_insufficient', 'The account holds less than that takes.', {
      account,
      held,
      needed: quantity,
    })
  }
  const parts = take(lotsFor(open, account), { ...how, quantity, method: methodOf(open, how) })
  mustNotBeTooMany(parts.length)
  return parts
}

/** From one account to another: lots keep their price and time. What does not arrive is a fee. */
export function move(open: OpenInvestment, body: Command<'move'>, context: Context) {
  const { from, to, quantity, received = quantity, fee_value, at = context.at, description, ...which } = body
  if (received > quantity)
    throw rejected('move_receives_more', 'No more arrives than was sent.', { quantity, received })
  const lost = quantity - received
  if (lost > 0n && fee_value === undefined) {
    throw rejected('fee_value_missing', 'Say in `fee_value` what the fee was worth, in minor units.', { fee: lost })
  }
  if (lost === 0n && from === to) return []
  const held = heldIn(open, from)
  if (held < quantity) {
    throw rejected('holding_insufficient', 'The account holds less than that takes.', {
      account: from,
      held,
      needed: quantity,
    })
  }
  const going = { account: from, quantity: lost, feeQuantity: 0n, proceeds: fee_value ?? 0n, at, ...which }
  const fee = lost === 0n ? [] : [disposed(open, 'move', going, context)]
  if (received === 0n) return fee
  const rest = fee.reduce((left, { data }) => withHeld(withoutParts(left, data.parts), from, -lost), open)
  const parts = open.pool === 'position' ? [] : taken(rest, from, received, { ...which, at }).map(movedPart(context))
  const said = description === undefined ? {} : { description }
  const data = { from, to, quantity: received, movedAt: at, parts, ...open.unit, ...said }
  return [...fee, { type: 'LotsMoved', data } as const]
}

/** A whole lot keeps its id; a part of one becomes a lot of its own. */
const movedPart =
  (context: Context) =>
  ({ lot: { lot, price, acquiredAt, ...before }, quantity, cost }: Part, n: number) => ({
    lot,
    into: before.quantity === quantity ? lot : context.newId(n + 2),
    quantity,
    cost,
    price,
    acquiredAt,
  })

/** For `denominator` units there are `numerator` now. Fractions of the smallest unit move on: the sums agree. */
export function split(open: OpenInvestment, body: Command<'split'>, context: Context) {
  const { numerator, denominator, at: splitAt = context.at } = body
  if (numerator === denominator) return []
  if (splitAt < open.lastAt) {
    throw rejected('split_too_early', 'Something happened after that time, in units of after the split perhaps.', {
      last: open.lastAt,
    })
  }
  const ordered = [...membersOf(open.lots)].sort((a: Lot, b: Lot) => a.order - b.order)
  const accounts = [...membersOf(open.accounts)].sort((a, b) => (a.account < b.account ? -1 : 1))
  if (ordered.length === 0) throw rejected('lots_insufficient', 'There is nothing to split.', { available: 0n })
  mustNotBeTooMany(ordered.length)
  const [n, d] = [BigInt(numerator), BigInt(denominator)]
  const scaled = <T extends { readonly quantity: bigint }>(all: readonly T[]) => {
    const whole = all.reduce((sum, { quantity }) => sum + quantity, 0n)
    return divided(
      rounded({ n: whole * n, d }),
      all.map(({ quantity }) => quantity),
    )
  }
  const after = scaled(ordered)
  if (after.includes(0n)) {
    throw rejected('split_too_small', 'Nothing would be left of a lot: dispose of it first.', {
      lot: ordered[after.indexOf(0n)]!.lot,
    })
  }
  const lots = ordered.map(({ lot, price }, index) => ({
    lot,
    quantity: after[index]!,
    price: priceText({ n: fractionOf(price).n * d, d: fractionOf(price).d * n }),
  }))
  const inLots = ({ account }: { readonly account: string }) =>
    ordered.reduce((sum, lot, index) => sum + (lot.account === account ? after[index]! : 0n), 0n)
  const held = open.pool === 'account' ? accounts.map(inLots) : scaled(accounts)
  const data = {
    numerator,
    denominator,
    splitAt,
    change: after.reduce((sum, quantity, index) => sum + quantity - ordered[index]!.quantity, 0n),
    lots,
    accounts: accounts.map(({ account }, index) => ({ account, quantity: held[index]! })),
    ...open.unit,
  }
  return [{ type: 'LotsSplit', data } as const]
}

function mustNotBeTooMany(lots: number): void {
  if (lots <= PARTS_MAX) return
  throw rejected('lots_too_many', 'That concerns more lots than one event holds: do it in several steps.', {
    lots,
    most: PARTS_MAX,
  })
}

/** What one unit cost. */
const priceOf = ({ unit: { places, quantityPlaces } }: OpenInvestment, quantity: bigint, cost: bigint): string =>
  priceText({ n: cost * tenTo(quantityPlaces), d: quantity * tenTo(places) })

/** A price as text: the smallest there is for what is next to nothing. */
function priceText(price: Fraction): string {
  if (price.n >= PRICE_BELOW * price.d) {
    throw rejected('price_out_of_range', 'One unit would cost too much: 20 digits before the point is the most.')
  }
  const text = approximated(price, PRICE_PLACES)
  return text === '0' ? `0.${'0'.repeat(PRICE_PLACES - 1)}1` : text
}

/** What a quantity is worth at a price, in minor units of the currency. */
function valueAt({ unit: { places, quantityPlaces } }: OpenInvestment, quantity: bigint, price: string): bigint {
  const { n, d } = fractionOf(price)
  return rounded({ n: quantity * n * tenTo(places), d: d * tenTo(quantityPlaces) })
}
