/** The rules of changing and closing accounts. */
import { rejected } from '../../kernel/errors.ts'
import { changedFields } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { mustHave, spendable } from './entry.ts'
import type { commands } from './messages.ts'
import { type Account, find, floorOf, minorPlaces, type OpenWallet, type Terms, withAccount } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Named = Pick<Account, 'account' | 'currency'>

/** Refuses a limit where no overdraft is allowed, and a minimum where one is. */
export function mustAgree({ overdraft, limit, minimum }: Terms): void {
  if (overdraft === 'refused' && limit !== undefined) {
    throw rejected('account_terms_conflict', 'A limit needs `overdraft: allowed`; without it give no limit.', { limit })
  }
  if (overdraft === 'allowed' && minimum !== undefined) {
    const message = 'A minimum needs `overdraft: refused`; without it give no minimum.'
    throw rejected('account_terms_conflict', message, { minimum })
  }
}

/**
 * Changes what an account is and how low it may fall. One that is lower than that would allow stays as it is until it
 * is above.
 */
export function changeAccount(open: OpenWallet, body: Command<'changeAccount'>, today: string) {
  const { account, currency, overdraft: to, reason, ...asked } = body
  const it = mustHave(open, body)
  const changes = changedFields(it, asked) as Omit<typeof asked, 'account' | 'currency'>
  const isOther = to !== undefined && to !== it.overdraft
  const changed = withTerms(it, { ...changes, ...(isOther && { overdraft: to }) })
  mustAgree(changed)
  mustStay(open, it, changed, today)
  const named = { account, currency }
  const facts = because(reason)
  return [
    ...(isOther
      ? [{ type: 'AccountOverdraftChanged', data: { ...named, from: it.overdraft, to, ...facts } } as const]
      : []),
    ...(Object.keys(changes).length > 0
      ? [{ type: 'AccountChanged', data: { ...named, ...changes, ...facts } } as const]
      : []),
  ]
}

/** Refuses a floor that is higher than before and that the account is below. */
function mustStay(open: OpenWallet, before: Account, after: Account, today: string): void {
  const [old, floor] = [floorOf(before), floorOf(after)]
  if (floor === undefined || (old !== undefined && floor <= old)) return
  const unit = after.places ?? minorPlaces(open, after.currency)!
  const available = spendable(open, after, { unit, today })!
  if (available >= 0n) return
  const { account, currency } = after
  throw rejected('account_overdrawn', 'The account is lower than that: bring it up first.', {
    account,
    currency,
    available,
  })
}

type Changes = { readonly [K in keyof Terms]?: Terms[K] | null }

/** An account of other terms: null takes one away. */
export function withTerms(account: Account, changes: Changes): Account {
  const terms = Object.entries(changes).filter(([, value]) => value !== undefined)
  const gone = new Set(terms.filter(([, value]) => value === null).map(([name]) => name))
  const all = Object.entries({ ...account, ...Object.fromEntries(terms) })
  return Object.fromEntries(all.filter(([name]) => !gone.has(name))) as Account
}

export function freezeAccount(open: OpenWallet, { reason, ...body }: Command<'freezeAccount'>) {
  return mustHave(open, body).frozen ? [] : [{ type: 'AccountFrozen', data: { ...body, ...because(reason) } } as const]
}

export function unfreezeAccount(open: OpenWallet, { reason, ...body }: Command<'unfreezeAccount'>) {
  return mustHave(open, body).frozen
    ? [{ type: 'AccountUnfrozen', data: { ...body, ...because(reason) } } as const]
    : []
}

/** The wallet with an account that is frozen, or no longer. */
export function withFrozen(open: OpenWallet, named: Named, isFrozen: boolean): OpenWallet {
  const { frozen: _, ...account } = find(open, named)!
  return withAccount(open, isFrozen ? { ...account, frozen: true } : account)
}

export function closeAccount(open: OpenWallet, { reason, ...body }: Command<'closeAccount'>, today: string) {
  if (find(open, body)?.closed) return []
  mustBeEmpty(mustHave(open, body), today)
  return [{ type: 'AccountClosed', data: { ...body, ...because(reason) } }] as const
}

export function reopenAccount(open: OpenWallet, { reason, ...body }: Command<'reopenAccount'>) {
  if (!find(open, body)?.closed) {
    mustHave(open, body)
    return []
  }
  return [{ type: 'AccountReopened', data: { ...body, ...because(reason) } }] as const
}

/** Refuses an account that is frozen, that holds something, or that has entries or the end of a hold still to come. */
export function mustBeEmpty({ account, currency, amount, held, lastOn = '', frozen }: Account, today: string): void {
  const facts = { account, currency }
  if (frozen) throw rejected('account_frozen', 'The account is frozen: unfreeze it first.', facts)
  if (amount !== 0n) {
    throw rejected('balance_not_zero', 'Bring every balance to zero first.', { ...facts, balance: amount })
  }
  if (held !== undefined) throw rejected('holds_open', 'Capture or release every hold first.', { ...facts, held })
  if (lastOn > today) {
    throw rejected('entries_to_come', 'Entries count for a day that is still to come.', { ...facts, day: lastOn })
  }
}

/** The wallet with an account that is closed, or open again. */
export function withClosed(open: OpenWallet, named: Named, isClosed: boolean): OpenWallet {
  const { closed: _, ...account } = find(open, named)!
  return withAccount(open, isClosed ? { ...account, closed: true } : account)
}
