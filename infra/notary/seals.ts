/**
 * The checkpoints that the notary signed, in a stream of their own beside the domain events: each names the head of the
 * log, and that of every org whose part of the log has grown. Each write expects the revision of the one before, so
 * that of two notaries only one signs.
 */
import { z } from 'zod'
import { uuidOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { unsigned64 } from '../../domain/kernel/schema.ts'

const STREAM = 'notary-checkpoints'

const seal = z.object({
  /** Entries of the log, and the root of their tree in base64. */
  size: z.int(),
  root: z.string(),
  /** The signed checkpoint of the log. */
  note: z.string(),
  /** Position of the last entry. */
  position: unsigned64,
  /** The orgs that have grown since the seal before, and some others in turn, so that none is long ago. */
  orgs: z.array(z.object({ org: z.string(), size: z.int(), root: z.string(), note: z.string() })),
  /** Whether more orgs have grown than stand in one seal: the next ones have them. */
  more: z.literal(true).optional(),
  at: z.string(),
})
export type Seal = z.output<typeof seal>

/** The last seal and its revision: -1 where there is none. */
export async function lastSeal(
  store: Pick<EventStore, 'readDerived'>,
): Promise<{ readonly seal?: Seal; readonly revision: bigint }> {
  const [last] = await store.readDerived(STREAM, 'backwards', 1)
  return last ? { seal: seal.decode(last.data as never), revision: last.revision } : { revision: -1n }
}

/** The last seals, the latest first. */
export async function lastSeals(store: Pick<EventStore, 'readDerived'>, limit: number): Promise<readonly Seal[]> {
  return (await store.readDerived(STREAM, 'backwards', limit)).map(({ data }) => seal.decode(data as never))
}

/** The last signed checkpoint of an org; `undefined` where it has none yet. */
export async function lastNoteOf(store: Pick<EventStore, 'readDerived'>, org: string): Promise<string | undefined> {
  for (let limit = 64; ; limit *= 8) {
    const seals = await store.readDerived(STREAM, 'backwards', limit)
    for (const { data } of seals) {
      const found = seal.decode(data as never).orgs.find(head => head.org === org)
      if (found) return found.note
    }
    if (seals.length < limit) return undefined
  }
}

/** Writes a seal behind the one at `revision`. Throws a `LostRaceError` where another notary was faster. */
export async function writeSeal(store: EventStore, value: Seal, revision: bigint): Promise<bigint> {
  const id = uuidOf([STREAM, String(revision), value.note])
  const data = seal.encode(value) as never
  return (await store.append(STREAM, revision, [{ id, type: 'CheckpointSigned', data, metadata: {} }])).revision
}
