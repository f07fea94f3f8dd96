import type { AnyProjection } from '../projections/rows/projection.ts'

/** A statement of a read; its first two columns are those of `checkpointsSql`, and its first value is the bucket. */
export type Statement = {
  readonly name?: string
  /** What it reads. */
  readonly of: readonly AnyProjection[]
  readonly text: string
  readonly values: readonly unknown[]
  /** It looks into the audit log for revisions alone, which tell nothing of things. */
  readonly isAboutRevisions?: boolean
}
