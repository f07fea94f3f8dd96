/** How much of what an employer gave is a member's, by whole months since the start. */
import { daysInMonth } from '../../time/civil.ts'

export type Vesting = { readonly cliff_months: number; readonly months: number }

/** Whole months from one day to another one: to the same day of the month, or the last one where it has none such. */
export function monthsBetween(from: string, to: string): number {
  const [y1, m1, d1] = from.split('-').map(Number) as [number, number, number]
  const [y2, m2, d2] = to.split('-').map(Number) as [number, number, number]
  return (y2 - y1) * 12 + (m2 - m1) - (d2 < Math.min(d1, daysInMonth(y2, m2)) ? 1 : 0)
}

/** The part of an amount that is vested after so many months, rounded down. */
export function vestedOf(amount: bigint, vesting: Vesting | undefined, months: number): bigint {
  if (!vesting || months >= vesting.months) return amount
  return months < vesting.cliff_months || months <= 0 ? 0n : (amount * BigInt(months)) / BigInt(vesting.months)
}
