/** `GET /kbfc/catalog`: items that are found by words and filters, with how many there are of each kind. */
import { z } from 'zod'
import type { Json } from '../../domain/kernel/json.ts'
import type { ApiRequest, Parameter, Route } from '../../domain/kernel/route.ts'
import { id, jsonObject, text } from '../../domain/kernel/schema.ts'
import { itemPlaces } from '../../projections/briefcase/item-places.ts'
import { items } from '../../projections/briefcase/items.ts'
import { wordsIn } from '../../projections/memory/texts.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { noHistoryErrors } from '../as-of.ts'
import { computedFrom, computedNames, computedSql, dayOf } from '../computed.ts'
import {
  atLeast,
  checkpointsSql,
  earlierOf,
  positioned,
  read,
  readErrors,
  type Statement,
  tokenOf,
} from '../consistency.ts'
import { conditionsOf, filtersOf } from '../filters.ts'
import { type SearchDeps, searchReadable } from '../memory/search.ts'
import { inQuery, LIMIT_DEFAULT, OFFSET_MAX, type Queries, queriesOf, tokenParameters, whole } from '../parameters.ts'
import type { ResourceDeps } from '../resource.ts'
import { columnsOf, outsideSchemaOf, wireRow } from '../rows.ts'
import { selected } from '../scope.ts'
import { searchVectorOf } from './search-vector.ts'
import { belowSql } from './subtree.ts'

/** Items that one search by words looks at: the best of them. */
const FOUND_MAX = 10_000
/** Values of one facet. */
const VALUES_MAX = 100
const FACETS = ['type', 'status', 'state', 'briefcase', 'owner', 'tags'] as const

const filters = filtersOf(items, ['state', 'status', 'type', 'owner', 'briefcase', 'tags', 'name', 'added_at'])
const parameters: readonly Parameter[] = [
  inQuery('q', text(1000).meta({ examples: ['bakery'] }), 'words to look for, their case and accents folded'),
  inQuery('parent', id('item'), 'only items right below this one'),
  inQuery('below', id('item'), 'only items below this one, at any depth'),
  ...filters.map(({ parameter }) => parameter),
  inQuery('search_vector', z.enum(['true', 'false']), '`true`: each item with the words that it is found by'),
  inQuery('limit', whole(1, 500, LIMIT_DEFAULT), 'most items to answer with'),
  inQuery('offset', whole(0, OFFSET_MAX, 0), 'items to skip'),
  ...tokenParameters,
]

const facet = z.array(z.strictObject({ value: z.string().nullable(), count: z.int().min(1) }))
const response = z
  .strictObject({
    total: z.int().min(0),
    items: z.array(
      outsideSchemaOf(items).extend({
        catalog_metadata: jsonObject.meta({ description: 'the same as `metadata`' }),
        search_vector: z.string().optional().meta({
          description: 'where asked for: the words that it is found by, with their places, as a PostgreSQL `tsvector`',
        }),
      }),
    ),
    facets: z
      .strictObject(
        Object.fromEntries(FACETS.map(name => [name, facet])) as Record<(typeof FACETS)[number], typeof facet>,
      )
      .meta({ description: 'how many of the items there are of each value; null counts those without one' }),
  })
  .meta({ title: 'Catalog' })

type CatalogDeps = ResourceDeps & Pick<SearchDeps, 'search' | 'memories'>

/** The route of the catalog. */
export const catalogRoute = (deps: CatalogDeps): Route => ({
  method: 'GET',
  path: '/kbfc/catalog',
  operationId: 'searchCatalog',
  summary:
    'The catalog of the portfolio: items that have the words of `q`, best first, or all of them by name, under ' +
    'filters, with how many there are of each type, status and tag.',
  permission: 'briefcase.items.read',
  tag: 'kbfc',
  parameters,
  response,
  errors: { ...noHistoryErrors, ...readErrors },
  async handle(request) {
    const query = queriesOf(request, parameters)
    const token = tokenOf(request, query)
    const found = query.q === undefined ? undefined : await idsOf(deps, request, query.q, token)
    const statement = catalogStatement(request.principal.org, query, found?.ids)
    const { rows, position } = await read(deps, request, statement, { token })
    const [, , total, facets] = rows[0]!
    const data = {
      total: Number(total),
      items: rows
        .filter(row => row[ROW_AT + ORG_AT] !== null)
        .map(row => wireRow(NAMES, row, ROW_AT))
        .map(row => ({
          ...row,
          catalog_metadata: row.metadata!,
          ...(query.search_vector === 'true' && { search_vector: vectorOf(row) }),
        })),
      facets: facets as object,
    }
    const limit = Number(query.limit ?? LIMIT_DEFAULT)
    const offset = Number(query.offset ?? 0)
    const reached = found ? earlierOf(found.position, position) : position
    return {
      data,
      pagination: { limit, offset, has_more: offset + data.items.length < data.total, total: data.total },
      ...positioned(reached),
    }
  },
})

