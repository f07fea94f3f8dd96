/** Timers as their rows stand in PostgreSQL. */
import type { Timer } from '../commands/processes/timers.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import type { Pool } from './postgres.ts'

/** The most timers that one look brings. */
const LOOK_MAX = 500
const COLUMNS = 'org, thing, due_at, category, command, body, event, correlation, behalf'

/** The timers of some models that are due by an instant, earliest first, and the next; without those of some events. */
export const dueTimers =
  (pool: Pick<Pool, 'query'>, models: readonly AnyProjection[]) =>
  async (by: string, without: readonly string[]): Promise<readonly Timer[]> => {
    const due = models.flatMap(model => {
      const timers = `select ${COLUMNS} from ${tableOf(model)} where event <> all ($2::text[])`
      return [
        `(${timers} and due_at <= $1 order by due_at limit ${LOOK_MAX})`,
        `(${timers} and due_at > $1 order by due_at limit 1)`,
      ]
    })
    const text = `select ${COLUMNS} from (${due.join(' union all ')}) due order by due_at limit ${LOOK_MAX}`
    const { rows } = await pool.query<Timer>({ name: 'due_timers', text, values: [by, without] })
    return rows
  }

/** How many timers there are, and how many of them were due before an instant. */
export async function countTimers(
  pool: Pick<Pool, 'query'>,
  models: readonly AnyProjection[],
  by: string,
): Promise<{ readonly set: number; readonly overdue: number }> {
  const counts = models.map(
    model => `select count(*)::int as set, count(*) filter (where due_at < $1)::int as overdue from ${tableOf(model)}`,
  )
  const sums = 'coalesce(sum(set), 0)::int as set, coalesce(sum(overdue), 0)::int as overdue'
  const { rows } = await pool.query(`select ${sums} from (${counts.join(' union all ')}) counted`, [by])
  return rows[0]
}
