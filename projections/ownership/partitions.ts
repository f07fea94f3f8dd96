/** Partitions, the parts of work that a reader feeds: each is one projection in one bucket of orgs. */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { allBuckets, BUCKETS, bucketOf } from '../rows/bucket.ts'
import { type AnyHandler, type AnyProjection, concerns, handlerOf } from '../rows/projection.ts'
import type { Checkpoint, Fault, PartitionState } from './checkpoints.ts'

/** A row that keeps the checkpoint of several partitions of a bucket; all of them stand at the same position. */
export type SharedRow = { readonly id: string; epoch: bigint; readonly members: Set<Partition> }

/** A partition that this process owns, with what it knows of its checkpoint. */
export type Partition = {
  readonly projection: AnyProjection
  readonly bucket: number
  readonly epoch: bigint
  /** The row that keeps its checkpoint together with those of others; `undefined` where its own row does. */
  shared: SharedRow | undefined
  /** Where the stored checkpoint is. */
  committed: bigint
  /** How far the fold is, ahead of `committed` while a batch is in flight. */
  passed: bigint
  state: PartitionState
  /** The state that the stored checkpoint shows. */
  storedState: PartitionState
  fault: Fault | null
}

/** A partition as its checkpoint describes it, with a row of its own. */
export const partitionOf = (projection: AnyProjection, checkpoint: Checkpoint): Partition => ({
  projection,
  bucket: checkpoint.bucket,
  epoch: checkpoint.epoch,
  shared: undefined,
  committed: checkpoint.position,
  passed: checkpoint.position,
  state: checkpoint.state,
  storedState: checkpoint.state,
  fault: checkpoint.error,
})

/** Names a partition in logs, metrics and maps: `balances_v1/7`. */
export const partitionName = (of: { projection: { name: string; version: number }; bucket: number }): string =>
  `${of.projection.name}_v${of.projection.version}/${of.bucket}`

/** The partitions of one reader, ordered for the fold: by projection, then by bucket. */
export class PartitionTable {
  readonly all: readonly Partition[]
  readonly #slots: readonly {
    readonly projection: AnyProjection
    readonly partitions: readonly (Partition | undefined)[]
  }[]
  readonly #targets = new Map<string, readonly Target[]>()
  readonly #inBucket: readonly (readonly Partition[])[]
  /** Whether it has partitions that take events of all orgs. */
  readonly #takesAll: boolean

  constructor(partitions: readonly Partition[]) {
    this.all = partitions
    const projections = [...new Set(partitions.map(({ projection }) => projection))]
    this.#slots = projections.map(projection => {
      const mine = Array.from<Partition | undefined>({ length: BUCKETS })
      for (const partition of partitions) if (partition.projection === projection) mine[partition.bucket] = partition
      return { projection, partitions: mine }
    })
    this.#inBucket = allBuckets.map(bucket => this.#slots.flatMap(slot => slot.partitions[bucket] ?? []))
    this.#takesAll = projections.some(projection => !ownsOrgs(projection))
  }

  /** Whether events of a bucket may concern a partition of this table. */
  hasUseFor(bucket: number): boolean {
    return this.#takesAll || this.#inBucket[bucket]!.length > 0
  }

  /** What an event type means for each projection of this table: those that ignore it are left out. */
  targetsOf(type: string): readonly Target[] {
    let targets = this.#targets.get(type)
    if (!targets) {
      targets = this.#slots.flatMap(({ projection, partitions }, slot) => {
        const handler = handlerOf(projection, type)
        return handler ? [{ slot, projection, handler, partitions, ofOrg: ownsOrgs(projection) }] : []
      })
      this.#targets.set(type, targets)
    }
    return targets
  }

  /** The partitions in which an event changes something. */
  partitionsTaking(event: StoredEvent): readonly Partition[] {
    return this.targetsOf(event.type).flatMap(target => partitionFor(target, bucketOf(orgOf(event))) ?? [])
  }

  /** The partitions that an event stops when it cannot be decoded. */
  partitionsConcerned(event: StoredEvent): readonly Partition[] {
    const concerned = this.#slots.filter(({ projection }) => concerns(projection, event))
    return concerned.flatMap(({ projection, partitions }) => {
      return partitionFor({ partitions, ofOrg: ownsOrgs(projection) }, bucketOf(orgOf(event))) ?? []
    })
  }

  /** The projections, by the `slot` of their targets. */
  get projections(): readonly AnyProjection[] {
    return this.#slots.map(({ projection }) => projection)
  }

  /** The partitions of a bucket, one for each projection that is worked on here. */
  inBucket(bucket: number): readonly Partition[] {
    return this.#inBucket[bucket]!
  }
}

/** A projection that handles an event type. */
export type Target = {
  /** Its index among the projections of the table. */
  readonly slot: number
  readonly projection: AnyProjection
  readonly handler: AnyHandler
  readonly partitions: readonly (Partition | undefined)[]
  readonly ofOrg: boolean
}

/** Whether a projection's rows belong to orgs; rows of no org run in bucket 0. */
const ownsOrgs = (projection: AnyProjection): boolean => projection.key[0] === 'org'

/** The org that an event says it belongs to; `''` where it says none. */
export const orgOf = ({ metadata }: StoredEvent): string => (typeof metadata?.org === 'string' ? metadata.org : '')

/** The partition of a target that an event of a bucket belongs to, if it is worked on here and runs. */
export function partitionFor(target: Pick<Target, 'partitions' | 'ofOrg'>, bucket: number): Partition | undefined {
  const partition = target.partitions[target.ofOrg ? bucket : 0]
  return partition?.state === 'running' ? partition : undefined
}
