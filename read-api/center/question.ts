/** Questions about projects and tasks whose answers are no lists: one statement, and arithmetic on its rows. */
import { z } from 'zod'
import type { ApiRequest, ApiResponse, Parameter, Route } from '../../domain/kernel/route.ts'
import { date } from '../../domain/kernel/schema.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { type Fixed, rowAsOf, tableAsOf } from '../../projections/rows/as-of.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { asOfErrors, asOfParameter, wantedOf } from '../as-of.ts'
import { dayOf } from '../computed.ts'
import { checkpointsSql, positioned, type ReadStore, read, readErrors, type Wanted } from '../consistency.ts'
import type { Put } from '../filters.ts'
import { fromPath, inQuery, type Queries, queriesOf, tokenParameters } from '../parameters.ts'
import { notFound } from '../scope.ts'

type Row = readonly unknown[]
type File = NonNullable<ApiResponse['file']>

/** A request with what its statement is made of. `$2` is the org. */
export type Asked = {
  readonly org: string
  readonly isOfThePast: boolean
  readonly query: Queries
  readonly params: Readonly<Record<string, string>>
  readonly put: Put
  /** SQL of the rows of the org in a read model, as they stand or stood. */
  readonly rows: (model: AnyProjection) => string
  /**
   * SQL of the rows that a statement names some columns of, as they stand or stood: an index finds them for each row
   * that the statement joins, however many others the org has.
   */
  readonly some: (model: AnyProjection, fixed: Fixed) => string
  /** SQL of one row that a statement names the key of, as it stands or stood. */
  readonly row: (model: AnyProjection, key: Fixed) => string
  /**
   * SQL of the versions of things of the org up to then, with `at` and `until`, between which each holds: of all of
   * them, or of those that have had a version `x` for which a condition holds.
   */
  readonly versions: (model: AnyProjection, condition?: string) => string
  /** The day that the answer is of, in UTC: `day`, or that of `as_of`, or today. */
  readonly today: string
}

export type Question = Pick<Route, 'path' | 'operationId' | 'summary' | 'permission'> & {
  /** The service that the documentation shows it under: the center where nothing is said. */
  readonly tag?: string
  readonly parameters: readonly Parameter[]
  /** What the answer is made of: a caller must be allowed to read each. */
  readonly of: readonly AnyProjection[]
  /** The thing that the path names as `id`: 404 where it is not there. */
  readonly within?: AnyProjection
  /** SQL of the rows that the answer is made of. Throws `invalid_parameter` for queries that cannot be answered. */
  readonly sql: (asked: Asked) => string
} & (
    | {
        readonly response: z.ZodType
        readonly answer: (rows: readonly Row[], asked: Asked, position: bigint) => unknown
        /**
         * A shorter way to an answer of now, from what `answer` kept of an earlier one: its own statement, and
         * `undefined` where nothing is kept or what is kept does not hold any more.
         */
        readonly short?: {
          readonly sql: (asked: Asked) => string | undefined
          readonly answer: (rows: readonly Row[], asked: Asked, position: bigint) => unknown
        }
      }
    | {
        readonly media: readonly string[]
        readonly file: (rows: readonly Row[], asked: Asked) => File | Promise<File>
      }
  )

/** The route of a question. */
export function questionRoute(deps: ReadStore, question: Question): Route {
  const { path, operationId, summary, permission, within } = question
  const own = within ? [pathParameter(within)] : []
  const parameters = [...own, ...question.parameters, asOfParameter, ...tokenParameters]
  const shown = [...new Set([...question.of, ...(within ? [within] : [])])]
  const of = [...shown, auditLog]
  const needed = shown.flatMap(({ service, reads = [] }) =>
    reads.slice(0, 1).map(each => `${service}.${each.permission}`),
  )
  return {
    method: 'GET',
    path,
    operationId,
    summary,
    permission,
    alsoNeeds: [...new Set(needed)].filter(each => each !== permission),
    tag: question.tag ?? 'kctr',
    parameters,
    response: 'answer' in question ? question.response : z.string(),
    ...('media' in question && { media: question.media }),
    errors: { ...asOfErrors, ...(within && { 404: ['not_found'] }), ...readErrors },
    async handle(request) {
      const query = queriesOf(request, parameters)
      const wanted = await wantedOf(deps, request, query)
      const today = query.day ?? dayOf(wanted.asOf) ?? (await lastDay(deps, request, wanted))
      const ask = asking(deps, request, { question, of, wanted, query, today })
      const said = (position: bigint) => positioned(position, wanted.asOf)
      if ('file' in question) {
        const { rows, asked, position } = await ask(question.sql)
        return { file: await question.file(rows, asked), headers: said(position).headers }
      }
      if (question.short && !wanted.asOf) {
        const found = await ask(question.short.sql)
        const data = found && question.short.answer(found.rows, found.asked, found.position)
        if (data !== undefined) return { data, ...said(found!.position) }
      }
      const { rows, asked, position } = await ask(question.sql)
      return { data: question.answer(rows, asked, position), ...said(position) }
    },
  }
}

type Asking = Pick<Asked, 'query' | 'today'> & {
  readonly question: Question
  readonly of: readonly AnyProjection[]
  readonly wanted: Wanted
}
type Answered = { readonly rows: readonly Row[]; readonly asked: Asked; readonly position: bigint }

