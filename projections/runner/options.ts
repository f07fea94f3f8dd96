/** What a runner needs. */
import type { Pool } from 'pg'
import type { Decode, EventLog, ProjectorLog } from '../ports.ts'
import type { AnyProjection } from '../rows/projection.ts'
import type { BatchFigures, BatchLimits } from './lane.ts'

export type RunnerOptions = {
  readonly projections: readonly AnyProjection[]
  readonly events: EventLog
  readonly pool: Pool
  readonly decode: Decode
  readonly log: ProjectorLog
  /** Names this process among all projectors; a process that is started again may have the same name or another. */
  readonly id: string
  /** How long a projector may be silent before the others take its work. */
  readonly leaseMs?: number
  readonly batch?: BatchLimits
  /** Delays before an event that could not be taken is tried again; after the last one its partition is stalled. */
  readonly retryMs?: readonly number[]
  readonly onBatch?: (batch: BatchFigures) => void
  /** What it waits for before its first round; never rejects. */
  readonly after?: Promise<void>
  /** Whether the indexes are left to another one, which comes when this one has caught up. */
  readonly leavesIndexes?: boolean
}
