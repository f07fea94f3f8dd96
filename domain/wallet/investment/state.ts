/** The state of an investment, and what each event makes of its lots and of what its accounts hold. */
import { invariant } from '../../kernel/errors.ts'
import { type Keyed, memberOf, membersOf, withMember, withoutMember } from '../../record/keyed.ts'
import { type Lot, type Method, without } from './lots.ts'

/** What quantities and amounts are in. */
export type Unit = {
  readonly asset: string
  readonly currency: string
  readonly places: number
  readonly quantityPlaces: number
}

export type Investment =
  | { readonly status: 'none' }
  | {
      readonly status: 'open'
      readonly unit: Unit
      readonly title?: string | undefined
      readonly method: Method
      readonly pool: 'position' | 'account'
      readonly longTermDays: number
      /** The lots that are not used up, by their ids. */
      readonly lots: Keyed<Lot>
      /** What each account holds. */
      readonly accounts: Keyed<{ readonly account: string; readonly quantity: bigint }>
      /** How many lots there ever were. */
      readonly count: number
      /** The latest time at which something was acquired, disposed of, moved or split; empty before. */
      readonly lastAt: string
    }
export type OpenInvestment = Extract<Investment, { status: 'open' }>

export const heldIn = (open: OpenInvestment, account: string): bigint =>
  memberOf(open.accounts, account)?.quantity ?? 0n

/** The lots that a reduction in an account may take. */
export const lotsFor = (open: OpenInvestment, account: string): readonly Lot[] =>
  membersOf(open.lots).filter(lot => open.pool === 'position' || lot.account === account)

/** The investment with more in an account, or less. */
export function withHeld(open: OpenInvestment, account: string, change: bigint): OpenInvestment {
  const quantity = heldIn(open, account) + change
  invariant(quantity >= 0n, `${account} would hold less than nothing`)
  const accounts =
    quantity === 0n ? withoutMember(open.accounts, account) : withMember(open.accounts, account, { account, quantity })
  return { ...open, accounts }
}

/** The investment with a lot more, which is the latest. */
export const withLot = (open: OpenInvestment, lot: Omit<Lot, 'order'>): OpenInvestment => ({
  ...open,
  lots: withMember(open.lots, lot.lot, { ...lot, order: open.count }),
  count: open.count + 1,
})

type Taken = { readonly lot: string; readonly quantity: bigint; readonly cost: bigint }

/** The investment without parts of its lots. */
export const withoutParts = (open: OpenInvestment, parts: readonly Taken[]): OpenInvestment => ({
  ...open,
  lots: parts.reduce((lots, part) => {
    const lot = memberOf(lots, part.lot)
    invariant(lot, `a part of the lot ${part.lot}, which is used up`)
    const left = without(lot, part)
    return left ? withMember(lots, lot.lot, left) : withoutMember(lots, lot.lot)
  }, open.lots),
})

type Moved = Taken & { readonly into: string; readonly price: string; readonly acquiredAt: string }

/** The investment in which parts of lots belong to another account: a part of a lot becomes a lot of its own. */
export const withMoved = (open: OpenInvestment, to: string, parts: readonly Moved[]): OpenInvestment =>
  parts.reduce((before, { lot, into, quantity, cost, price, acquiredAt }) => {
    const { order } = memberOf(before.lots, lot)!
    const rest = withoutParts(before, [{ lot, quantity, cost }])
    const moved = { lot: into, account: to, quantity, cost, price, acquiredAt, order }
    return { ...rest, lots: withMember(rest.lots, into, moved) }
  }, open)

type Reversal = {
  readonly lots: readonly Lot[]
  readonly removed: readonly string[]
  readonly accounts: readonly { readonly account: string; readonly change: bigint }[]
}

/** The investment without a trade: its lots as they were before it. */
export function withReversal(open: OpenInvestment, { lots, removed, accounts }: Reversal): OpenInvestment {
  const left = removed.reduce((all, lot) => withoutMember(all, lot), open.lots)
  const restored = lots.reduce((all, lot) => withMember(all, lot.lot, lot), left)
  return accounts.reduce((all, { account, change }) => withHeld(all, account, change), { ...open, lots: restored })
}

/** The investment after something that happened at a time. */
export const happened = (open: OpenInvestment, at: string): OpenInvestment =>
  at > open.lastAt ? { ...open, lastAt: at } : open
