/** Entries that a row of a bank may stand for although no import of that bank posted them: proposed, never taken. */

import { dayNumber } from '../../domain/wallet/statement/day.ts'
import type { Exact } from '../../domain/wallet/statement/exact.ts'
import { at } from '../../domain/wallet/statement/exact.ts'
import type { BankRow } from './rows.ts'
import { type Posted, replacedBy, type WalletState } from './wallet-state.ts'

/** Days that the bank's day may lie from that of an entry. */
const DAYS_APART_MAX = 5
const PLACES_MAX = 30

export type Match = { readonly row: BankRow; readonly entry: Posted }

/** What may be the other record of an amount in an account. */
export class Candidates {
  readonly #byAmount = new Map<string, Posted[]>()
  readonly #taken = new Set<string>()

  /** `isOurs`: whether imports of this format made an entry, which keys tell apart by themselves. */
  constructor(
    { posted, takenBackBy }: WalletState,
    isOurs: (entry: Posted) => boolean,
    placesOf: (currency: string) => number,
  ) {
    const byId = new Map([...posted.values()].map(entry => [entry.entry, entry]))
    const isOfOurs = (entry: Posted): boolean => {
      for (let one: Posted | undefined = entry; one; one = replacedBy(one, byId)) if (isOurs(one)) return true
      return false
    }
    for (const entry of posted.values()) {
      const { reverses, takenBack } = entry
      if ((reverses !== undefined && takenBack === undefined) || takenBackBy.has(entry.entry)) continue
      if (isOfOurs(entry)) continue
      for (const { account, currency, amount, places } of entry.postings.slice(takenBack)) {
        const key = keyOf(account, currency, { digits: amount, places: places ?? placesOf(currency) })
        const others = this.#byAmount.get(key)
        if (others) others.push(entry)
        else this.#byAmount.set(key, [entry])
      }
    }
  }

  /** No row is matched with this entry any more. */
  take(entry: string): void {
    this.#taken.add(entry)
  }

  /** The nearest entry of the same amount, which is taken then. */
  nearest({ account, currency, amount, date }: BankRow): Posted | undefined {
    if (this.#byAmount.size === 0) return undefined
    const near = (this.#byAmount.get(keyOf(account, currency, amount)) ?? [])
      .filter(({ entry }) => !this.#taken.has(entry))
      .map(entry => ({ entry, days: Math.abs(dayNumber(entry.effectiveOn) - dayNumber(date)) }))
      .filter(({ days }) => days <= DAYS_APART_MAX)
      .sort((a, b) => a.days - b.days)[0]?.entry
    if (near) this.take(near.entry)
    return near
  }
}

const keyOf = (account: string, currency: string, amount: Exact) =>
  JSON.stringify([account, currency, String(at(amount, PLACES_MAX))])
