/**
 * The chart of accounts of a wallet: which accounts may exist, what they are in reports, and which may stand on the two
 * sides of an entry. The first rule whose pattern matches an account is its rule.
 */
import { rejected } from '../../kernel/errors.ts'
import { isSame } from '../../record/merge.ts'
import { because } from '../../record/reason.ts'
import { EXTERNAL } from './fields.ts'
import type { commands } from './messages.ts'
import type { Chart, OpenWallet, Posting } from './state.ts'

type Rule = Chart['rules'][number]
export type AccountType = NonNullable<Rule['type']>

/** Deviations that an entry names; it may have more. */
export const DEVIATIONS_MAX = 20

/** Sets the chart, as its next version. */
export function setChart(open: OpenWallet, { reason, ...asked }: ReturnType<(typeof commands)['setChart']['parse']>) {
  const { version = 0, ...before } = { ...open.chart }
  if (isSame(asked, before)) return []
  return [{ type: 'ChartSet', data: { version: version + 1, ...asked, ...because(reason) } } as const]
}

/** Whether an account matches a pattern, in which `*` stands for any number of characters. */
function matches(pattern: string, account: string): boolean {
  let [at, in_, star, mark] = [0, 0, -1, 0]
  while (at < account.length) {
    if (in_ < pattern.length && pattern[in_] === '*') [star, mark, in_] = [in_, at, in_ + 1]
    else if (in_ < pattern.length && pattern[in_] === account[at]) [at, in_] = [at + 1, in_ + 1]
    else if (star >= 0) [in_, mark, at] = [star + 1, mark + 1, mark + 1]
    else return false
  }
  while (pattern[in_] === '*') in_ += 1
  return in_ === pattern.length
}

/** The rule of an account, `undefined` where the chart has none. */
export const ruleOf = (rules: Chart['rules'], account: string): Rule | undefined =>
  rules.find(rule => matches(rule.account, account))

/** What the first part of a name says; the forms mean the same to PostgreSQL. */
export const NAMES_OF_TYPES: readonly (readonly [RegExp, AccountType])[] = [
  [/^assets?(:|$)/i, 'asset'],
  [/^(liabilit(y|ies)|debts?)(:|$)/i, 'liability'],
  [/^equity(:|$)/i, 'equity'],
  [/^(income|revenue)s?(:|$)/i, 'income'],
  [/^expenses?(:|$)/i, 'expense'],
]

/** Names behind `external:` that are equity. */
export const EQUITY_OUTSIDE = /^(wallet:|opening)/

/**
 * The type that the first part of a name says: those of hledger's account types in English. Behind `external:` too,
 * where `wallet:…` (another wallet) and `opening…` are equity: neither earns nor costs anything.
 */
export function typeByName(account: string): AccountType | undefined {
  const isOutside = account.startsWith(EXTERNAL)
  const name = isOutside ? account.slice(EXTERNAL.length) : account
  if (isOutside && EQUITY_OUTSIDE.test(name)) return 'equity'
  return NAMES_OF_TYPES.find(([form]) => form.test(name))?.[1]
}

type Deviation = {
  readonly code: 'account_not_in_chart' | 'postings_not_in_chart'
  readonly account: string
  readonly other?: string
}

/** How postings deviate from a chart. */
function deviationsOf({ rules }: Chart, postings: readonly Posting[]): readonly Deviation[] {
  const found = new Map<string, Deviation>()
  const add = (deviation: Deviation) => found.set(JSON.stringify(deviation), deviation)
  const ruled = postings.map(posting => ({ ...posting, rule: ruleOf(rules, posting.account) }))
  for (const { account, currency, amount, rule } of ruled) {
    if (!rule || (rule.currencies && !rule.currencies.includes(currency))) {
      add({ code: 'account_not_in_chart', account })
      continue
    }
    if (!rule.with) continue
    for (const other of ruled) {
      const isOtherSide = other.currency === currency && (amount < 0n ? other.amount > 0n : other.amount < 0n)
      if (!isOtherSide || amount === 0n || rule.with.some(pattern => matches(pattern, other.account))) continue
      add({ code: 'postings_not_in_chart', account, other: other.account })
    }
  }
  return [...found.values()]
}

const MESSAGES = {
  account_not_in_chart: 'The chart of accounts has no such account in this currency: change the chart, or the entry.',
  postings_not_in_chart: 'By the chart of accounts these two do not stand on the two sides of one entry.',
}

/** What an entry says of its deviations from a chart that only reports them. Throws where the chart is enforced. */
export function checkedBy(chart: Chart | undefined, postings: readonly Posting[]): { deviations?: string[] } {
  if (!chart || chart.mode === 'off') return {}
  const deviations = deviationsOf(chart, postings)
  const [first] = deviations
  if (!first) return {}
  const { code, ...facts } = first
  if (chart.mode === 'enforced') throw rejected(code, MESSAGES[code], facts)
  return {
    deviations: deviations
      .slice(0, DEVIATIONS_MAX)
      .map(({ code, account, other }) => [code, account, ...(other === undefined ? [] : [other])].join(' ')),
  }
}

/** The type of a new account by the chart. Throws where an enforced chart has no such account, or with another type. */
export function typeInChart(
  chart: Chart | undefined,
  {
    account,
    currency,
    type,
  }: { readonly account: string; readonly currency: string; readonly type?: AccountType | undefined },
): AccountType | undefined {
  const rule = chart && ruleOf(chart.rules, account)
  if (chart?.mode === 'enforced') {
    if (!rule || (rule.currencies && !rule.currencies.includes(currency))) {
      throw rejected('account_not_in_chart', MESSAGES.account_not_in_chart, { account, currency })
    }
    if (type !== undefined && rule.type !== undefined && type !== rule.type) {
      throw rejected('account_type_not_in_chart', 'The chart of accounts has another type.', {
        account,
        type: rule.type,
      })
    }
  }
  return type ?? rule?.type
}
