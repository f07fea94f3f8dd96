import { z } from 'zod'
import { KogiError } from '../../../domain/kernel/errors.ts'
import type { Parameter, Route } from '../../../domain/kernel/route.ts'
import { date } from '../../../domain/kernel/schema.ts'
import { entries } from '../../../projections/wallet/entries.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../../as-of.ts'
import { checkpointsSql, type ReadStore, read, readErrors } from '../../consistency.ts'
import { inQuery, invalidParameter, queriesOf, tokenParameters } from '../../parameters.ts'
import { BOOK_FORMATS, BOOK_TYPES, type BookFormat, bookFile } from './formats.ts'
import { bookModels, bookSql, ENTRIES_MAX, loadedBook } from './load.ts'

const { shape } = postings.row

const parameters: readonly Parameter[] = [
  {
    ...inQuery('format', z.enum(BOOK_FORMATS), 'the format; `camt` (camt.053), `ofx` and `pdf` are of one account'),
    required: true,
  },
  inQuery('wallet', entries.row.shape.wallet, 'the wallet; without it the books are those of all wallets'),
  inQuery('account', shape.account, 'the account of `camt`, `ofx` and `pdf`; makes `csv` the statement of one, too'),
  inQuery('currency', shape.currency, 'the currency of the account'),
  inQuery('from', date, 'first day; what was before is an opening balance'),
  inQuery('to', date, 'last day'),
  asOfParameter,
  ...tokenParameters,
]

/** The route of books as files. */
export const booksRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/books',
  permission: 'wallet.entries.read',
  tag: 'kwlt',
  operationId: 'exportBooks',
  summary:
    'The books of a wallet or of all, as a file for hledger, ledger, beancount, spreadsheets or banking programs.',
  parameters,
  response: z.string(),
  media: BOOK_TYPES,
  errors: { ...asOfErrors, 404: ['not_found'], 422: ['export_impossible'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const { wallet, from, to, account, currency } = query
    if (query.format === undefined) throw invalidParameter('format', 'must be given')
    if (from !== undefined && to !== undefined && from > to) throw invalidParameter('to', 'must not lie before from')
    const wanted = await wantedOf(deps, request, query)
    const { org } = request.principal
    const text = `select c.position, c.stalled, r.* from ${checkpointsSql(bookModels)}
      left join ${bookSql('$2', '$3', '$4', '$5')} r on true`
    const values = [org, wallet ?? null, wanted.asOf?.position ?? null, ENTRIES_MAX + 1]
    const { rows, position } = await read(deps, request, { of: bookModels, text, values }, wanted)
    const found = rows.flatMap(row => (row[2] === null ? [] : [[String(row[2]), String(row[3])] as const]))
    if (wallet !== undefined && found.length === 0) {
      throw new KogiError('not_found', `The wallet ${wallet} has no account and no entry.`)
    }
    const asOf = wanted.asOf?.position ?? position
    const wish = { org, wallet, from, to, account, currency, format: query.format as BookFormat }
    const file = await bookFile(loadedBook(found, wish, asOf), { ...wish, madeAt: new Date().toISOString() })
    return { file, headers: { 'Kogi-Position': String(asOf) } }
  },
})
