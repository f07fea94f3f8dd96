/** The statement of one account from rows: its balances as the database adds them up, its lines a page at a time. */
import { KogiError } from '../../../domain/kernel/errors.ts'
import { placesOf } from '../../../domain/record/currencies.ts'
import {
  type AccountStatement,
  CAMT_DIGITS_MAX,
  CAMT_PLACES_MAX,
  type StatementLine,
} from '../../../domain/wallet/books/account-statement.ts'
import { type Exact, exactOf, plus } from '../../../domain/wallet/statement/exact.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { entries } from '../../../projections/wallet/entries.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { checkpointsSql } from '../../consistency.ts'
import { type BookReader, bookModels, PAGE } from './load.ts'

/** Which statement: postings count for their own days. */
export type StatementQuery = {
  readonly org: string
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly madeAt: string
}

/** The account's name and currency are `$4` and `$5`, `$7` are the places of its currency, `$6` is the position. */
const SCOPE = 'p.org = $2 and p.wallet = $3 and p.account = $4 and p.currency = $5 and p.position <= $6::bigint'
const AMOUNT = `p.amount * ('1e-' || coalesce(p.places, $7::int))::numeric`
const DIGITS = `ltrim(replace(trim_scale(abs(l.amount))::text, '.', ''), '0')`

const PLACES = `select max(b.minor_places) from ${tableOf(balances)} b where b.org = $2 and b.wallet = $3
  and b.currency = $4`
const IS_OPEN = `exists(select from ${tableOf(balances)} b where b.org = $2 and b.wallet = $3 and b.account = $4
  and b.currency = $5)`

const SUMS = `select count(*), min(l.day), max(l.day), sum(l.amount) filter (where l.day < $8)::text,
    sum(l.amount) filter (where ${within('l.day')})::text, count(*) filter (where ${within('l.day')}),
    (min(l.amount) filter (where ${within('l.day')} and (min_scale(l.amount) > ${CAMT_PLACES_MAX}
      or length(${DIGITS}) > ${CAMT_DIGITS_MAX})))::text, ${IS_OPEN}
  from (select p.effective_on as day, ${AMOUNT} as amount from ${tableOf(postings)} p where ${SCOPE}) l`

const LINES = `select p.effective_on, p.revision::text, p.line, (${AMOUNT})::text, p.entry, e.description,
    e.counterparty, e.reference, 1 + (select count(*) from ${tableOf(postings)} q where q.org = p.org
      and q.wallet = p.wallet and q.account = p.account and q.currency = p.currency and q.revision = p.revision
      and q.line < p.line)::int
  from (select * from ${tableOf(postings)} p where ${SCOPE} and ${within('p.effective_on')}
      and (p.effective_on, p.revision, p.line) > ($10, $11::bigint, $12::int)
      order by p.effective_on, p.revision, p.line limit ${PAGE}) p
  left join ${tableOf(entries)} e on e.org = p.org and e.wallet = p.wallet and e.revision = p.revision
  order by p.effective_on, p.revision, p.line`

function within(day: string): string {
  return `($8::text is null or ${day} >= $8) and ($9::text is null or ${day} <= $9)`
}

/** A statement, and its lines as they are asked for. */
export type LoadedStatement = {
  readonly statement: AccountStatement
  readonly lines: () => AsyncGenerator<StatementLine>
}

/** Throws `not_found` for an account that was never opened, or outside one that nothing was posted to. */
export async function loadStatement(reader: BookReader, query: StatementQuery): Promise<LoadedStatement> {
  const { org, wallet, account, currency, from, to, madeAt } = query
  const places = await placesIn(reader, query)
  const values = [org, wallet, account, currency, String(reader.position), places, from ?? null, to ?? null]
  const text = `select c.position, c.stalled, s.* from ${checkpointsSql(bookModels)} cross join (${SUMS}) s`
  const [row] = await reader.rows({ of: bookModels, text, values })
  const [all, earliest, latest, before, sum, count, unfit, isOpen] = row!.slice(2)
  if (String(all) === '0' && isOpen !== true) {
    throw new KogiError('not_found', `The wallet has no account ${account} in ${currency}.`)
  }
  const today = madeAt.slice(0, 10)
  const first = from ?? (earliest as string | null) ?? today
  const last = to ?? [(latest as string | null) ?? today, first].sort().at(-1)!
  const exact = (value: unknown): Exact => exactOf(String(value ?? '0'))!
  const statement: AccountStatement = {
    wallet,
    account,
    currency,
    from: first,
    to: last,
    opening: exact(before),
    closing: plus(exact(before), exact(sum)),
    count: Number(count),
    ...(unfit !== null && { unfit: exact(unfit) }),
    madeAt,
  }
  return { statement, lines: () => linesOf(reader, values) }
}

/** The places of amounts that name none. */
async function placesIn(reader: BookReader, { org, wallet, currency }: StatementQuery): Promise<number> {
  const text = `select c.position, c.stalled, (${PLACES}) from ${checkpointsSql(bookModels)}`
  const [row] = await reader.rows({ of: bookModels, text, values: [org, wallet, currency] })
  return row![2] === null ? (placesOf(currency) ?? 0) : Number(row![2])
}

async function* linesOf(reader: BookReader, values: readonly unknown[]): AsyncGenerator<StatementLine> {
  const text = `select c.position, c.stalled, l.* from ${checkpointsSql(bookModels)} left join (${LINES}) l on true`
  for (let place = ['', '-1', '-1']; ; ) {
    const found = await reader.rows({ of: bookModels, text, values: [...values, ...place] })
    const rows = found.map(row => row.slice(2)).filter(([day]) => day !== null)
    for (const row of rows) yield lineOf(row)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    place = last.slice(0, 3).map(String)
  }
}

function lineOf([date, , , amount, entry, description, counterparty, reference, nth]: readonly unknown[]) {
  const text = (value: unknown) => (value === null ? undefined : String(value))
  const party = text(counterparty)
  const ref = text(reference)
  return {
    date: String(date),
    amount: exactOf(String(amount))!,
    entry: String(entry),
    description: text(description) ?? '',
    nth: Number(nth),
    ...(party !== undefined && !party.startsWith(EXTERNAL) && { counterparty: party }),
    ...(ref !== undefined && { reference: ref }),
  } satisfies StatementLine
}
