/**
 * How far a process has come, as the last event of a derived stream. Each write expects the revision of the one before,
 * so that only one worker at a time can write: one that was overtaken fails. Lost, it costs a replay of commands that
 * then do nothing.
 */
import { z } from 'zod'
import { unsigned64 } from '../../domain/kernel/schema.ts'
import { uuidOf } from '../ids.ts'
import type { EventStore } from '../ports.ts'

/** An event whose steps are not done although later events are: it is read again by stream and revision. */
const left = z.object({
  stream: z.string(),
  revision: unsigned64,
  position: unsigned64,
  event: z.string(),
  type: z.string(),
  org: z.string(),
  /** The id of the thing that the event is of. */
  thing: z.string(),
  /** The step that failed, how often and with what; absent where the event waits for one before it. */
  failure: z
    .object({
      at: z.int(),
      command: z.string(),
      code: z.string(),
      message: z.string(),
      tries: z.int(),
      since: z.string(),
      /** Whether it waits for an operator. */
      parked: z.boolean(),
    })
    .optional(),
})
export type Left = z.output<typeof left>

const checkpoint = z.object({
  /** Every event up to here is done or in `left`. */
  position: unsigned64,
  left: z.array(left),
  /** Operators' decisions up to this revision are done. */
  decided: z.int(),
  worker: z.string(),
  at: z.string(),
})
export type Checkpoint = z.output<typeof checkpoint>

/** Where a process begins that no worker has run. */
const START: Checkpoint = { position: 0n, left: [], decided: -1, worker: '', at: '' }

const streamOf = (process: string) => `worker_checkpoint-${process}`

/** The last checkpoint of a process, and its revision: -1 where there is none. */
export async function readCheckpoint(
  store: Pick<EventStore, 'readDerived'>,
  process: string,
): Promise<{ readonly checkpoint: Checkpoint; readonly revision: bigint }> {
  const [last] = await store.readDerived(streamOf(process), 'backwards', 1)
  if (!last) return { checkpoint: START, revision: -1n }
  return { checkpoint: checkpoint.decode(last.data as never), revision: last.revision }
}

/** Writes a checkpoint behind the one at `revision`. Throws a `LostRaceError` where another worker was faster. */
export async function writeCheckpoint(
  store: EventStore,
  process: string,
  value: Checkpoint,
  revision: bigint,
): Promise<bigint> {
  const stream = streamOf(process)
  const data = checkpoint.encode(value) as never
  const id = uuidOf([stream, String(revision), value.worker, value.at])
  const appended = await store.append(stream, revision, [{ id, type: 'WorkerCheckpoint', data, metadata: {} }])
  if (revision < 0n) await store.keepLast(stream, 1)
  return appended.revision
}
