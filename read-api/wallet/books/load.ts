/**
 * Books from rows. What stands before and behind the entries is made of sums that the database adds up; the entries
 * themselves come a page at a time, so that books of any length take the memory of a page, and of their accounts.
 */
import { KogiError } from '../../../domain/kernel/errors.ts'
import { placesOf } from '../../../domain/record/currencies.ts'
import {
  type AccountType,
  type Book,
  type BookAccount,
  type BookEntry,
  bookOf,
  compare,
} from '../../../domain/wallet/books/book.ts'
import { type Exact, NOTHING, plus } from '../../../domain/wallet/statement/exact.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import { bucketOf } from '../../../projections/rows/bucket.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { entries } from '../../../projections/wallet/entries.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { checkpointsSql, wireTypes } from '../../consistency.ts'
import type { ReadPool } from '../../pool.ts'
import type { Statement } from '../../statement.ts'

/** What is asked for. Without a wallet the books are those of the org. */
export type BookQuery = {
  readonly org: string
  readonly wallet?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
}

/**
 * Runs a statement of the read models as of one position, the same for all of one file: entries and postings are only
 * ever added, so what was there at that position is the same whenever a page is read.
 */
export type BookReader = {
  readonly position: bigint
  readonly rows: (statement: Statement) => Promise<readonly (readonly unknown[])[]>
}

/** What books are made of; a reader is as of a position that all of them have reached. */
export const bookModels = [entries, postings, balances] as const

/** A reader as of the position that the read models of books have reached by now. */
export async function readerOf(pool: ReadPool, org: string): Promise<BookReader> {
  const bucket = bucketOf(org)
  const rows: BookReader['rows'] = async ({ text, values }) =>
    (await pool.query({ text, values: [bucket, ...values], rowMode: 'array', types: wireTypes })).rows
  const text = `select c.position from ${checkpointsSql(bookModels)}`
  const [checkpoint] = await rows({ of: bookModels, text, values: [] })
  return { position: BigInt(String(checkpoint![0])), rows }
}

/** Entries, or lines of a statement, that are in memory at once. */
export const PAGE = 500

/** Conditions on an entry `e`, or a posting, of the org `$2`, the wallet `$3`, up to the position `$4`. */
const SCOPE = (row: string) =>
  `${row}.org = $2 and ($3::text is null or ${row}.wallet = $3) and ${row}.position <= $4::bigint`

const ACCOUNTS = `select 'account', jsonb_build_object('wallet', b.wallet, 'account', b.account, 'currency',
    b.currency, 'places', b.minor_places, 'type', b.type)::text
  from ${tableOf(balances)} b where b.org = $2 and ($3::text is null or b.wallet = $3)`

/** What was posted to each account in each unit: by entries before the first day `$5`, and by those up to `$6`. */
const SUMS = `select 'sum', jsonb_build_object('wallet', s.wallet, 'account', s.account, 'currency', s.currency,
    'places', s.places, 'before', s.before::text, 'within', s.within::text, 'posted', s.posted)::text
  from (
    select p.wallet, p.account, p.currency, p.places,
      coalesce(sum(p.amount) filter (where e.effective_on < $5), 0) as before,
      coalesce(sum(p.amount) filter (where $5::text is null or e.effective_on >= $5), 0) as within,
      bool_or($5::text is null or e.effective_on >= $5) as posted
    from ${tableOf(postings)} p join ${tableOf(entries)} e
      on e.org = p.org and e.wallet = p.wallet and e.revision = p.revision
    where ${SCOPE('p')} and ($6::text is null or e.effective_on <= $6) group by 1, 2, 3, 4) s`

const DAYS = `select 'days', jsonb_build_object('first', min(e.effective_on), 'last', max(p.effective_on),
    'last_entry', max(e.effective_on))::text
  from ${tableOf(postings)} p join ${tableOf(entries)} e
    on e.org = p.org and e.wallet = p.wallet and e.revision = p.revision
  where ${SCOPE('p')} and ($5::text is null or e.effective_on >= $5) and ($6::text is null or e.effective_on <= $6)`

/** A page of entries: a wallet after the other, by day, those of a day in the order of posting. */
const ENTRIES = `select jsonb_build_object('id', e.id, 'wallet', e.wallet, 'date', e.effective_on, 'kind', e.kind,
    'description', e.description, 'counterparty', e.counterparty, 'reference', e.reference, 'tags', e.tags,
    'source', e.source, 'reverses', e.reverses, 'at', e.posted_at, 'by', e.posted_by, 'postings', e.postings,
    'revision', e.revision::text)::text as row
  from ${tableOf(entries)} e where ${SCOPE('e')}
    and ($5::text is null or e.effective_on >= $5) and ($6::text is null or e.effective_on <= $6)
    and (e.wallet, e.effective_on, e.revision) > ($7, $8, $9::bigint)
  order by e.wallet, e.effective_on, e.revision limit ${PAGE}`

const valuesOf = ({ position }: BookReader, { org, wallet, from, to }: BookQuery) => [
  org,
  wallet ?? null,
  String(position),
  from ?? null,
  to ?? null,
]

type AccountRow = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly places: number
  readonly type: AccountType | null
}
type SumRow = Pick<AccountRow, 'wallet' | 'account' | 'currency'> & {
  readonly places: number | null
  readonly before: string
  readonly within: string
  readonly posted: boolean
}
type DaysRow = { readonly first: string | null; readonly last: string | null; readonly last_entry: string | null }
type EntryRow = {
  readonly id: string
  readonly wallet: string
  readonly date: string
  readonly kind: string
  readonly description: string | null
  readonly counterparty: string | null
  readonly reference: string | null
  readonly tags: readonly string[]
  readonly source: string | null
  readonly reverses: string | null
  readonly at: string
  readonly by: string
  readonly postings: readonly {
    readonly account: string
    readonly currency: string
    readonly amount: string
    readonly places?: number
    readonly effective_on?: string
  }[]
  readonly revision: string
}

