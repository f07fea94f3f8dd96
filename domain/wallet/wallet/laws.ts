/** What must hold of the history of every wallet, for those who check one without trusting who wrote it. */
import type { DomainEvent } from '../../kernel/event.ts'
import type { Laws, Unlawful } from '../../kernel/laws.ts'
import { inUnit, spendable } from './entry.ts'
import type { events } from './messages.ts'
import { type Account, find, isOwn, minorPlaces, type OpenWallet, type Posting, type Wallet } from './state.ts'

type Entry = ReturnType<(typeof events)['EntryPosted']['parse']>
type Named = Pick<Account, 'account' | 'currency'>

/**
 * Every entry balances in each currency and is about accounts that are not closed; and no command leaves an account
 * lower than it may fall, unless it was lower before. That is looked at once all events of the command are there,
 * because what it takes may be what it sets free. Histories that earlier rules made are lawful too.
 */
export const walletLaws: Laws<Wallet> = {
  ofEvent(wallet, { type, data }) {
    if (type !== 'EntryPosted' || wallet.status !== 'open') return undefined
    const { postings } = data as Entry
    return unbalanced(wallet, postings) ?? closed(wallet, postings)
  },
  ofCommand(before, after, events) {
    if (before.status !== 'open' || after.status !== 'open' || before.accounts === after.accounts) return undefined
    for (const named of events.flatMap(touched)) {
      const broken = overdrawn(before, after, named)
      if (broken) return broken
    }
    return undefined
  },
}

function unbalanced(wallet: OpenWallet, postings: readonly Posting[]): Unlawful | undefined {
  const placesOf = ({ places, currency }: Posting) => places ?? minorPlaces(wallet, currency) ?? 0
  const units = new Map<string, number>()
  for (const posting of postings) {
    units.set(posting.currency, Math.max(units.get(posting.currency) ?? 0, placesOf(posting)))
  }
  for (const [currency, unit] of units) {
    let sum = 0n
    for (const posting of postings) if (posting.currency === currency) sum += inUnit(wallet, posting, unit)
    if (sum !== 0n) return { code: 'entry_unbalanced', message: `its postings in ${currency} add up to ${sum}` }
  }
  return undefined
}

function closed(wallet: OpenWallet, postings: readonly Posting[]): Unlawful | undefined {
  const shut = postings.find(posting => isOwn(posting) && find(wallet, posting)?.closed)
  return shut && { code: 'rules_broken', message: `the account ${shut.account} is closed` }
}

/** The accounts that an event names. */
function touched({ data }: DomainEvent): readonly Named[] {
  const { postings, account, currency } = data as { readonly postings?: readonly Posting[] } & Partial<Named>
  if (postings) return postings.filter(isOwn)
  return account !== undefined && currency !== undefined ? [{ account, currency }] : []
}

function overdrawn(before: OpenWallet, after: OpenWallet, named: Named): Unlawful | undefined {
  const [earlier, now] = [find(before, named), find(after, named)]
  if (!now || now === earlier) return undefined
  const unit = Math.max(now.places ?? 0, earlier?.places ?? 0, minorPlaces(after, named.currency) ?? 0)
  const left = aboveFloor(after, now, unit)
  if (left === undefined || left >= 0n) return undefined
  const had = earlier ? aboveFloor(before, earlier, unit) : aboveFloor(after, { ...now, amount: 0n, held: 0n }, unit)
  if (had !== undefined && left >= had) return undefined
  return { code: 'rules_broken', message: `the account ${named.account} falls lower than it may` }
}

/**
 * How far an account is above the lowest that it may fall to, whatever day its credits count from: entries that were
 * made before days counted could spend what was still to come. `undefined` where there is no bound.
 */
function aboveFloor(open: OpenWallet, { coming: _, ...account }: Account, unit: number): bigint | undefined {
  return spendable(open, account, { unit, today: '' })
}