/** Asks a statement of a question: its rows, where there is a statement and the thing that the path names. */
function asking(deps: ReadStore, request: ApiRequest, { question: { within }, of, wanted, query, today }: Asking) {
  const { org } = request.principal
  const params = within ? { id: idOf(request, within) } : {}
  async function ask(sqlOf: (asked: Asked) => string): Promise<Answered>
  async function ask(sqlOf: (asked: Asked) => string | undefined): Promise<Answered | undefined>
  async function ask(sqlOf: (asked: Asked) => string | undefined): Promise<Answered | undefined> {
    const values: unknown[] = [org]
    const put: Put = value => `$${values.push(value) + 1}`
    const then = wanted.asOf && put(wanted.asOf.position)
    const asked: Asked = { org, isOfThePast: then !== undefined, query, params, put, today, ...tables(then) }
    const exists = within ? `exists(select from ${asked.rows(within)} p where p.id = ${put(params.id)})` : 'true'
    const sql = sqlOf(asked)
    if (sql === undefined) return undefined
    const text = `select c.position, c.stalled, ${exists}, r.* from ${checkpointsSql(of)}
      left join (select true as there, q.* from (${sql}) q) r on true`
    // Of the audit log it sees when tasks were removed and which of them changed: nothing that is private.
    const statement = { of, text, values, isAboutRevisions: true }
    const { rows, position } = await read(deps, request, statement, wanted)
    if (rows[0]![2] === false) throw notFound(within!.reads![0]!.one, [params.id!], wanted.asOf)
    return { asked, position, rows: rows.filter(row => row[3] === true).map(row => row.slice(4)) }
  }
  return ask
}

const pathParameter = ({ row, reads }: AnyProjection): Parameter => ({
  name: 'id',
  in: 'path',
  schema: row.shape.id,
  description: `id of the ${reads![0]!.one}`,
})

const idOf = (request: ApiRequest, { row }: AnyProjection) => fromPath(request, 'id', row.shape.id)

const ORG: Fixed = [['org', '$2']]

const tables = (then: string | undefined): Pick<Asked, 'rows' | 'some' | 'row' | 'versions'> => ({
  rows: model =>
    then === undefined ? `(select * from ${quoted(tableOf(model))} where org = $2)` : tableAsOf(model, ORG, then),
  some: (model, fixed) => (then === undefined ? named(model, fixed) : tableAsOf(model, fixed, then)),
  row: (model, key) => (then === undefined ? named(model, key) : rowAsOf(model, key, then)),
  versions(model, condition) {
    const history = quoted(historyTableOf(model))
    const until = then === undefined ? '' : ` and v._position <= ${then}::bigint`
    const some = condition && ` and v.id in (select x.id from ${history} x where x.org = $2 and ${condition})`
    return `(select h.*, lead(h.at) over (partition by h.id order by h._position) as until from (
      select v.*, case when v._removed then (select a.at from ${quoted(tableOf(auditLog))} a
        where a.org = v.org and a.position = v._position) else v.updated_at end as at
      from ${history} v where v.org = $2${until}${some ?? ''}) h)`
  },
})

/** Rows by some of their columns; `offset 0` keeps PostgreSQL from reading all rows at once for a join. */
const named = (model: AnyProjection, fixed: Fixed): string =>
  `(select * from ${quoted(tableOf(model))} h
    where ${fixed.map(([column, value]) => `h.${quoted(column)} = ${value}`).join(' and ')} offset 0)`

/** The day of the last event of the org up to a position; today, where there is none. */
async function lastDay(deps: ReadStore, request: ApiRequest, { asOf, token }: Wanted): Promise<string> {
  const text = `select c.position, c.stalled, (select left(e.at, 10) from ${quoted(tableOf(auditLog))} e
      where e.org = $2 and e.position <= $3::bigint order by e.position desc limit 1)
    from ${checkpointsSql([auditLog])}`
  const values = [request.principal.org, asOf!.position]
  const { rows } = await read(deps, request, { of: [auditLog], text, values }, { asOf, token })
  return (rows[0]![2] as string | null) ?? dayOf(undefined)!
}

/** The parameter of the day that a question is asked on. */
export const dayParameter = inQuery(
  'day',
  date,
  'the day that is asked on, in UTC: that of `as_of`, for a position that of the last event by then; today, without',
)

const DAY_MS = 86_400_000
const FIRST_DAY = '0001-01-01'
const LAST_DAY = '9999-12-31'

/** How many days after another one a day lies. */
export const daysBetween = (from: string, to: string): number => (Date.parse(to) - Date.parse(from)) / DAY_MS

/** The day that lies so many days after another one; `undefined` where the calendar of four-digit years has none. */
export function dayWithin(day: string, days: number): string | undefined {
  if (days > daysBetween(day, LAST_DAY) || days < daysBetween(day, FIRST_DAY)) return undefined
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)
}

/** The same, but the first or last day of the calendar for one beyond it. */
export const dayAfter = (day: string, days: number): string => dayWithin(day, days) ?? (days < 0 ? FIRST_DAY : LAST_DAY)