/** Books, and their entries as they are asked for. */
export type LoadedBook = { readonly book: Book; readonly entries: AsyncIterable<BookEntry> }

/** Throws `not_found` for a wallet with neither an account nor an entry; an organization may have empty books. */
export async function loadBook(reader: BookReader, query: BookQuery): Promise<LoadedBook> {
  const { org, wallet, from, to } = query
  const text = `select c.position, c.stalled, r.* from ${checkpointsSql(bookModels)}
    left join (${ACCOUNTS} union all ${SUMS} union all ${DAYS}) r(what, row) on true`
  const found = await reader.rows({ of: bookModels, text, values: valuesOf(reader, query) })
  const of = <T>(kind: string) => found.flatMap(row => (row[2] === kind ? [JSON.parse(String(row[3])) as T] : []))
  const accounts = of<AccountRow>('account')
  const sums = of<SumRow>('sum')
  if (wallet !== undefined && accounts.length === 0 && sums.length === 0) {
    throw new KogiError('not_found', `The wallet ${wallet} has no account and no entry.`)
  }
  const [days] = of<DaysRow>('days')
  const minor = minorOf(accounts)
  const nameOf = (of: string, account: string) => (wallet === undefined ? named(of, account) : account)
  const types = accounts.flatMap(({ wallet: of, account, type }) =>
    type ? [[nameOf(of, account), type] as const] : [],
  )
  const last = [days?.last, days?.last_entry].flatMap(day => day ?? []).sort()
  const whose = wallet === undefined ? `all wallets of ${org}` : `the wallet ${wallet} of ${org}`
  const when = [from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(' ')
  const book = bookOf(accountsOf(sums, minor, nameOf), {
    title: [`Books of ${whose}${when ? `, ${when}` : ''}`, `Kogi, as of position ${reader.position}`],
    ...(from !== undefined && { from }),
    first: days?.first ?? undefined,
    last: last.at(-1),
    types: new Map(types),
  })
  return { book, entries: entriesOf(reader, query, row => entryOf(row, minor, nameOf)) }
}

type NameOf = (wallet: string, account: string) => string
type MinorOf = (wallet: string, currency: string) => number

/** Decimal places of amounts that name none. */
function minorOf(accounts: readonly AccountRow[]): MinorOf {
  const places = new Map(accounts.map(one => [JSON.stringify([one.wallet, one.currency]), one.places]))
  return (wallet, currency) => places.get(JSON.stringify([wallet, currency])) ?? placesOf(currency) ?? 0
}

/** One row of sums for each account, in the order of their names. */
function accountsOf(sums: readonly SumRow[], minor: MinorOf, nameOf: NameOf): readonly BookAccount[] {
  const found = new Map<string, BookAccount>()
  for (const { wallet, account, currency, places, before, within, posted } of sums) {
    const name = nameOf(wallet, account)
    const key = JSON.stringify([name, currency])
    const exact = (digits: string): Exact => ({ digits: BigInt(digits), places: places ?? minor(wallet, currency) })
    const one = found.get(key) ?? { before: NOTHING, within: NOTHING, isPosted: false }
    found.set(key, {
      account: name,
      currency,
      before: plus(one.before, exact(before)),
      within: plus(one.within, exact(within)),
      isPosted: one.isPosted || posted,
    })
  }
  return [...found.values()].sort((a, b) => compare(a.account, b.account) || compare(a.currency, b.currency))
}

async function* entriesOf(
  reader: BookReader,
  query: BookQuery,
  made: (row: EntryRow) => BookEntry,
): AsyncGenerator<BookEntry> {
  const text = `select c.position, c.stalled, r.* from ${checkpointsSql(bookModels)} left join (${ENTRIES}) r on true`
  const values = valuesOf(reader, query)
  for (let place = ['', '', '-1']; ; ) {
    const found = await reader.rows({ of: bookModels, text, values: [...values, ...place] })
    const rows = found.flatMap(row => (row[2] === null ? [] : [JSON.parse(String(row[2])) as EntryRow]))
    for (const row of rows) yield made(row)
    const last = rows.at(-1)
    if (!last || rows.length < PAGE) return
    place = [last.wallet, last.date, last.revision]
  }
}

function entryOf(row: EntryRow, minor: MinorOf, nameOf: NameOf): BookEntry {
  return {
    id: row.id,
    wallet: row.wallet,
    date: row.date,
    kind: row.kind,
    description: row.description ?? '',
    tags: row.tags,
    postedAt: row.at,
    postedBy: row.by,
    ...(row.counterparty !== null && !row.counterparty.startsWith(EXTERNAL) && { counterparty: row.counterparty }),
    ...(row.reference !== null && { reference: row.reference }),
    ...(row.source !== null && { source: row.source }),
    ...(row.reverses !== null && { reverses: row.reverses }),
    postings: row.postings.map(({ account, currency, amount, places, effective_on }) => ({
      account: nameOf(row.wallet, account),
      currency,
      amount: { digits: BigInt(amount), places: places ?? minor(row.wallet, currency) },
      ...(effective_on !== undefined && { date: effective_on }),
    })),
  }
}

/** `studio:assets:bank`, and `external:studio:client` for the world outside. */
const named = (wallet: string, account: string): string =>
  account.startsWith(EXTERNAL) ? `${EXTERNAL}${wallet}:${account.slice(EXTERNAL.length)}` : `${wallet}:${account}`
