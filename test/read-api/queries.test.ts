import { expect } from 'chai'
import { z } from 'zod'
import { toWire } from '../../domain/kernel/json.ts'
import { fieldInfo, plainOf } from '../../domain/kernel/schema.ts'
import { projections, resources } from '../../infra/catalogue.ts'
import { type FoldedRows, foldEvent, sortedRows } from '../../projections/rows/fold.ts'
import { isList } from '../../projections/rows/indexes.ts'
import type { Row } from '../../projections/rows/tables.ts'
import type { Resource } from '../../read-api/resource.ts'
import { summaryRow, unitOf } from '../../read-api/summary.ts'
import { randomOf } from '../projections/history.ts'
import { ORGS, pickOf, queryHistory, TEXTS } from './query-history.ts'
import { type Asked, isNumeric, passes, sorted, summarized, type WireRow } from './query-oracle.ts'
import { revisionsAfter } from './revisions-oracle.ts'
import { asStored, makeWorld, type World } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? 1 + Math.floor(Math.random() * 1e9))
const EVENTS = LONG ? 2_000 : 300
const MOMENTS = LONG ? 30 : 6
const QUERIES = LONG ? 20_000 : 150

type Moment = {
  readonly position: bigint
  readonly folded: FoldedRows
  readonly revised: ReturnType<typeof revisionsAfter>
}

