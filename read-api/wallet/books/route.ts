import { z } from 'zod'
import type { ApiRequest, Parameter, Route } from '../../../domain/kernel/route.ts'
import { date } from '../../../domain/kernel/schema.ts'
import { entries } from '../../../projections/wallet/entries.ts'
import { postings } from '../../../projections/wallet/postings.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../../as-of.ts'
import { type AsOf, checkpointsSql, type ReadStore, read, readErrors, type Wanted } from '../../consistency.ts'
import { inQuery, invalidParameter, queriesOf, tokenParameters } from '../../parameters.ts'
import type { Statement } from '../../statement.ts'
import { BOOK_FORMATS, BOOK_TYPES, type BookFormat, bookFile } from './formats.ts'
import { bookModels } from './load.ts'

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

/** The position that the books are as of: the one that all of their read models have reached. */
async function reachedBy(deps: ReadStore, request: ApiRequest, wanted: Wanted): Promise<AsOf> {
  const text = `select c.position, c.stalled from ${checkpointsSql(bookModels)}`
  const { position } = await read(deps, request, { of: bookModels, text, values: [] }, wanted)
  return { asked: String(position), position }
}

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
    const asOf = wanted.asOf ?? (await reachedBy(deps, request, wanted))
    const pinned = { asOf }
    const reader = {
      position: asOf.position,
      rows: async (statement: Statement) => (await read(deps, request, statement, pinned)).rows,
    }
    const wish = { org, wallet, from, to, account, currency, format: query.format as BookFormat }
    const { name, type, content } = await bookFile(reader, { ...wish, madeAt: new Date().toISOString() })
    // Nothing of a file is there before its first byte is asked for, so there is nothing to destroy.
    const open = async () => ({ [Symbol.asyncIterator]: () => content[Symbol.asyncIterator](), destroy() {} })
    return { bytes: { name, type, open, isRead: true }, headers: { 'Kogi-Position': String(asOf.position) } }
  },
})
