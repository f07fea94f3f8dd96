/** What a time means in the log of an org, asked of the audit log: the SQL behind an `as_of` that is a timestamp. */
import { quoted, tableOf } from '../rows/tables.ts'
import { auditLog } from './audit-log.ts'
import { knownUntil } from './heads.ts'

/**
 * SQL of one row that says what a timestamp means for an org. `position` is the last position of the org before its
 * first event later than `at`, 0 where there is none: no event up to there is later. `settled` says whether the audit
 * log, folded up to the position `reached`, holds every event that can count; `known` says until when it does. Events
 * up to the position `after` are known not to be later and are not looked at.
 */
export function positionAt(org: string, at: string, reached: string, after: string): string {
  const table = quoted(tableOf(auditLog))
  const later = `select position from ${table} where org = ${org} and position > ${after}::bigint and at > ${at}
      order by position limit 1`
  const end = 'coalesce(later.position, 9223372036854775807)'
  const last = `select coalesce(max(position), 0) from ${table} where org = ${org} and position < ${end}`
  return `(select (${last}) as position,
      later.position is not null or coalesce(head.seen_at >= ${at}::timestamptz, false) as settled,
      to_char(head.seen_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as known
    from (select (${later}) as position) later, (select ${knownUntil(reached)} as seen_at) head)`
}

/**
 * SQL of marks along an org's events after a position: of every `step`-th of them its position, and the latest time of
 * the events since `after` up to it. One statement walks at most `events` events.
 */
export function marksAfter(org: string, after: string, step: number, events: number): string {
  const table = quoted(tableOf(auditLog))
  return `select position, latest from (
      select position, max(at) over own as latest, row_number() over own as n from ${table}
      where org = ${org} and position > ${after}::bigint window own as (order by position) limit ${events}
    ) m where n % ${step} = 0`
}
