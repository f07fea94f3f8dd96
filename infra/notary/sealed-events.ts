/** The events that tiles are of, read from the event store. */
import type { EventStore } from '../../commands/ports.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import type { EventLog } from '../../projections/ports.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import type { ProofDeps } from '../../read-api/audit/proofs.ts'
import { positionsIn } from '../../read-api/audit/trees.ts'
import type { Pool } from '../postgres.ts'

type Sources = {
  readonly pool: Pool
  readonly events: Pick<EventLog, 'read'>
  readonly store: Pick<EventStore, 'read'>
}

/** Those of the log stand side by side; those of an org are found one by one, by the rows of its audit log. */
export function sealedEvents({ pool, events, store }: Sources): ProofDeps['eventsAt'] {
  const between = async (positions: readonly bigint[]) => {
    const wanted = new Set(positions)
    const found: StoredEvent[] = []
    const [first, last] = [positions[0], positions.at(-1)]
    if (first === undefined || last === undefined) return found
    for await (const list of events.read({ after: await positionBefore(first, pool), to: last, max: 500 })) {
      found.push(...list.filter(({ position }) => wanted.has(position)))
    }
    return found
  }
  return async (tree, positions) => {
    if (tree === '') return between(positions)
    const { rows } = await pool.query(
      `select position, stream, revision from ${quoted(tableOf(auditLog))}
       where org = $1 and position = any($2::bigint[])`,
      [tree, positions.map(String)],
    )
    const places = new Map(rows.map(({ position, stream, revision }) => [BigInt(position), { stream, revision }]))
    return Promise.all(
      positions.map(async position => {
        const place = places.get(position)
        // An event that an operator skipped has no row.
        if (!place) return (await between([position]))[0]!
        return (await store.read(place.stream, BigInt(place.revision), 1))[0]!
      }),
    )
  }
}

/** The position of the event before one: a read begins only where there is an event. */
async function positionBefore(position: bigint, pool: Pool): Promise<bigint> {
  const { rows } = await pool.query(
    `select positions from notary_tiles where tree = '' and level = 0 and first_position < $1
     order by first_position desc limit 1`,
    [String(position)],
  )
  const earlier = rows[0] ? positionsIn(rows[0].positions).filter(other => other < position) : []
  return earlier.at(-1) ?? 0n
}
