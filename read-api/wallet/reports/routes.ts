/** The financial reports: of a wallet, or of all wallets of an organization. */
import type { z } from 'zod'
import type { ApiRequest, Parameter, Route } from '../../../domain/kernel/route.ts'
import { currency, date, id, integer, list, minorUnits, object, text } from '../../../domain/kernel/schema.ts'
import { placesOf } from '../../../domain/record/currencies.ts'
import { accountType } from '../../../domain/wallet/wallet/fields.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../../as-of.ts'
import { positioned, type ReadStore, readErrors } from '../../consistency.ts'
import { cursorOf, placeOf } from '../../cursor.ts'
import {
  afterParameter,
  fromPath,
  inQuery,
  invalidParameter,
  listed,
  type Queries,
  queriesOf,
  severalInQuery,
  tokenParameters,
  whole,
} from '../../parameters.ts'
import { placesText, usedRate } from '../valuing.ts'
import { balanceSheet, incomeStatement, trialBalance } from './made.ts'
import { type AccountSum, accountSums, type Period } from './sums.ts'
import { type Made, type Target, valuedIn } from './valued.ts'

const walletId = id('wallet')
const amount = (description: string) => minorUnits.meta({ description })
const row = object({
  wallet: walletId,
  account: text(255),
  currency,
  places: integer(0, 30),
  type: accountType.optional().meta({ description: 'absent: neither the chart of accounts nor the name says it' }),
  balance: amount('what stands there: above zero on the side that the section is read on'),
  value: amount('the balance in the currency of `in`, rounded').optional(),
})
const inTransit = amount(
  'what is left of the sum: zero, but for entries of which some postings count for that day and others for a later one',
)
const ROWS_MAX = 10_000
const ROWS_DEFAULT = 1_000
const TOTALS_MAX = 10_000
const rows = list(row, ROWS_MAX)

/** Totals in each currency, and, where `in` is asked for, all of them together in that one. */
const totalsOf = (shape: Readonly<Record<string, typeof minorUnits>>) => {
  const money = { currency, places: integer(0, 30), ...shape }
  const total = object({ ...money, day: date, rates: list(usedRate, 3 * TOTALS_MAX) }).meta({
    description: 'the totals in the currency of `in`, each added up exactly and rounded once',
  })
  return { total: total.optional(), totals: list(object(money), TOTALS_MAX) }
}

const trialSchema = object({
  wallet: walletId.optional(),
  at: date.optional(),
  ...totalsOf({
    debit: amount('the sum of the debit balances'),
    credit: amount('the sum of the credit balances'),
    in_transit: inTransit,
  }),
  accounts: list(
    row.extend({
      debit: amount('the balance, where it is a debit balance: what an asset or an expense has'),
      credit: amount('the balance without its sign, where it is a credit balance: what a liability or an income has'),
    }),
    ROWS_MAX,
  ),
})
const sheetSchema = object({
  wallet: walletId.optional(),
  at: date.optional(),
  ...totalsOf({
    assets: minorUnits,
    liabilities: minorUnits,
    equity: minorUnits,
    earnings: amount('income less expenses up to that day'),
    in_transit: inTransit,
  }),
  assets: rows,
  liabilities: rows,
  equity: rows,
})
const incomeSchema = object({
  wallet: walletId.optional(),
  from: date.optional(),
  to: date.optional(),
  ...totalsOf({
    income: minorUnits,
    expenses: minorUnits,
    unclassified: amount('what of the net comes from accounts without a type'),
    net: amount('income less expenses'),
  }),
  income: rows,
  expenses: rows,
})

/** What rows are in the order of. */
const KEY = [row.shape.wallet, row.shape.account, row.shape.currency]

/** A report: its path, what it asks for, what it makes of sums. */
type Report = {
  readonly name: string
  readonly operation: string
  readonly title: string
  readonly schema: z.ZodObject
  readonly isOfPeriod: boolean
  readonly make: {
    readonly condition: string
    readonly totals: (sums: readonly AccountSum[]) => Made['totals']
    readonly sections: (sums: readonly AccountSum[]) => Omit<Made, 'totals'>
  }
}

const REPORTS: readonly Report[] = [
  {
    name: 'trial-balance',
    operation: 'TrialBalance',
    title: 'The trial balance: every account with its balance, which sum to zero',
    schema: trialSchema,
    isOfPeriod: false,
    make: trialBalance,
  },
  {
    name: 'balance-sheet',
    operation: 'BalanceSheet',
    title: 'The balance sheet: assets, liabilities and equity at the end of a day',
    schema: sheetSchema,
    isOfPeriod: false,
    make: balanceSheet,
  },
  {
    name: 'income-statement',
    operation: 'IncomeStatement',
    title: 'The income statement of a period: income, expenses, and what they leave',
    schema: incomeSchema,
    isOfPeriod: true,
    make: incomeStatement,
  },
]