describe(`read API: lists and summaries (KOGI_SEED=${SEED})`, function queries() {
  this.timeout(LONG ? 1_800_000 : 90_000)
  const random = randomOf(SEED)
  const pick = pickOf(random)
  const history = queryHistory(SEED, EVENTS)
  let world: World
  let moments: Moment[]
  before(async () => {
    world = await makeWorld()
    await world.write(history)
    const positions = Array.from({ length: MOMENTS - 1 }, () => pick(history.events).position + BigInt(random(5)))
    moments = [...positions.filter(position => position < history.position), history.position].map(position => {
      const folded: FoldedRows = new Map()
      const past = history.events.filter(event => event.position <= position)
      for (const event of past) foldEvent(projections, folded, event)
      return { position, folded, revised: revisionsAfter(past) }
    })
  })
  after(() => world.close())

  /** The rows of a resource at a moment, of an org, within a thing; `undefined` where that thing is not there. */
  function rowsAt(
    resource: Resource,
    { folded, revised }: Moment,
    org: string,
    parent: string,
  ): readonly WireRow[] | undefined {
    const [within] = Object.values(resource.parents) as (string | undefined)[]
    const stored = (of: typeof resource.projection) => sortedRows(folded, of).filter(row => row.org === org)
    const things = resource.within ? stored(resource.within) : []
    if (within !== undefined && resource.within && !things.some(({ id }) => id === parent)) return undefined
    const { since, projection } = resource
    /** Whether a row is of the thing that has its id now, and not of an earlier one. */
    const isOfNow = (row: Row) => {
      const id = within === undefined ? row[projection.key[1]!] : parent
      const made = since === undefined ? -1n : things.find(thing => thing.id === id)?.[since]
      return made !== undefined && (row.revision as bigint) > (made as bigint)
    }
    const rows = since === undefined ? stored(projection) : stored(projection).filter(isOfNow)
    const only = Object.entries(resource.where)
    return rows
      .map(row => revised(projection, JSON.parse(JSON.stringify(toWire(row)))) as WireRow)
      .filter(row => within === undefined || row[within] === parent)
      .filter(row => only.every(([column, value]) => row[column] === value))
  }

  const columnOf = ({ projection }: Resource, column: string): z.ZodType => projection.row.shape[column]

  /** Filters with values that rows have, or nearly have. */
  function randomFilters(resource: Resource, rows: readonly WireRow[]): Asked[] {
    const columns = [...resource.filters, ...resource.walked]
    if (columns.length === 0) return []
    return Array.from({ length: pick([0, 1, 1, 2]) }, () => {
      const column: string = pick(columns)
      const schema = columnOf(resource, column)
      const found = rows.flatMap(row => row[column] ?? []).map(String)
      const options = (plainOf(schema) as { options?: readonly string[] }).options
      const fits = (text: string) => plainOf(schema).safeDecode(text as never).success
      const some = [...found, ...(options ?? (isTimeOrNumber(schema) ? [] : TEXTS.filter(fits)))]
      const values = Array.from({ length: pick([1, 1, 2, 3]) }, () => pick(some))
      const forms = formsOf(schema)
      if (values[0] === undefined) return { column, form: 'absent', values: [pick(['true', 'false'])] }
      const form = pick(forms)
      if (form === 'absent') return { column, form, values: [pick(['true', 'false'])] }
      if (form === 'prefix') return { column, form, values: [[...values[0]].slice(0, 1 + random(3)).join('')] }
      if (form === '') return { column, form, values }
      return { column, form, values: [random(2) === 0 ? values[0] : values[0].slice(0, 10)] }
    }).filter(({ column, form }) => form !== 'absent' || fieldInfo(columnOf(resource, column)).nullable)
  }

  const isTime = (schema: z.ZodType) =>
    plainOf(schema) instanceof z.ZodISODate || plainOf(schema) instanceof z.ZodISODateTime
  const isTimeOrNumber = (schema: z.ZodType) => isTime(schema) || isNumeric(schema)

  function formsOf(schema: z.ZodType): readonly string[] {
    const plain = plainOf(schema) as { options?: unknown; element?: unknown }
    const absent = fieldInfo(schema).nullable ? ['absent'] : []
    if (isTimeOrNumber(schema)) return ['', 'lt', 'lte', 'gt', 'gte', ...absent]
    return plain.options || plain.element ? ['', ...absent] : ['', 'prefix', ...absent]
  }

  const parameterOf = ({ column, form, values }: Asked): [string, string] => [
    form === '' ? column : `${column}[${form}]`,
    form === '' ? values.map(value => value.replaceAll(/[\\,]/g, '\\$&')).join(',') : values[0]!,
  ]

  const urlOf = (path: string, query: readonly (readonly [string, string])[]) =>
    `${path}?${query.map(pair => pair.map(encodeURIComponent).join('=')).join('&')}`

  /** A question at random: of which rows, within what, as of when, filtered by what. */
  function randomQuestion() {
    const resource = pick(resources)
    const moment = pick(moments)
    const org = pick(ORGS)
    const parent = pick([...(moment.folded.get('wallets')?.values() ?? []), { id: 'nothing' }]).id as string
    const rows = rowsAt(resource, moment, org, parent)
    const filters = randomFilters(resource, rows ?? [])
    const kept = rows?.filter(row => filters.every(one => passes(row, one, columnOf(resource, one.column))))
    const isNow = moment.position === history.position && random(2) === 0
    const merged = new Map(filters.map(parameterOf))
    return {
      resource,
      org,
      path: resource.path.replace(/:id|:task/u, encodeURIComponent(parent)),
      query: [...merged, ...(isNow ? [] : [['as_of', String(moment.position)] as const])] as const,
      // A parameter that was drawn twice is asked once, as it was drawn last.
      rows: merged.size === filters.length ? kept : undefined,
      exists: rows !== undefined,
      isAsked: merged.size === filters.length,
    }
  }

  it('answers every page of every filter and order, now and then, as the fold of the log has it', async () => {
    for (let n = 0; n < QUERIES; n += 1) {
      const { resource, org, path, query, rows, exists, isAsked } = randomQuestion()
      if (!isAsked) continue
      const sortable = [resource.order[0], ...resource.filters.filter(name => !isList(resource.projection, name))]
      const sort = random(4) === 0 ? undefined : pick(['', '-']) + pick(sortable)
      const limit = pick([1, 2, 3, 7, 500])
      const all = [...query, ['limit', String(limit)], ['total', 'true']] as const
      const url = urlOf(path, sort === undefined ? all : [...all, ['sort', sort]])
      const first = await world.call(org, url)
      if (!exists) {
        expect(first.status, url).to.equal(404)
        continue
      }
      const column = sort?.replace('-', '') ?? resource.order[0]!
      const columns = [column, ...resource.order.filter(name => name !== column)]
      const wanted = sorted(rows!, resource.projection.row.shape, columns, sort?.startsWith('-'))
      expect(first, `${url} ${JSON.stringify(first)}`).to.include({ status: 200 })
      expect(first.pagination!.total, url).to.equal(wanted.length)
      const found = [...(first.data as WireRow[])]
      for (let { next } = first.pagination!; next !== undefined; ) {
        const page = await world.call(org, `${url}&after=${next}`)
        expect(page.status, `${url}&after=${next} ${JSON.stringify(page)}`).to.equal(200)
        found.push(...(page.data as WireRow[]))
        next = page.pagination!.next
      }
      expect(asStored(found, resource.projection), url).to.deep.equal(wanted)
      const offset = random(wanted.length + 1)
      const skipped = await world.call(org, `${url}&offset=${offset}`)
      expect(asStored(skipped.data as WireRow[], resource.projection), url).to.deep.equal(
        wanted.slice(offset, offset + limit),
      )
    }
  })

  it('counts and adds up every grouping as plain arithmetic does', async () => {
    for (let n = 0; n < QUERIES; n += 1) {
      const { resource, org, path, query, rows, exists, isAsked } = randomQuestion()
      if (!isAsked) continue
      const { groups, sums: summable, projection } = resource
      const fields = groups.flatMap(name =>
        isTime(columnOf(resource, name)) ? ['day', 'week', 'month'].map(unit => `${name}:${unit}`) : [name],
      )
      const by = [...new Set(Array.from({ length: Math.min(random(4), fields.length) }, () => pick(fields)))]
      const sums = summable.filter(() => random(2) === 0)
      for (const unit of sums.map(sum => unitOf(resource, sum))) {
        if (unit !== null && !by.includes(unit)) by.splice(0, by.length, unit)
      }
      const sort = random(3) === 0 ? undefined : pick(['', '-']) + pick(['count', ...by, ...sums])
      const limit = pick([1, 5, 1_000])
      const url = urlOf(`${path}/summary`, [
        ...query,
        ['limit', String(limit)],
        ...(by.length > 0 ? [['by', by.join(',')] as const] : []),
        ...(sums.length > 0 ? [['sum', sums.join(',')] as const] : []),
        ...(sort === undefined ? [] : [['sort', sort] as const]),
      ])
      const answer = await world.call(org, url)
      if (!exists) {
        expect(answer.status, url).to.equal(404)
        continue
      }
      const wanted = summarized(rows!, projection.row.shape, { by, sums, sort })
      expect(answer, `${url} ${JSON.stringify(answer)}`).to.include({ status: 200 })
      expect(summaryRow.array().parse(answer.data), url).to.deep.equal(wanted.slice(0, limit))
      expect(answer.pagination, url).to.deep.equal({ limit, has_more: wanted.length > limit })
    }
  })
})
