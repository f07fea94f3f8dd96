/** Amounts of one currency in several units: what names no decimal places is in those that the currency has here. */

/** The same amount in a unit that has `more` decimal places. */
const finer = (amount: bigint, more: number): bigint => (more === 0 ? amount : amount * 10n ** BigInt(more))

/** The same amount with as few decimal places as it needs, and no fewer than `least`. */
export function coarsest(amount: bigint, places: number, least: number): { amount: bigint; places: number } {
  let short = { amount, places }
  while (short.places > least && short.amount % 10n === 0n) {
    short = { amount: short.amount / 10n, places: short.places - 1 }
  }
  return short.places < least ? { amount: finer(short.amount, least - short.places), places: least } : short
}

/** A balance in minor units of some decimal places. */
export type Held = { readonly amount: bigint; readonly places: number }

/** A balance and what is posted to it. Its places grow to the finest of them and never shrink, so that it is exact. */
export function addUp(before: Held, posted: readonly Held[]): Held {
  const places = Math.max(before.places, ...posted.map(one => one.places))
  const sum = [before, ...posted].reduce((total, one) => total + finer(one.amount, places - one.places), 0n)
  return { amount: sum, places }
}
