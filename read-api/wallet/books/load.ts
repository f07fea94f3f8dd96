/** Books from rows: the entries of a wallet or of an org, as one statement of SQL has them. */
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { AccountStatement, StatementLine } from '../../../domain/wallet/books/account-statement.ts'
import type { AccountType, Book, BookEntry, Held } from '../../../domain/wallet/books/book.ts'
import { compare } from '../../../domain/wallet/books/book.ts'
import { type Exact, NOTHING, plus } from '../../../domain/wallet/statement/exact.ts'
import { placesOf } from '../../../domain/wallet/wallet/currencies.ts'
import { EXTERNAL } from '../../../domain/wallet/wallet/fields.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { balances } from '../../../projections/wallet/balances.ts'
import { entries } from '../../../projections/wallet/entries.ts'

/** What is asked for. Without a wallet the books are those of the org. */
export type BookQuery = {
  readonly org: string
  readonly wallet?: string | undefined
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** The position that they are as of. */
  readonly asOf?: bigint | undefined
}

/** More entries than this are not put into one answer. */
export const ENTRIES_MAX = 200_000

export const bookModels = [entries, balances] as const

/**
 * SQL of a row for each account and each entry, as JSON texts; `org`, `wallet`, `position` and `most` are values.
 * Entries come in the order of posting.
 */
export const bookSql = (org: string, wallet: string, position: string, most: string): string => `
  (select 'account' as what, jsonb_build_object('wallet', b.wallet, 'account', b.account, 'currency', b.currency,
      'places', b.minor_places, 'type', b.type)::text as row
    from ${tableOf(balances)} b where b.org = ${org} and (${wallet}::text is null or b.wallet = ${wallet})
  union all
  (select 'entry', jsonb_build_object('id', e.id, 'wallet', e.wallet, 'date', e.effective_on, 'kind', e.kind,
      'description', e.description, 'counterparty', e.counterparty, 'reference', e.reference, 'tags', e.tags,
      'source', e.source, 'reverses', e.reverses, 'at', e.posted_at, 'by', e.posted_by, 'postings', e.postings)::text
    from ${tableOf(entries)} e where e.org = ${org} and (${wallet}::text is null or e.wallet = ${wallet})
      and (${position}::bigint is null or e.position <= ${position}::bigint)
    order by e.position limit ${most}))`

type AccountRow = {
  readonly wallet: string
  readonly account: string
  readonly currency: string
  readonly places: number
  readonly type: AccountType | null
}
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
}

/** The entries of rows, all of them, by day; accounts of an org begin with the name of their wallet. */
export type LoadedBook = {
  readonly entries: readonly BookEntry[]
  readonly types: ReadonlyMap<string, AccountType>
  /** Accounts of the wallets, by account and currency as JSON, those without an entry too. */
  readonly accounts: ReadonlySet<string>
  readonly position: bigint
}

export function loadedBook(
  rows: readonly (readonly [what: string, row: string])[],
  { wallet }: BookQuery,
  position: bigint,
): LoadedBook {
  const accounts = rows.flatMap(([what, row]) => (what === 'account' ? [JSON.parse(row) as AccountRow] : []))
  const places = new Map(accounts.map(one => [JSON.stringify([one.wallet, one.currency]), one.places]))
  const nameOf = (of: string, account: string) => (wallet === undefined ? named(of, account) : account)
  const found = rows.flatMap(([what, row]) => (what === 'entry' ? [JSON.parse(row) as EntryRow] : []))
  if (found.length > ENTRIES_MAX) {
    const message = `The books have more than ${ENTRIES_MAX} entries: export one wallet after another.`
    throw new KogiError('export_impossible', message)
  }
  const entries = found.map((row): BookEntry => {
    const minor = (currency: string) => places.get(JSON.stringify([row.wallet, currency])) ?? placesOf(currency) ?? 0
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
        amount: { digits: BigInt(amount), places: places ?? minor(currency) },
        ...(effective_on !== undefined && { date: effective_on }),
      })),
    }
  })
  const types = accounts.flatMap(({ wallet: of, account, type }) =>
    type ? [[nameOf(of, account), type] as const] : [],
  )
  return {
    entries: entries.sort((a, b) => compare(a.date, b.date)),
    types: new Map(types),
    accounts: new Set(accounts.map(one => JSON.stringify([nameOf(one.wallet, one.account), one.currency]))),
    position,
  }
}

/** `studio:assets:bank`, and `external:studio:client` for the world outside. */
const named = (wallet: string, account: string): string =>
  account.startsWith(EXTERNAL) ? `${EXTERNAL}${wallet}:${account.slice(EXTERNAL.length)}` : `${wallet}:${account}`

/** Books of a period: what was before its first day is one opening balance. */
export function bookOf({ entries, types, position }: LoadedBook, { org, wallet, from, to }: BookQuery): Book {
  const within = entries.filter(({ date }) => (from === undefined || date >= from) && (to === undefined || date <= to))
  const before = from === undefined ? [] : entries.filter(({ date }) => date < from)
  const held = new Map<string, Held>()
  for (const { account, currency, amount } of before.flatMap(({ postings }) => postings)) {
    const key = JSON.stringify([account, currency])
    held.set(key, { account, currency, amount: plus(held.get(key)?.amount ?? NOTHING, amount) })
  }
  const of = wallet === undefined ? `all wallets of ${org}` : `the wallet ${wallet} of ${org}`
  const when = [from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(' ')
  return {
    title: [`Books of ${of}${when ? `, ${when}` : ''}`, `Kogi, as of position ${position}`],
    ...(from !== undefined && { from }),
    opening: [...held.values()].filter(({ amount }) => amount.digits !== 0n),
    entries: within,
    types,
  }
}

/**
 * The statement of one account, whose postings count for their own days. Throws `not_found` for an account that was
 * never opened, or outside one that nothing was posted to.
 */
export function statementOf(
  { entries, accounts }: LoadedBook,
  { wallet, from, to }: BookQuery & { readonly wallet: string },
  { account, currency, madeAt }: { readonly account: string; readonly currency: string; readonly madeAt: string },
): AccountStatement {
  const all = entries.flatMap(({ id, date, description, counterparty, reference, postings }) =>
    postings
      .filter(posting => posting.account === account && posting.currency === currency)
      .map(
        (posting): StatementLine => ({
          date: posting.date ?? date,
          amount: posting.amount,
          entry: id,
          description,
          ...(counterparty !== undefined && { counterparty }),
          ...(reference !== undefined && { reference }),
        }),
      ),
  )
  const lines = all.sort((a, b) => compare(a.date, b.date))
  if (lines.length === 0 && !accounts.has(JSON.stringify([account, currency]))) {
    throw new KogiError('not_found', `The wallet has no account ${account} in ${currency}.`)
  }
  const today = madeAt.slice(0, 10)
  const first = from ?? lines[0]?.date ?? today
  const last = to ?? [lines.at(-1)?.date ?? today, first].sort().at(-1)!
  const opening = lines.reduce<Exact>((sum, { date, amount }) => (date < first ? plus(sum, amount) : sum), NOTHING)
  const within = lines.filter(({ date }) => date >= first && date <= last)
  return { wallet, account, currency, from: first, to: last, opening, lines: within, madeAt }
}
