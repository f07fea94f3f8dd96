/** The revision that `If-Match` of commands compares, for answers about a thing and about the rows inside it. */
import { z } from 'zod'
import type { Parameter } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { quoted, tableOf } from '../projections/rows/tables.ts'
import { type AsOf, positioned } from './consistency.ts'
import type { Resource } from './resource.ts'

/** The thing that a row belongs to: the category of its stream, and the column that holds its id. */
type Thing = {
  readonly category: string
  readonly column: string
  /** Whether each event of the thing changes the row, so that the row's own revision is that of the thing. */
  readonly isWhole: boolean
}

/** The thing of a projection's rows; `undefined` for rows that belong to no thing of one category. */
export function thingOf({ of, on, key, isOfOthers }: AnyProjection): Thing | undefined {
  const [category, ...others] = Object.keys(of)
  const [org, column] = key as readonly string[]
  if (isOfOthers || category === undefined || others.length > 0 || org !== 'org' || column === undefined)
    return undefined
  return { category, column, isWhole: key.length === 2 && Object.values(on).every(handler => handler !== null) }
}

/**
 * SQL of the revision that a thing of the org `$2` had at a position: that of its last event in the audit log, which
 * has a row for each event, so that no row has to be written for this.
 */
export const revisionSql = ({ category }: Thing, id: string, position: string): string =>
  `(select a.revision from ${quoted(tableOf(auditLog))} a where a.org = $2 and a.category = '${category}'
    and a.id = ${id} and a.position <= ${position} order by a.position desc limit 1)`

/** Whether the column `revision` of a row names its place in the stream of the thing, as that of an entry does. */
export const isPlace = (projection: AnyProjection): boolean =>
  (projection.key as readonly string[]).includes('revision')

/** The headers of reads whose answer has an `ETag`. */
export const conditions: readonly Parameter[] = [
  {
    name: 'If-None-Match',
    in: 'header',
    schema: z.string(),
    description: 'The `ETag` of an answer that the client has: 304 where it still holds.',
  },
  {
    name: 'If-Match',
    in: 'header',
    schema: z.string(),
    description: 'The `ETag` that the thing must still have, or `*`: any other answers 412.',
  },
]

/** What reads with conditions may answer besides. */
export const conditionErrors = { 412: ['precondition_failed'] } as const

/** Whether a list belongs to one thing, whose revision its answer then has. */
export const isOfOneThing = ({ projection, parents }: Pick<Resource, 'projection' | 'parents'>): boolean =>
  Object.values(parents).some(column => column === thingOf(projection)?.column)

/** The position of an answer, in `meta` and in headers, with the revision of its thing as `ETag` where there is one. */
export function taggedAt(revision: unknown, position: bigint, asOf: AsOf | undefined) {
  const { meta, headers } = positioned(position, asOf)
  const tag = revision === null || revision === undefined ? {} : { ETag: `"${revision}"` }
  return { meta, headers: { ...headers, ...tag } }
}
