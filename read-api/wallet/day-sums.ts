/** The SQL of what was posted by day: whole months are rows of their own, and days are read of those that are cut. */
import { tableOf } from '../../projections/rows/tables.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { accountMonths } from '../../projections/wallet/account-months.ts'
import { USUAL_UNIT } from '../../projections/wallet/posting-sums.ts'
import { postings } from '../../projections/wallet/postings.ts'

/** The models that it reads. */
export const DAY_SUMS_OF = [accountMonths, accountDays]

type Days = { readonly from: string | undefined; readonly to: string | undefined }

/**
 * SQL of rows `wallet`, `account`, `currency`, `unit` and `sum`: of an account several, which add up to what was posted
 * to it from `from` to `to`. `where`: further conditions on a row `t`.
 */
export function daySumsSql({ from, to }: Days, where: string, put: (value: unknown) => string): string {
  const sum = 't.wallet, t.account, t.currency, t.unit, t.credits - t.debits as sum'
  const days = (first: string, last: string) =>
    `select ${sum} from ${tableOf(accountDays)} t
    where ${where} and t.effective_on >= ${put(first)} and t.effective_on <= ${put(last)}`
  const isFirstCut = from !== undefined && !from.endsWith('-01')
  const isLastCut = to !== undefined && !isLastOfMonth(to)
  const isOneMonth = from !== undefined && to !== undefined && monthOf(from) === monthOf(to)
  if (isOneMonth && (isFirstCut || isLastCut)) return days(from, to)
  const months = [
    where,
    ...(from === undefined ? [] : [`t.month ${isFirstCut ? '>' : '>='} ${put(monthOf(from))}`]),
    ...(to === undefined ? [] : [`t.month ${isLastCut ? '<' : '<='} ${put(monthOf(to))}`]),
  ]
  return [
    `select ${sum} from ${tableOf(accountMonths)} t where ${months.join(' and ')}`,
    ...(isFirstCut ? [days(from, `${monthOf(from)}-31`)] : []),
    ...(isLastCut ? [days(`${monthOf(to)}-01`, to)] : []),
  ].join(' union all ')
}

/** What is added up of a row `t`: its amount, and the decimal places of that, null where they are the usual ones. */
const OF_SUMS = { amount: 't.credits - t.debits', places: `nullif(t.unit, '${USUAL_UNIT}')::int` }
const OF_POSTINGS = { amount: 't.amount', places: 't.places' }

/**
 * SQL of what was posted for days after `day` to the account of a row `b` with `last_on`, `places` and `minor_places`,
 * in its unit; `then`: as known at a position. Accounts without such a posting, nearly all of them, are not looked up.
 */
export function laterSql(day: string, then: string | undefined): string {
  const sum = (table: string, { amount, places }: typeof OF_SUMS, condition: string) => {
    // Nearly all are in the usual unit, which is brought into that of the account once.
    const usual = `coalesce(sum(${amount}) filter (where ${places} is null), 0)`
    const finer = `sum((${amount}) * ('1e' || (b.places - ${places}))::numeric) filter (where ${places} is not null)`
    return `(select ${usual} * ('1e' || (b.places - b.minor_places))::numeric + coalesce(${finer}, 0) from ${table} t
      where t.org = b.org and t.wallet = b.wallet and t.account = b.account and t.currency = b.currency
        and ${condition})`
  }
  const isLater = `b.last_on > ${day}`
  if (then !== undefined) {
    const condition = `t.effective_on > ${day} and t.position <= ${then}::bigint`
    return `case when ${isLater} then ${sum(tableOf(postings), OF_POSTINGS, condition)} else 0 end`
  }
  const month = `left(${day}, 7)`
  const days = sum(tableOf(accountDays), OF_SUMS, `t.effective_on > ${day} and t.effective_on <= ${month} || '-31'`)
  const months = sum(tableOf(accountMonths), OF_SUMS, `t.month > ${month}`)
  return `case when ${isLater} then ${days} else 0 end
    + case when left(b.last_on, 7) > ${month} then ${months} else 0 end`
}

const monthOf = (day: string): string => day.slice(0, 7)

export function isLastOfMonth(day: string): boolean {
  const next = new Date(`${day}T00:00:00Z`)
  next.setUTCDate(next.getUTCDate() + 1)
  return next.getUTCDate() === 1
}
