/** What a statement must say, computed the slow way from the events that make it. */
import fc from 'fast-check'
import { History } from './support.ts'

type Line = {
  revision: string
  line: number
  effective_on: string
  posted_at: string
  amount: string
  balance: string
}
export type Statement = {
  balance?: string
  opening: string
  credits: string
  debits: string
  count: number
  closing: string
  page_opening: string
  page_closing: string
  lines: Line[]
  days: Record<string, string>[]
  places: number
}

export const ORG = 'north'
export const ACCOUNT = 'Löhne: a/b %2F'
export const PATH = `/kwlt/wallets/w/accounts/${encodeURIComponent(ACCOUNT)}`

/** An entry as the tests make it: who is paid, how much, for which day, posted on which day. */
export const entryArb = fc.record({
  amounts: fc.array(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), { minLength: 0, maxLength: 3 }),
  currency: fc.constantFrom('EUR', 'USD', 'GAU'),
  /** Decimal places that amounts in GAU need beyond the two that it was opened with. */
  finer: fc.constantFrom(0, 0, 1, 3),
  effective: fc.integer({ min: 1, max: 9 }),
  /** Another day for the account's own lines. */
  own: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
  posted: fc.integer({ min: 1, max: 9 }),
})
type AnyEntry = typeof entryArb extends fc.Arbitrary<infer T> ? T : never
export type Entry = Omit<AnyEntry, 'finer' | 'own'> & Partial<AnyEntry>

/** Days at the beginning, at the end and inside of months. */
const DAYS = ['01-30', '01-31', '02-01', '02-14', '02-28', '03-01', '03-02', '03-31', '04-01']
export const day = (n: number) => `2026-${DAYS[n - 1]}`

export function historyOf(entries: readonly Entry[], step = 1n): History {
  const history = new History(step).add(ORG, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' })
  for (const [account, currency] of [
    [ACCOUNT, 'EUR'],
    [ACCOUNT, 'USD'],
    [ACCOUNT, 'GAU'],
    ['other', 'EUR'],
    ['other', 'USD'],
    ['other', 'GAU'],
  ]) {
    history.add(ORG, 'wallet', 'w', 'AccountOpened', { account, currency, places: 2, overdraft: 'allowed' })
  }
  for (const [n, { amounts, currency, effective, posted, finer = 0, own }] of entries.entries()) {
    const places = currency === 'GAU' && finer > 0 ? { places: 2 + finer } : {}
    const on = own === undefined ? {} : { effectiveOn: day(own) }
    const mine = amounts.map(amount => ({ account: ACCOUNT, currency, amount, ...places, ...on }))
    const rest = { account: 'other', currency, amount: -amounts.reduce((sum, amount) => sum + amount, 0n), ...places }
    const data = { entry: `e${n}`, kind: 'journal', postings: [rest, ...mine], effectiveOn: day(effective) }
    history.add(ORG, 'wallet', 'w', 'EntryPosted', data, `${day(posted)}T12:00:00.000Z`)
  }
  return history
}

export type Question = {
  readonly currency: string
  readonly from?: string
  readonly to?: string
  readonly order: string
  readonly asOf?: bigint
  readonly effectiveAt?: string
}

/** What a statement must say, computed the slow way from the events. */
export function oracle(history: History, question: Question) {
  const { currency, from = '', to = '9', order, asOf = history.position, effectiveAt = '9' } = question
  const lines = history.events.flatMap(({ type, data, revision, position, metadata: { at } }) => {
    if (type !== 'EntryPosted' || position > asOf) return []
    const { postings, effectiveOn } = data as {
      postings: { account: string; currency: string; amount: bigint; places?: number; effectiveOn?: string }[]
      effectiveOn: string
    }
    return postings.map((posting, line) => ({ effectiveOn, ...posting, line, revision: Number(revision), at }))
  })
  const all = lines.filter(line => line.account === ACCOUNT && line.currency === currency)
  const unit = Math.max(2, ...all.map(({ places = 2 }) => places))
  const mine = all
    .filter(line => line.effectiveOn <= effectiveAt)
    .map(line => ({ ...line, amount: line.amount * 10n ** BigInt(unit - (line.places ?? 2)) }))
  const dayOf = (line: (typeof mine)[number]) => (order === 'posted' ? line.at.slice(0, 10) : line.effectiveOn)
  if (order === 'effective')
    mine.sort((a, b) => (a.effectiveOn < b.effectiveOn ? -1 : a.effectiveOn > b.effectiveOn ? 1 : 0))
  const opening = mine.filter(line => dayOf(line) < from).reduce((sum, { amount }) => sum + amount, 0n)
  let balance = opening
  const asked = mine.filter(line => dayOf(line) >= from && dayOf(line) <= to)
  const sum = (lines: typeof mine) => lines.reduce((total, { amount }) => total + amount, 0n)
  return {
    places: unit,
    period: {
      opening: String(opening),
      credits: String(sum(asked.filter(({ amount }) => amount > 0n))),
      debits: String(-sum(asked.filter(({ amount }) => amount < 0n))),
      count: asked.length,
      closing: String(opening + sum(asked)),
    },
    balance: String(mine.reduce((sum, { amount }) => sum + amount, 0n)),
    lines: asked.map(({ revision, line, amount, effectiveOn }) => {
      balance += amount
      return { at: `${revision}/${line}`, amount: String(amount), balance: String(balance), effectiveOn }
    }),
  }
}
