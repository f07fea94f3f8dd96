/** Held leases as partitions to work on. */
import type { AnyProjection } from '../rows/projection.ts'
import type { HeldCheckpoint } from './leases.ts'
import { type Partition, partitionOf, type SharedRow } from './partitions.ts'

/** What a projector can take up of the leases that it holds. */
export type Adopted = {
  readonly partitions: readonly Partition[]
  /** Checkpoints in rows that other partitions share as well: they must have rows of their own before. */
  readonly apart: readonly HeldCheckpoint[]
}

/**
 * Makes partitions of held checkpoints. A projector may move a shared row only where it works on every partition that
 * shares it: otherwise it would pass events of a projection whose rows it does not write.
 */
export function adopt(held: readonly (readonly [AnyProjection, HeldCheckpoint])[]): Adopted {
  const present = new Map<string, number>()
  for (const [, { shared }] of held) if (shared !== null) present.set(shared, (present.get(shared) ?? 0) + 1)
  const rows = new Map<string, SharedRow>()
  const partitions: Partition[] = []
  const apart: HeldCheckpoint[] = []
  for (const [projection, checkpoint] of held) {
    const { shared, sharedEpoch, members } = checkpoint
    if (shared !== null && present.get(shared) !== members) {
      apart.push(checkpoint)
      continue
    }
    const partition = partitionOf(projection, checkpoint)
    partitions.push(partition)
    if (shared === null) continue
    const row = rows.get(shared) ?? { id: shared, epoch: sharedEpoch, members: new Set() }
    rows.set(shared, row)
    row.members.add(partition)
    partition.shared = row
  }
  return { partitions, apart }
}
