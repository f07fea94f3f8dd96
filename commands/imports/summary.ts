/** What an import says of each statement. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../domain/kernel/schema.ts'
import type { statementSummary } from '../../domain/wallet/import/messages.ts'
import { at, type Exact, shortest } from '../../domain/wallet/statement/exact.ts'
import { gapOf, type Statement, sumOf } from '../../domain/wallet/statement/file.ts'
import type { Rules } from '../../domain/wallet/statement/rules.ts'
import { accountOf, currencyOf } from './rows.ts'

export type Summary = ReturnType<typeof statementSummary.parse>

const DIGITS_MAX = String(MAX_MINOR_UNITS).length

/** Amounts are in one unit, as fine as the statement needs and no coarser than the wallet's. */
export function summaryOf(
  statement: Statement,
  rules: Rules,
  named: string | undefined,
  placesOf: (currency: string) => number,
): Summary {
  const { opening, closing, number, rows } = statement
  const currency = currencyOf(statement.currency || (rows[0]?.currency ?? ''), rules)
  const [sum, gap] = [
    sumOf({ ...statement, currency: statement.currency || (rows[0]?.currency ?? '') }),
    gapOf(statement),
  ]
  const least = currency === '' ? 0 : placesOf(currency)
  const places = Math.max(
    least,
    ...[sum, opening?.amount, closing?.amount].map(one => (one ? shortest(one).places : 0)),
  )
  const units = (amount: Exact) => {
    const found = at(shortest(amount), places)
    if (found <= MAX_MINOR_UNITS && found >= -MAX_MINOR_UNITS) return found
    const what = `a balance or a sum of the statement has more than ${DIGITS_MAX} digits, decimal places included`
    const message = `line ${statement.line}: ${what}. Mend the file. Nothing was written.`
    throw new KogiError('import_invalid', message, [{ field: `line ${statement.line}`, message: what }])
  }
  const days = rows.flatMap(({ date }) => date ?? []).sort()
  const [from, to] = [opening?.date ?? days[0], closing?.date ?? days.at(-1)]
  return {
    bank_account: statement.account,
    account: accountOf(statement.account, rules, named),
    currency: currency || 'XXX',
    places,
    sum: units(sum),
    rows: rows.length,
    ...(number !== undefined && { number }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(opening && { opening: units(opening.amount) }),
    ...(closing && { closing: units(closing.amount) }),
    ...(gap && { gap: units(gap) }),
  }
}
