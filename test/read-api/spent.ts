import type { History } from './support.ts'

const AT = '2026-03-07T13:00:00.000Z'

/** Adds budgets of the project `p` and entries for it, one of which is taken back; gives the position after each. */
export function addSpent(history: History, org: string): readonly bigint[] {
  const spentAt: bigint[] = []
  const add = (type: string, data: object) => {
    history.add(org, 'wallet', 'w', type, data, AT)
    spentAt.push(history.position)
  }
  const entry = (id: string, amount: bigint, more: object) => {
    const postings = [amount, -amount].map((each, n) => ({
      account: n ? 'external:x' : 'a',
      currency: 'EUR',
      amount: each,
      ...more,
    }))
    return { entry: id, kind: 'journal', postings, effectiveOn: '2026-03-07' }
  }
  for (const [id, currency, amount] of [
    ['b1', 'EUR', 50_000n],
    ['b2', 'JPY', 900n],
  ] as const) {
    const data = { title: id, currency, amount, period: 'month', project: 'p', owner: 'ann' }
    history.add(org, 'budget', id, 'BudgetAdded', data, AT)
  }
  history.add(org, 'wallet', 'w', 'WalletOpened', { owner: 'ann', kind: 'personal' }, AT)
  add('AccountOpened', { account: 'a', currency: 'EUR', places: 2, overdraft: 'allowed' })
  add('EntryPosted', { ...entry('e1', -1_000n, {}), project: 'p' })
  add('EntryPosted', { ...entry('e2', 700n, {}), project: 'p' })
  add('EntryPosted', { ...entry('e3', -2_500n, { places: 3 }), project: 'p' })
  add('EntryPosted', { ...entry('e4', 1_000n, {}), kind: 'reversal', reverses: 'e1' })
  return spentAt
}
