/** What a rebuild and a prune do with checkpoints that a projector may be moving at the same time. */
import type { ClientBase, Pool } from 'pg'
import type { AnyProjection } from '../rows/projection.ts'
import { DROP_EMPTY, RAISE_EPOCHS } from './sharing.ts'
import { LEASES, OWN_CHECKPOINTS, SHARED_CHECKPOINTS } from './tables.ts'

type Named = Pick<AnyProjection, 'name' | 'version'>

/**
 * Holds the checkpoints of a projection still until the end of the transaction, whichever rows keep them: transactions
 * that move them wait. Returns the ids of the rows that it shares.
 */
export async function lockCheckpoints(client: ClientBase, { name, version }: Named): Promise<readonly string[]> {
  const own = `select shared from ${OWN_CHECKPOINTS} where projection = $1 and version = $2 order by bucket for update`
  const { rows } = await client.query<{ shared: string | null }>(own, [name, version])
  const ids = sharedIn(rows)
  await client.query(`select from ${SHARED_CHECKPOINTS} where id = any($1::uuid[]) order by id for update`, [ids])
  return ids
}

/**
 * Gives a projection rows of its own under new epochs, where it stands: its owner can write no batch that it began
 * before. `shared`: what `lockCheckpoints` returned in the same transaction.
 */
export async function fenceOwner(client: ClientBase, { name, version }: Named, shared: readonly string[]) {
  await client.query(
    `update ${OWN_CHECKPOINTS} c set epoch = epoch + 1, shared = null,
       position = coalesce((select s.position from ${SHARED_CHECKPOINTS} s where s.id = c.shared), c.position)
     where projection = $1 and version = $2`,
    [name, version],
  )
  await client.query(RAISE_EPOCHS, [shared])
  await client.query(DROP_EMPTY, [shared])
}

/** Forgets the checkpoints and the leases of a projection that no projector runs. */
export async function forgetCheckpoints(client: ClientBase | Pool, { name, version }: Named): Promise<void> {
  const own = `delete from ${OWN_CHECKPOINTS} where projection = $1 and version = $2 returning shared`
  const { rows } = await client.query<{ shared: string | null }>(own, [name, version])
  await client.query(`delete from ${LEASES} where projection = $1 and version = $2`, [name, version])
  await client.query(RAISE_EPOCHS, [sharedIn(rows)])
  await client.query(DROP_EMPTY, [sharedIn(rows)])
}

const sharedIn = (rows: readonly { readonly shared: string | null }[]): readonly string[] => [
  ...new Set(rows.flatMap(({ shared }) => shared ?? [])),
]
