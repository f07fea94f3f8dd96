/** Lots of one asset: which of them a reduction takes, and what that part of them cost. */
import { rejected } from '../../kernel/errors.ts'
import { secondsOf } from '../../time/civil.ts'
import { type Fraction, fractionOf, rounded } from '../ratetable/decimal.ts'

/**
 * Which lots a reduction takes: first in first out, last in first out, highest price first, lowest price first, or
 * `named`: exactly the lots that the reduction describes, which must leave no choice.
 */
export const METHODS = ['fifo', 'lifo', 'hifo', 'lofo', 'named'] as const
export type Method = (typeof METHODS)[number]

/** What was acquired at one time at one price, as far as it is left. */
export type Lot = {
  readonly lot: string
  readonly account: string
  /** In minor units of the asset. */
  readonly quantity: bigint
  /** What the quantity cost, in minor units of the currency. */
  readonly cost: bigint
  /** What one unit of the asset cost in the currency, without fees: a decimal. */
  readonly price: string
  readonly acquiredAt: string
  /** Counts the lots of a position: of two of one instant the one with the smaller number is the earlier. */
  readonly order: number
}

/** What a reduction says of the lots that it takes; what it leaves out may be anything. */
export type Description = {
  readonly lot?: string | undefined
  readonly acquired_on?: string | undefined
  readonly price?: string | undefined
}

export type Reduction = Description & { readonly quantity: bigint; readonly method: Method; readonly at: string }

/** What is taken of a lot, with the share of the cost that goes with it. */
export type Part = { readonly lot: Lot; readonly quantity: bigint; readonly cost: bigint }

/** Lots of a refusal's answer: a choice among more is not made by reading them. */
const CANDIDATES_MAX = 20

/**
 * The parts of the lots that a reduction takes, in the order of its method. Only lots count that were acquired by its
 * time. Throws `lot_unknown` where none is as described, `lots_insufficient` where they hold too little, and
 * `lots_ambiguous`, with the candidates, where a named reduction leaves a choice.
 */
export function take(lots: readonly Lot[], reduction: Reduction): readonly Part[] {
  const { quantity, method, at } = reduction
  const candidates = lots.filter(lot => lot.acquiredAt <= at && isAsDescribed(lot, reduction)).sort(ORDERS[method])
  if (candidates.length === 0)
    throw rejected('lot_unknown', 'No lot of that time is as described.', described(reduction))
  const available = candidates.reduce((sum, lot) => sum + lot.quantity, 0n)
  if (available < quantity) {
    throw rejected('lots_insufficient', 'The lots hold less than that takes.', { available, needed: quantity })
  }
  if (method === 'named' && candidates.length > 1 && available > quantity) throw ambiguous(candidates)
  const parts: Part[] = []
  let left = quantity
  for (const lot of candidates) {
    if (left === 0n) break
    const isWhole = left >= lot.quantity
    const part = isWhole ? lot : { quantity: left, cost: shareOf(lot.cost, left, lot.quantity) }
    parts.push({ lot, quantity: part.quantity, cost: part.cost })
    left -= part.quantity
  }
  return parts
}

/** The lot without a part of it, `undefined` where nothing is left. */
export function without(lot: Lot, { quantity, cost }: { readonly quantity: bigint; readonly cost: bigint }) {
  const left = lot.quantity - quantity
  return left === 0n ? undefined : { ...lot, quantity: left, cost: lot.cost - cost }
}

/** The share of an amount that goes with a part of a whole, in whole units. */
const shareOf = (amount: bigint, part: bigint, whole: bigint): bigint => rounded({ n: amount * part, d: whole })

/** Divides an amount among parts by their sizes; what is rounded moves on to the next, so that nothing is lost. */
export function divided(amount: bigint, sizes: readonly bigint[]): readonly bigint[] {
  const whole = sizes.reduce((sum, size) => sum + size, 0n)
  let [seen, given] = [0n, 0n]
  return sizes.map(size => {
    seen += size
    const share = whole === 0n ? 0n : shareOf(amount, seen, whole) - given
    given += share
    return share
  })
}

/** Whether a lot was held for so many days before it went. */
export function isLongTerm(acquiredAt: string, goneAt: string, days: number): boolean {
  const seconds = (at: string) => secondsOf(at.slice(0, 19))!
  const [from, to] = [seconds(acquiredAt), seconds(goneAt)]
  const whole = to - from - (goneAt.slice(19) < acquiredAt.slice(19) ? 1 : 0)
  return whole >= days * 86_400
}

type Order = (a: Lot, b: Lot) => number

const earlier: Order = (a, b) =>
  a.acquiredAt === b.acquiredAt ? a.order - b.order : a.acquiredAt < b.acquiredAt ? -1 : 1
const cheaper: Order = (a, b) => compared(fractionOf(a.price), fractionOf(b.price))

const ORDERS: Readonly<Record<Method, Order>> = {
  fifo: earlier,
  lifo: (a, b) => earlier(b, a),
  hifo: (a, b) => cheaper(b, a) || earlier(a, b),
  lofo: (a, b) => cheaper(a, b) || earlier(a, b),
  named: earlier,
}

const compared = (a: Fraction, b: Fraction): number => Number(a.n * b.d > b.n * a.d) - Number(a.n * b.d < b.n * a.d)

const isAsDescribed = (lot: Lot, { lot: name, acquired_on, price }: Description): boolean =>
  (name === undefined || lot.lot === name) &&
  (acquired_on === undefined || lot.acquiredAt.startsWith(acquired_on)) &&
  (price === undefined || compared(fractionOf(lot.price), fractionOf(price)) === 0)

const described = ({ lot = '', acquired_on = '', price = '', at }: Reduction) =>
  Object.fromEntries(Object.entries({ lot, acquired_on, price, at }).filter(([, value]) => value !== ''))

function ambiguous(candidates: readonly Lot[]) {
  const shown = candidates.slice(0, CANDIDATES_MAX).map(({ lot, quantity, price, acquiredAt }) => {
    return [`lot ${lot}`, `${quantity} at ${price}, acquired ${acquiredAt}`] as const
  })
  const message = 'Several lots are as described: name one, or choose a method; the details are the candidates.'
  return rejected('lots_ambiguous', message, Object.fromEntries([['candidates', candidates.length], ...shown]))
}
