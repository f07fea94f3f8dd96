/** The rows of a file as entries of a wallet: which account, how much, and the key by which a row is known again. */
import { hash } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { type Exact, shortest, written } from '../../domain/wallet/statement/exact.ts'
import type { Statement, StatementFile, StatementRow } from '../../domain/wallet/statement/file.ts'
import { type Rules, ruleFor } from '../../domain/wallet/statement/rules.ts'
import { EXTERNAL } from '../../domain/wallet/wallet/messages.ts'

/** A row that the bank booked, and where it goes. */
export type BankRow = {
  /** `bank:<hash>:<n>`: what makes it this row, and its number among the equal ones of the file. */
  readonly key: string
  readonly line: number
  readonly date: string
  readonly amount: Exact
  readonly currency: string
  /** Account of the wallet. */
  readonly account: string
  /** Account on the other side. */
  readonly against: string
  readonly words: string
  readonly payee?: string
  readonly reference?: string
  readonly tags: readonly string[]
  /** Number of the rule that decided it, from 1. */
  readonly rule?: number
}

const WORDS_MAX = 1000
const ACCOUNT_MAX = 255

/** Account of the wallet that stands for one at the bank: as the rules or the caller name it. */
export function accountOf(bankAccount: string, rules: Rules, named: string | undefined): string {
  return namesIn(rules).get(bankAccount) ?? named ?? `assets:bank:${storable(bankAccount)}`.slice(0, ACCOUNT_MAX)
}

const names = new WeakMap<Rules, ReadonlyMap<string, string>>()

/** Accounts of the wallet by those of the bank: of several rules for one the first. */
function namesIn(rules: Rules): ReadonlyMap<string, string> {
  const known = names.get(rules)
  if (known) return known
  const made = new Map(rules.accounts.toReversed().map(({ bank, account }) => [bank, account]))
  names.set(rules, made)
  return made
}

/** The booked rows of a file, in its order. It has no faults. */
export function bankRowsOf(file: StatementFile, rules: Rules, named: string | undefined): readonly BankRow[] {
  const seen = new Map<string, number>()
  return file.statements.flatMap(statement => {
    const account = accountOf(statement.account, rules, named)
    return statement.rows
      .filter(({ booked }) => booked)
      .map(row => {
        const currency = currencyOf(row.currency, rules)
        const content = [account, currency, ...identityOf(row, file.format)]
        const sha256 = hash('sha256', canonicalJson(content), 'hex')
        const nth = (seen.get(sha256) ?? 0) + 1
        seen.set(sha256, nth)
        return bankRow({ statement, row, account, currency, rules, key: `bank:${sha256}:${nth}` })
      })
  })
}

/** What a currency of the bank is called in the wallet. */
export const currencyOf = (bankCurrency: string, { currencies }: Rules): string =>
  currencies.find(({ bank }) => bank === bankCurrency)?.currency ?? bankCurrency

type Parts = {
  readonly statement: Statement
  readonly row: StatementRow
  readonly account: string
  readonly currency: string
  readonly rules: Rules
  readonly key: string
}

function bankRow({ statement, row, account, currency, rules, key }: Parts): BankRow {
  const { line, payee, reference } = row
  const found = ruleFor(rules, { ...row, account: statement.account })
  const said = found?.rule.description ?? [payee, row.text].filter(Boolean).join(': ')
  return {
    key,
    line,
    date: row.date!,
    amount: row.amount!,
    currency,
    account,
    against: found?.rule.account ?? rules.unmatched,
    words: clipped(storable(said), WORDS_MAX),
    tags: found?.rule.tags ?? [],
    ...(payee !== undefined && { payee: storable(payee) }),
    ...(reference !== undefined && { reference: storable(reference) }),
    ...(found && { rule: found.number }),
  }
}

/**
 * What makes a row the same one in another file: the bank's id where the format has ids for that, with day and amount,
 * because ids are used again; otherwise all that it says. MT940 has references, which many rows share.
 */
function identityOf(row: StatementRow, format: StatementFile['format']): readonly unknown[] {
  const { date = null, valueDate = null, kind = null, reference = null, payee = null, id = null } = row
  const amount = written(shortest(row.amount!))
  if (id !== null && format !== 'mt940') return ['id', id, date, amount]
  return ['row', date, amount, valueDate, kind, id, reference, payee, row.text]
}

/** The first so many characters of a text. */
export const clipped = (text: string, max: number): string =>
  text.length <= max ? text : [...text].slice(0, max).join('')

/** Texts of one space between words at most, as nearly all are. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/

/** A text without what no wallet stores: control characters become spaces. */
const storable = (text: string): string =>
  PLAIN.test(text) ? text : text.replaceAll(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim()

/** Whether an account is one of the wallet's. */
export const isOwn = (account: string): boolean => !account.startsWith(EXTERNAL)