export const currencyParameter = inQuery('currency', currency, 'only this currency')
const valueParameters: readonly Parameter[] = [
  inQuery('in', currency, 'also give everything in this currency, by the rates of a day'),
  inQuery('in_places', placesText, 'decimal places of that: those of ISO 4217 if left out'),
  inQuery('rate_day', date, 'day of the rates: the last day of the report if left out, and today where it has none'),
  severalInQuery('source', id('rate table'), 'only rates of these rate tables'),
]
/** The rows of a report, a page at a time. */
export const rowsParameters: readonly Parameter[] = [
  inQuery('limit', whole(1, ROWS_MAX, ROWS_DEFAULT), 'most rows to answer with; totals are always of all'),
  afterParameter,
]
export const rowsLimitOf = ({ limit }: Queries): number => Number(limit ?? ROWS_DEFAULT)
export const walletParameter: Parameter = { name: 'id', in: 'path', schema: walletId, description: 'id of the wallet' }
export const fromToParameters: readonly Parameter[] = [
  inQuery('from', date, 'first day of the period'),
  inQuery('to', date, 'last day of the period'),
]
const atParameter = inQuery('at', date, 'the day at whose end it is: entries of later days do not count')

export const reportErrors = { ...asOfErrors, 404: ['not_found', 'rate_unknown'], ...readErrors }

/** The period that a request asks for. Throws `invalid_parameter` for one that ends before it begins. */
export function periodOf(request: ApiRequest, { from, to, at, currency }: Queries): Period {
  if (from !== undefined && to !== undefined && from > to) throw invalidParameter('to', 'must not lie before from')
  const wallet = request.params.id === undefined ? undefined : String(fromPath(request, 'id', walletId))
  return { wallet, currency, from, to: to ?? at }
}

/** The currency that a report is asked for in. */
function targetOf({ in: code, in_places, rate_day, to, at }: Queries): Target | undefined {
  if (code === undefined) return undefined
  const places = in_places === undefined ? placesOf(code) : Number(in_places)
  if (places === undefined) throw invalidParameter('in_places', `must be given: ${code} is no ISO 4217 code`)
  return { currency: code, places, day: rate_day ?? to ?? at ?? new Date().toISOString().slice(0, 10) }
}

/** The routes of all reports, each of a wallet and of the organization. */
export const reportRoutes = (deps: ReadStore): Route[] =>
  REPORTS.flatMap(report => [reportRoute(deps, report, true), reportRoute(deps, report, false)])

function reportRoute(
  deps: ReadStore,
  { name, operation, title, schema, isOfPeriod, make }: Report,
  isOfWallet: boolean,
): Route {
  const parameters = [
    ...(isOfWallet ? [walletParameter] : []),
    ...(isOfPeriod ? fromToParameters : [atParameter]),
    currencyParameter,
    ...valueParameters,
    asOfParameter,
    ...rowsParameters,
    ...tokenParameters,
  ]
  return {
    method: 'GET',
    path: `/kwlt/${isOfWallet ? 'wallets/:id/' : ''}${name}`,
    permission: 'wallet.accounts.read',
    tag: 'kwlt',
    operationId: `get${isOfWallet ? 'Wallet' : ''}${operation}`,
    summary: `${title}, of ${isOfWallet ? 'a wallet' : 'all wallets'}.`,
    parameters,
    response: schema,
    errors: { ...reportErrors, 422: ['report_too_large'] },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const wanted = await wantedOf(deps, request, query)
      const target = targetOf(query)
      const sources = query.source === undefined ? undefined : listed(query.source)
      const period = { ...periodOf(request, query), ...(target && { rates: { day: target.day, sources } }) }
      const limit = rowsLimitOf(query)
      const after = query.after === undefined ? undefined : placeOf(query.after, name, KEY, wanted.asOf)
      const rows = { condition: make.condition, after, limit }
      const { totals, accounts, rates, position } = await accountSums(deps, request, period, { wanted, rows })
      const page = accounts.slice(0, limit)
      const report = { totals: make.totals(totals), ...make.sections(page) }
      const made = target ? valuedIn(report, target, rates) : report
      const last = accounts.length > limit ? page.at(-1)! : undefined
      const next = last && cursorOf(name, [last.wallet, last.account, last.currency], wanted.asOf)
      const { wallet } = period
      const { from, to, at } = query
      const head = Object.entries({ wallet, from, to, at }).filter(([, value]) => value !== undefined)
      return {
        data: { ...Object.fromEntries(head), ...made },
        pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
        ...positioned(position, wanted.asOf),
      }
    },
  }
}
