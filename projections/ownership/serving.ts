/** Which versions of projections living processes read: their tables must not be dropped. */
import type { ClientBase, Pool } from 'pg'
import type { AnyProjection } from '../rows/projection.ts'
import { tableOf } from '../rows/tables.ts'

// Namespace of our advisory locks; the value itself has no meaning.
const SERVING = 1_263_486_825

/**
 * Marks projections as read for as long as a session lasts, by a shared advisory lock on each: a process that dies
 * loses its locks at once. Waits for a prune that is under way.
 */
export async function holdServed(client: ClientBase, projections: readonly AnyProjection[]): Promise<void> {
  const names = projections.map(tableOf)
  await client.query(`select pg_advisory_lock_shared(${SERVING}, hashtext(name)) from unnest($1::text[]) name`, [names])
}

/** Does work in one transaction unless a process serves that version; says whether it was done. */
export async function ifUnserved(
  pool: Pool,
  projection: Pick<AnyProjection, 'name' | 'version'>,
  work: (client: ClientBase) => Promise<void>,
): Promise<boolean> {
  const client = await pool.connect()
  let broken: boolean | undefined
  try {
    await client.query('begin')
    const lock = `select pg_try_advisory_xact_lock(${SERVING}, hashtext($1)) as free`
    const { rows } = await client.query<{ free: boolean }>(lock, [tableOf(projection)])
    if (rows[0]!.free) await work(client)
    await client.query('commit')
    return rows[0]!.free
  } catch (error) {
    broken = true
    throw error
  } finally {
    client.release(broken)
  }
}
