/** The SQL of announcements: which events can be read by now, and which channels they belong to. */
import { auditLog } from '../../projections/audit/audit-log.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { columnsOf, historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'

/** The columns of an announcement, in the order in which they are selected. */
export const COLUMNS: readonly string[] = columnsOf(auditLog).map(({ name }) => name)

/** Most rows of an org that one statement answers with. */
export const PAGE_ROWS = 100
/** Events that one statement looks through for those of some types. */
const WINDOW_ROWS = 2_000

/**
 * SQL of how far the events of each bucket of `$1` can be read: to where all read models of this process are that are
 * not stalled (a stalled one answers 503 by itself), and never further than the audit log and those that say who may
 * read what: an event that is passed by without them is never announced to its readers, or to others as well.
 */
function frontiers(projections: readonly AnyProjection[], buckets: string): string {
  const names = projections.map(({ name, version }) => `('${name}', ${version})`).join(', ')
  const needed = projections.filter(model => model === auditLog || model.readers !== undefined)
  return `(select bucket, case when count(*) < ${projections.length} then 0 else least(
      min(position) filter (where state <> 'stalled'),
      min(position) filter (where projection in (${needed.map(({ name }) => `'${name}'`)}))) end as position
    from ${CHECKPOINTS} where bucket = any(${buckets}) and (projection, version) in (${names}) group by bucket)`
}

const selected = COLUMNS.map(name => `r.${quoted(name)}`).join(', ')

/** SQL of the frontier of one bucket, `$1`. */
export const frontierSql = (projections: readonly AnyProjection[]): string =>
  `select position from ${frontiers(projections, 'array[$1::int]')} f`

/** SQL of the new events of some orgs: `$1` orgs, `$2` their buckets, `$3` the positions after which they begin. */
export const newEventsSql = (projections: readonly AnyProjection[]): string => `
  select o.org, f.position, ${selected}
  from unnest($1::text[], $2::int[], $3::bigint[]) o(org, bucket, after)
  join ${frontiers(projections, '$2::int[]')} f on f.bucket = o.bucket and f.position > o.after
  left join lateral (select * from ${quoted(tableOf(auditLog))} t where t.org = o.org and t.position > o.after
    and t.position <= f.position order by t.position limit ${PAGE_ROWS}) r on true
  order by r.position`

/**
 * SQL of a page of earlier events: `$1` the bucket, `$2` the org, `$3` the position after which it begins, `$4` the
 * categories. `of` narrows it to one thing (`$5`) or to types (`$5`). The second column says how far the page reaches.
 */
export function pageSql(projections: readonly AnyProjection[], of: 'thing' | 'types' | 'all'): string {
  const table = quoted(tableOf(auditLog))
  const after = 't.org = $2 and t.position > $3::bigint and t.position <= f.position'
  const narrow = of === 'thing' ? ' and t.id = $5' : ''
  const window =
    of === 'thing'
      ? `select t.* from ${table} t where ${after} and t.category = any($4::text[])${narrow}
          order by t.position limit ${PAGE_ROWS}`
      : `select t.* from (select * from ${table} t where ${after} order by t.position limit ${WINDOW_ROWS}) t
          where t.category = any($4::text[])${of === 'types' ? ' and t.type = any($5::text[])' : ''}
          order by t.position limit ${PAGE_ROWS}`
  const end =
    of === 'thing'
      ? 'f.position'
      : `coalesce((select t.position from ${table} t where ${after} order by t.position
          offset ${WINDOW_ROWS - 1} limit 1), f.position)`
  return `select f.position, e.position, ${selected} from ${frontiers(projections, 'array[$1::int]')} f
    cross join lateral (select ${end} as position offset 0) e
    left join lateral (${window}) r on true order by r.position`
}

/**
 * SQL of what a column of a thing's row was at an event and before it: `$1` the org, `$2` ids, `$3` positions. Both are
 * asked for, because an event that moves a thing from one project to another concerns both.
 */
export function linksSql(model: AnyProjection, column: string): string {
  const version = (sign: string) => `(select h.${quoted(column)} as value from ${quoted(historyTableOf(model))} h
    where h.org = $1 and h.id = e.id and h._position ${sign} e.position order by h._position desc limit 1)`
  return `select e.n, a.value, b.value from unnest($2::text[], $3::bigint[]) with ordinality e(id, position, n)
    left join lateral ${version('<=')} a on true left join lateral ${version('<')} b on true`
}
