/** Exports as their rows stand in PostgreSQL. */
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import type { Pool } from '../postgres.ts'

/** An export that is to be made. */
export type Ordered = { readonly org: string; readonly id: string }

const PENDING = `select org, id from ${tableOf(auditExports)} where state in ('requested', 'running')
  order by requested_at, org, id limit 100`
const UNDEFINED_TABLE = '42P01'

/** The exports that wait or are under way, the oldest first. A table that no projector has made yet holds nothing. */
export const pendingExports = (pool: Pick<Pool, 'query'>) => async (): Promise<readonly Ordered[]> => {
  const { rows } = await pool.query<Ordered>({ name: 'exports_pending', text: PENDING }).catch(error => {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { rows: [] }
    throw error
  })
  return rows
}
