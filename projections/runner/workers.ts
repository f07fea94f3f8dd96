/** Workers on partitions: lanes, which follow the log, and a careful one, which isolates a refused event. */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { type Partition, partitionName } from '../ownership/partitions.ts'
import { type Store, takeCarefully } from './commit.ts'
import type { Lane } from './lane.ts'

/** A worker on partitions, until it ends; a `Lane` is one. */
export type Worker = Pick<Lane, 'partitions' | 'ended' | 'position' | 'live' | 'stop'>

/** Partitions that stand further apart than this, in positions of the log, are read for separately. */
const NEAR = 100_000n

/**
 * Which partitions share a reader: those that stand near the foremost, then those near the foremost of the rest.
 * Partitions named in `together` share one whatever the distance.
 */
export function groupsOf(partitions: readonly Partition[], together: ReadonlySet<string> = new Set()): Partition[][] {
  const joined = partitions.filter(partition => together.has(partitionName(partition)))
  const rest = partitions
    .filter(partition => !joined.includes(partition))
    .sort((a, b) => (a.committed < b.committed ? 1 : a.committed > b.committed ? -1 : 0))
  const groups: Partition[][] = joined.length > 0 ? [joined] : []
  for (const partition of rest) {
    const group = groups.find(([first]) => {
      const distance = first!.committed - partition.committed
      return distance <= NEAR && distance >= -NEAR
    })
    if (group) group.push(partition)
    else groups.push([partition])
  }
  return groups
}

/** Starts a worker that takes refused events with `takeCarefully` and ends. */
export function startCareful(store: Store, events: readonly StoredEvent[], partitions: readonly Partition[]): Worker {
  const ended = takeCarefully(store, events, partitions).then(
    () => undefined,
    error => (error instanceof Error ? error : new Error(String(error))),
  )
  return {
    partitions,
    ended,
    position: partitions[0]!.committed,
    live: false,
    stop: async () => {
      await ended
    },
  }
}
