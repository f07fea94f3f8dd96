/** `GET /kwlt/reconciliations/:id/uncleared`: what the books have and no statement shows, and what that explains. */
import type { Parameter, Route } from '../../domain/kernel/route.ts'
import {
  currency,
  date,
  id,
  integer,
  list,
  minorUnits,
  object,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { clearedEntries } from '../../projections/wallet/cleared-entries.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { reconciliations } from '../../projections/wallet/reconciliations.ts'
import { noHistoryErrors } from '../as-of.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, tokenOf } from '../consistency.ts'
import { cursorOf, placeOf } from '../cursor.ts'
import { fromPath, LIMIT_DEFAULT, LIMIT_MAX, pageParameters, queriesOf, tokenParameters } from '../parameters.ts'
import { wireRow } from '../rows.ts'
import { notFound } from '../scope.ts'

const { shape } = reconciliations.row
const amount = (description: string) => minorUnits.meta({ description })
const parameters: readonly Parameter[] = [
  { name: 'id', in: 'path', schema: shape.id, description: 'id of the reconciliation' },
  ...pageParameters,
  ...tokenParameters,
]
const LINE = [
  'revision',
  'entry',
  'effective_on',
  'posted_at',
  'amount',
  'description',
  'counterparty',
  'reference',
] as const
const HEAD = [
  'wallet',
  'account',
  'currency',
  'places',
  'to',
  'closing',
  'book_balance',
  'uncleared',
  'explained',
] as const
const MODELS = [reconciliations, clearedEntries, postings, entries, balances]
/** Columns of the answer before those of the head: position and stalled. */
const AT = 2

const response = object({
  reconciliation: shape.id,
  wallet: id('wallet'),
  account: text(255),
  currency,
  places: integer(0, 30).meta({ description: 'decimal places of every amount here' }),
  to: date.meta({ description: 'the last day of the statement: entries of later days are not looked at' }),
  closing: amount('the balance that the statement ends with'),
  book_balance: amount('what the books have at the end of that day'),
  difference: amount('`closing` less `book_balance`'),
  uncleared: amount(
    'the sum of all entries that no reconciliation of the account has cleared, those of other pages too',
  ),
  explained: amount('the sum of the differences that the reconciliation explains'),
  rest: amount('what neither explains: `difference` + `uncleared` − `explained`'),
  lines: list(
    object({
      revision: unsigned64,
      entry: id('entry'),
      effective_on: date,
      posted_at: timestamp,
      amount: amount('what the books have for it in this account'),
      description: text(1000).optional(),
      counterparty: text(255).optional(),
      reference: text(255).optional(),
    }),
    LIMIT_MAX,
  ),
}).meta({ title: 'UnclearedEntries' })
const KEYS = [date, unsigned64] as const
const NAME = 'uncleared'

/** The route of the entries that a reconciliation has yet to clear. */
export const unclearedRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kwlt/reconciliations/:id/uncleared',
  operationId: 'listUnclearedEntries',
  summary:
    'The entries of the account, up to the last day of the statement, that no statement has cleared, and how they ' +
    'explain what the bank has less or more than the books.',
  permission: 'wallet.reconciliations.read',
  tag: 'kwlt',
  parameters,
  response,
  errors: { ...noHistoryErrors, 404: ['not_found'], ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const name = fromPath(request, 'id', shape.id)
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const values: unknown[] = [request.principal.org, name, limit + 1]
    const place = query.after === undefined ? undefined : placeOf(query.after, NAME, KEYS)
    if (place) values.push(...place)
    const statement = { of: MODELS, text: statementText(place !== undefined), values }
    const { rows, position } = await read(deps, request, statement, { token: tokenOf(request, query) })
    const [first] = rows
    if (first![AT] === null) throw notFound('reconciliation', [name], undefined)
    const head = Object.fromEntries(HEAD.map((column, at) => [column, first![AT + at]]))
    const [closing, books, uncleared, explained] = ['closing', 'book_balance', 'uncleared', 'explained'].map(column =>
      BigInt(head[column] as string),
    ) as [bigint, bigint, bigint, bigint]
    const difference = closing - books
    const found = rows.filter(row => row[AT + HEAD.length] !== null)
    const lines = found.slice(0, limit).map(row => wireRow(LINE, row, AT + HEAD.length))
    const last = lines.at(-1)
    const next = found.length > limit ? cursorOf(NAME, [last!.effective_on, last!.revision]) : undefined
    const sums = { difference: String(difference), rest: String(difference + uncleared - explained) }
    return {
      data: { reconciliation: name, ...head, ...sums, lines },
      pagination: { limit, has_more: next !== undefined, ...(next !== undefined && { next }) },
      ...positioned(position),
    }
  },
})

/** SQL: the reconciliation `$3` with the sums of its account, and a page of the lines behind `$5`, `$6`. */
function statementText(isContinued: boolean): string {
  const own = (row: string) =>
    `${row}.org = $2 and ${row}.wallet = r.wallet and ${row}.account = r.account and ${row}.currency = r.currency`
  const inUnit = (amount: string, places: string) => `(${amount}) * ('1e' || (r.unit - ${places}))::numeric`
  const posted = inUnit('p.amount', 'coalesce(p.places, r.minor)')
  return `with r as materialized (
      select q.*, greatest(q.own, q.finest) as unit from (
        select r.*, coalesce(b.minor_places, r.places, 2) as minor, coalesce(r.places, b.minor_places, 2) as own,
          coalesce(b.places, (select max(p.places) from ${tableOf(postings)} p where ${own('p')}), 0) as finest
        from ${tableOf(reconciliations)} r left join ${tableOf(balances)} b on b.org = r.org and b.wallet = r.wallet
          and b.account = r.account and b.currency = r.currency
        where r.org = $2 and r.id = $3) q),
    l as materialized (
      select p.revision, p.entry, min(p.effective_on) as effective_on, min(p.posted_at) as posted_at,
        sum(${posted}) as amount, min(p.description) as description
      from r join ${tableOf(postings)} p on ${own('p')} and p.effective_on <= r."to"
      where not exists (select from ${tableOf(clearedEntries)} x where ${own('x')} and x.entry = p.entry)
      group by p.revision, p.entry)
    select c.position, c.stalled, h.*, n.revision, n.entry, n.effective_on, n.posted_at, n.amount::numeric,
      n.description, e.counterparty, e.reference
    from ${checkpointsSql(MODELS)} left join (
      select r.wallet, r.account, r.currency, r.unit, r."to", ${inUnit('r.closing', 'r.own')} as closing,
        coalesce((select sum(${posted}) from ${tableOf(postings)} p where ${own('p')} and p.effective_on <= r."to"), 0),
        coalesce((select sum(amount) from l), 0),
        coalesce((select sum(${inUnit(`(d ->> 'amount')::numeric`, 'r.own')})
          from jsonb_array_elements(r.differences) d), 0)
      from r) h on true
    left join lateral (select * from l ${isContinued ? 'where (l.effective_on, l.revision) > ($5, $6::bigint)' : ''}
      order by l.effective_on, l.revision limit $4) n on true
    left join ${tableOf(entries)} e on e.org = $2 and e.wallet = h.wallet and e.revision = n.revision
    order by n.effective_on, n.revision`
}
