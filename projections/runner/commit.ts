/** Writes a batch: rows, row versions and checkpoints in one transaction. */
import type { Pool } from 'pg'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { announceStatement, type Fault, moveStatements, runFenced } from '../ownership/checkpoints.ts'
import { type Partition, PartitionTable } from '../ownership/partitions.ts'
import { leaveShared, planMoves } from '../ownership/sharing.ts'
import type { Decode } from '../ports.ts'
import type { Statement } from '../rows/pipeline.ts'
import { greatest } from '../rows/positions.ts'
import { loadRows, statementsFor } from '../rows/write.ts'
import { BatchFold, faultOf } from './batch.ts'

/** What the reading and writing of rows needs. */
export type Store = {
  readonly pool: Pool
  readonly decode: Decode
  readonly skips: ReadonlyMap<string, ReadonlySet<bigint>>
  /** How often an event is tried before its partition counts as stalled. */
  readonly attemptsMax: number
  readonly onFault?: (partition: Partition) => void
}

/**
 * Whether an error is about values or statements, not about an engine that is away: SQLSTATE classes 22, 23, 42, 54, or
 * a value that its column's writer cannot take.
 */
export const isDataError = (error: unknown): boolean =>
  error instanceof TypeError || /^(22|23|42|54)[0-9A-Z]{3}$/.test(String((error as { code?: unknown })?.code ?? ''))

/** The fold of some partitions over the stored rows. */
export const foldOver = ({ pool, decode, skips }: Store, table: PartitionTable): BatchFold =>
  new BatchFold({ table, decode, skips, load: (projection, keys) => loadRows(pool, projection, keys) })

/**
 * Writes changes and moves checkpoints, all or nothing. Where an owner has lost a partition it throws `FencedError` and
 * nothing is written. Commits without waiting for the disk: a database that crashes loses rows and checkpoints
 * together, and they are made again from the log.
 */
export async function commitBatch(
  { pool }: Pick<Store, 'pool'>,
  changes: readonly Statement[],
  advances: ReadonlyMap<Partition, bigint>,
): Promise<void> {
  if (advances.size === 0) return
  // The fold of the next batch may stop partitions meanwhile: what is stored is how they stand now.
  const { leaving, own, shared } = planMoves(advances)
  const states = [...advances.keys()].map(({ state }) => state)
  await leaveShared(pool, leaving)
  await runFenced(pool, moveStatements(own, shared), [...changes, announceStatement(greatest(advances.values()))])
  for (const [index, [partition, to]] of [...advances].entries()) {
    partition.committed = to
    partition.storedState = states[index]!
  }
}

/**
 * Takes events that the database refused as one batch: one projection at a time, in halves, until the event at fault is
 * alone. That event stops its partition. Partitions must stand where their checkpoints are.
 */
export async function takeCarefully(
  store: Store,
  events: readonly StoredEvent[],
  partitions: readonly Partition[],
): Promise<void> {
  const running = partitions.filter(({ state }) => state === 'running')
  const table = new PartitionTable(running)
  if (running.length === 0) return
  try {
    const folded = await foldOver(store, table).fold(events)
    for (const [partition, fault] of folded.faults) stopAt(store, partition, fault)
    await commitBatch(
      store,
      folded.changes.flatMap(statementsFor),
      new Map(running.map(partition => [partition, partition.passed])),
    )
  } catch (error) {
    for (const partition of running) partition.passed = partition.committed
    if (!isDataError(error)) throw error
    if (table.projections.length > 1) {
      for (const projection of table.projections) {
        await takeCarefully(
          store,
          events,
          running.filter(partition => partition.projection === projection),
        )
      }
    } else if (events.length > 1) {
      const middle = Math.ceil(events.length / 2)
      await takeCarefully(store, events.slice(0, middle), running)
      await takeCarefully(store, events.slice(middle), running)
    } else {
      await blame(store, events[0]!, table, error)
    }
  }
}

/** Stops a partition before an event: for another try, or for good once it was tried often enough. */
export function stopAt({ attemptsMax, onFault }: Store, partition: Partition, fault: Fault): void {
  partition.fault = fault
  partition.state = fault.attempts >= attemptsMax ? 'stalled' : 'retrying'
  onFault?.(partition)
}

/** Stops the partitions that take an event, and lets the others pass it. */
async function blame(store: Store, event: StoredEvent, table: PartitionTable, error: unknown): Promise<void> {
  const taking = table.partitionsTaking(event)
  for (const partition of taking) stopAt(store, partition, faultOf(event, error, partition))
  const advances = table.all.map(partition => {
    const passes = !taking.includes(partition) && event.position > partition.committed
    return [partition, passes ? event.position : partition.committed] as const
  })
  await commitBatch(store, [], new Map(advances))
  for (const [partition, to] of advances) partition.passed = to
}
