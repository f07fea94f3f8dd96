/** The rules of changing and closing accounts. */
import { rejected } from '../../kernel/errors.ts'
import { because } from '../../record/reason.ts'
import { mustHave } from './entry.ts'
import type { commands } from './messages.ts'
import { type Account, availableOf, find, type OpenWallet, withAccount } from './state.ts'

type Command<K extends keyof typeof commands> = ReturnType<(typeof commands)[K]['parse']>
type Named = Pick<Account, 'account' | 'currency'>

/** Changes whether an account may fall below zero. One that is below stays as it is until it is above. */
export function changeAccount(open: OpenWallet, body: Command<'changeAccount'>, today: string) {
  const { account, currency, overdraft: to, reason } = body
  const it = mustHave(open, body)
  if (to === undefined || to === it.overdraft) return []
  const available = availableOf(it, today)
  if (to === 'refused' && available < 0n) {
    throw rejected('account_overdrawn', 'Bring the account to zero first.', { account, currency, available })
  }
  const data = { account, currency, from: it.overdraft, to, ...because(reason) }
  return [{ type: 'AccountOverdraftChanged', data }] as const
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

/** Refuses an account that holds something, or that has entries or the end of a hold still to come. */
export function mustBeEmpty({ account, currency, amount, held, lastOn = '' }: Account, today: string): void {
  const facts = { account, currency }
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
