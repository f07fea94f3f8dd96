/** Columns that are not stored, but worked out with each answer. */
import type { Principal } from '../domain/kernel/route.ts'
import { auditLog } from '../projections/audit/audit-log.ts'
import type { AnyProjection, Computed } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { instantOf } from './as-of.ts'
import type { AsOf } from './consistency.ts'
import { isPosition } from './parameters.ts'
import type { ResourceDeps } from './resource.ts'
import type { WireRow } from './rows.ts'

const computedOf = ({ computed = {} }: AnyProjection): readonly (readonly [string, Computed])[] =>
  Object.entries(computed as Readonly<Record<string, Computed>>)

/** Whether rows of a projection have columns that depend on the day. */
export const isDaily = (projection: AnyProjection): boolean => computedOf(projection).some(([, it]) => it.isDaily)

/** The names of the columns, in the order in which reads select them. */
export const computedNames = (projection: AnyProjection): readonly string[] =>
  computedOf(projection).map(([name]) => name)

/** The read models that the columns depend on, beside the projection itself and, for the past, the audit log. */
export const computedFrom = (projection: AnyProjection): readonly AnyProjection[] => [
  ...new Set(computedOf(projection).flatMap(([, { of }]) => of)),
]

/**
 * Takes the columns out of rows that are made of what their reader may not read: each needs the permission of the first
 * read of every model that it is made of.
 */
export function hiding(projection: AnyProjection, allows: ResourceDeps['allows']) {
  const needs = computedOf(projection).flatMap(([name, { of }]) => {
    const needed = of.flatMap(({ service, reads = [] }) => reads.slice(0, 1).map(it => `${service}.${it.permission}`))
    return needed.length > 0 ? [[name, needed] as const] : []
  })
  return (rows: readonly WireRow[], principal: Principal): void => {
    for (const [name, needed] of needs) {
      if (needed.every(each => allows(principal, each))) continue
      for (const row of rows) delete row[name]
    }
  }
}

/** SQL of the columns for the row of an alias, each after a comma; `day` is that of `dayOf`, `$2` the org. */
export function computedSql(projection: AnyProjection, alias: string, day: string, then: string | undefined): string {
  const lastDay =
    `(select left(e.at, 10) from ${tableOf(auditLog)} e where e.org = $2 and e.position <= ${then}::bigint` +
    ' order by e.position desc limit 1)'
  const today = then === undefined ? `${day}::text` : `coalesce(${day}::text, ${lastDay})`
  return computedOf(projection)
    .map(([, { sql }]) => `, ${sql(alias, today, then)}`)
    .join('')
}

/**
 * The day, in UTC, that an answer is of: today, or that of the time in `as_of`; `null` for a position, which means the
 * day of the last event of the org by then.
 */
export function dayOf(asOf: AsOf | undefined): string | null {
  if (asOf === undefined) return new Date().toISOString().slice(0, 10)
  return isPosition(asOf.asked) ? null : instantOf(asOf.asked)!.slice(0, 10)
}
