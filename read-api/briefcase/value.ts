/** `GET /kbfc/value`: what the portfolio, or a part of it, is worth on a day, as was known at a position. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { currency, date, id, integer, list, object, text } from '../../domain/kernel/schema.ts'
import { itemPlaces } from '../../projections/briefcase/item-places.ts'
import { itemValues } from '../../projections/briefcase/item-values.ts'
import { items } from '../../projections/briefcase/items.ts'
import { OF_ORG, rowsSql } from '../../projections/rows/as-of.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import {
  checkpointsSql,
  positioned,
  type ReadStore,
  read,
  readErrors,
  type Statement,
  type Wanted,
} from '../consistency.ts'
import { inQuery, type Queries, queriesOf, tokenParameters } from '../parameters.ts'
import { belowSql } from './subtree.ts'

const parameters: readonly Parameter[] = [
  inQuery('on', date, 'the day whose values count: today if left out'),
  inQuery('briefcase', id('briefcase'), 'only items of this briefcase'),
  inQuery('below', id('item'), 'only items that stand below this one, at any depth'),
  inQuery('type', text(64), 'only items of this type'),
  inQuery('status', text(64), 'only items of this status'),
  asOfParameter,
  ...tokenParameters,
]

const worth = {
  currency,
  places: integer(0, 30).meta({ description: 'decimal places of the amount' }),
  amount: z
    .string()
    .regex(/^[0-9]+$/)
    .meta({ description: 'a sum in minor units, a decimal string of any length' }),
  items: z.int().min(0).meta({ description: 'how many items are worth it together' }),
}
/** Groups of one type, status, currency and number of decimal places. */
const GROUPS_MAX = 10_000
/** What a part of the portfolio is worth. */
export const valueSchema = object({
  on: date,
  totals: list(object(worth), GROUPS_MAX).meta({ description: 'one for each currency: they are never added up' }),
  by_type: list(object({ type: text(64), ...worth }), GROUPS_MAX),
  by_status: list(object({ status: text(64), ...worth }), GROUPS_MAX),
}).meta({ title: 'PortfolioValue' })

const OF = [items, itemValues, itemPlaces]

/** The route of the portfolio's value. */
export const valueRoute = (deps: ReadStore): Route => ({
  method: 'GET',
  path: '/kbfc/value',
  operationId: 'getPortfolioValue',
  summary:
    'What the portfolio is worth on a day, in each currency: of each item that is not in the archive by then, its ' +
    'newest value of that day or before.',
  permission: 'briefcase.items.read',
  tag: 'kbfc',
  parameters,
  response: valueSchema,
  errors: { ...asOfErrors, ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const wanted = await wantedOf(deps, request, query)
    const { data, position } = await worthOf(deps, request, query, wanted)
    return { data, ...positioned(position, wanted.asOf) }
  },
})

/** The value of the part of the portfolio that a checked query names. */
export async function worthOf(deps: ReadStore, request: ApiRequest, query: Queries, wanted: Wanted) {
  const on = query.on ?? new Date().toISOString().slice(0, 10)
  const statement = valueStatement(request.principal.org, on, query, wanted.asOf?.position)
  const { rows, position } = await read(deps, request, statement, wanted)
  if (rows.length > GROUPS_MAX) {
    const message = 'Ask for a part of it: a `type`, a `status`, a `briefcase`, or what is `below` an item.'
    throw new KogiError('invalid_parameter', `The portfolio has more than ${GROUPS_MAX} kinds of values. ${message}`)
  }
  const parts = rows.filter(row => row[2] !== null).map(row => partOf(row as string[]))
  const totals = added(parts, () => ({}))
  const by_type = added(parts, ({ type }) => ({ type }))
  const by_status = added(parts, ({ status }) => ({ status }))
  return { data: { on, totals, by_type, by_status }, position }
}

function valueStatement(org: string, on: string, query: Queries, position: bigint | undefined): Statement {
  const values: unknown[] = [org, on]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const then = position === undefined ? undefined : put(position)
  const where = ['i.org = $2', `(i.state = 'active' or left(i.archived_at, 10) > $3)`]
  for (const column of ['briefcase', 'type', 'status'] as const) {
    if (query[column] !== undefined) where.push(`i.${column} = ${put(query[column])}`)
  }
  if (query.below !== undefined) where.push(`i.id in ${belowSql(put(query.below), then)}`)
  const text = `select c.position, c.stalled, s.* from ${checkpointsSql(OF)} left join (
      select i.type, i.status, v.currency, v.places, count(*) as items, sum(v.amount)::text as amount
      from ${rowsSql(items, OF_ORG, then)} i join (
        select distinct on (v.item) v.item, v.amount, v.currency, v.places from ${rowsSql(itemValues, OF_ORG, then)} v
        where v.org = $2 and v."on" <= $3 order by v.item, v."on" desc
      ) v on v.item = i.id where ${where.join(' and ')} group by 1, 2, 3, 4 limit ${GROUPS_MAX + 1}) s on true`
  return { of: OF, text, values }
}

type Part = { type: string; status: string; currency: string; places: number; items: number; amount: bigint }

const partOf = ([, , type, status, currency, places, items, amount]: readonly string[]): Part => ({
  type: type!,
  status: status!,
  currency: currency!,
  places: Number(places),
  items: Number(items),
  amount: BigInt(amount!),
})

/** Parts of one group and currency as one, in the unit of the most decimal places among them; in their order. */
function added<G extends object>(parts: readonly Part[], groupOf: (part: Part) => G) {
  const groups = new Map<string, G & Pick<Part, 'currency' | 'places' | 'items' | 'amount'>>()
  for (const part of parts) {
    const group = groupOf(part)
    const key = JSON.stringify([group, part.currency])
    const { currency, places, items, amount } = part
    const before = groups.get(key) ?? { ...group, currency, places, items: 0, amount: 0n }
    const unit = Math.max(before.places, places)
    const sum = inPlaces(before.amount, before.places, unit) + inPlaces(amount, places, unit)
    groups.set(key, { ...before, places: unit, items: before.items + items, amount: sum })
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, group]) => ({ ...group, amount: String(group.amount) }))
}

const inPlaces = (amount: bigint, from: number, to: number): bigint => amount * 10n ** BigInt(to - from)