/** Of the texts that the search has of an item. */
const vectorOf = ({ name, description, metadata }: Readonly<Record<string, Json>>) =>
  searchVectorOf([name as string, description as string | undefined, wordsIn(metadata!)])

const COLUMNS = columnsOf(items)
const NAMES = [...COLUMNS, ...computedNames(items)]
const ORG_AT = COLUMNS.indexOf('org')
/** Columns of the answer before those of the row: position, stalled, total, facets. */
const ROW_AT = 4

/** The items that have the most of the words, best first. */
async function idsOf(deps: CatalogDeps, request: ApiRequest, words: string, token: ReturnType<typeof tokenOf>) {
  const options = { kinds: ['item'], limit: FOUND_MAX }
  await deps.versions.built([deps.memories])
  const search = () => searchReadable(deps, request, words, options)
  const { hits, position } = token ? await atLeast(token, deps.signal, request, search) : await search()
  const most = hits.reduce((max, { matched }) => Math.max(max, matched.length), 0)
  return { position, ids: hits.filter(({ matched }) => matched.length === most).map(({ subject }) => subject) }
}

function catalogStatement(org: string, query: Queries, ids: readonly string[] | undefined): Statement {
  const values: unknown[] = [org, dayOf(undefined)]
  const put = (value: unknown) => `$${values.push(value) + 1}`
  const of = [items, itemPlaces, ...computedFrom(items)]
  const where = ['t.org = $2', ...conditionsOf(filters, query, put).map(condition => condition('t'))]
  if (query.parent !== undefined) where.push(`t.id in (${childrenSql(put(query.parent))})`)
  if (query.below !== undefined) where.push(`t.id in ${belowSql(put(query.below), undefined)}`)
  const ranks = ids && `join unnest(${put(ids)}::text[]) with ordinality r(id, rank) on r.id = t.id`
  const order = (alias: string) => (ids ? `${alias}.rank` : `${alias}."name", ${alias}."id"`)
  const table = quoted(tableOf(items))
  // Facets and order need few columns of all that was found, the page needs all of a few rows.
  const narrow = selected('t', [...new Set([...FACETS, 'id', 'name'])])
  const text = `with found as materialized (
      select ${narrow}${ids ? ', r.rank' : ''} from ${table} t ${ranks ?? ''} where ${where.join(' and ')})
    select c.position, c.stalled, (select count(*) from found), ${facetsSql()},
      ${selected('t', COLUMNS)}${computedSql(items, 't', '$3', undefined)}
    from ${checkpointsSql([...new Set(of)])} left join lateral (
      select t.*${ids ? ', p.rank' : ''} from (
        select * from found f order by ${order('f')}
        limit ${put(Number(query.limit ?? LIMIT_DEFAULT))} offset ${put(Number(query.offset ?? 0))}) p
      join ${table} t on t.org = $2 and t.id = p.id
    ) t on true order by ${order('t')}`
  return { of, text, values }
}

const childrenSql = (parent: string) =>
  `select p.id from ${quoted(tableOf(itemPlaces))} p where p.org = $2 and p.parent = ${parent}`

/** SQL of all facets as one JSON object: the most frequent values first. */
function facetsSql(): string {
  const facets = FACETS.map(name => {
    const value = name === 'tags' ? 'jsonb_array_elements_text(f.tags)' : `f."${name}"`
    const counts = `select ${value} as value, count(*) as count from found f group by 1`
    const groups = `select * from (${counts}) c order by c.count desc, c.value limit ${VALUES_MAX}`
    const pairs = `jsonb_build_object('value', g.value, 'count', g.count)`
    return `'${name}', (select coalesce(jsonb_agg(${pairs}), '[]') from (${groups}) g)`
  })
  return `jsonb_build_object(${facets.join(', ')})`
}
