/**
 * One reader and the partitions that it feeds. While one batch is being written, the next is folded and the one after
 * it is read. A lane never gets other partitions, it only loses those that an event stops: every other change ends the
 * lane, and another one starts from the stored checkpoints.
 */
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { type Partition, PartitionTable } from '../ownership/partitions.ts'
import { joinShared, partitionsToJoin } from '../ownership/sharing.ts'
import type { EventLog, ReaderStatus } from '../ports.ts'
import type { Statement } from '../rows/pipeline.ts'
import { least } from '../rows/positions.ts'
import { statementsFor } from '../rows/write.ts'
import { Waker } from '../waker.ts'
import type { BatchFold, FoldedBatch } from './batch.ts'
import { commitBatch, foldOver, isDataError, type Store, stopAt } from './commit.ts'

/** What a lane needs: the store, the log, and the functions that it reports to. */
export type LaneDeps = Store & {
  /** The projector that owns its partitions. */
  readonly owner: string
  readonly log: EventLog
  readonly batch: BatchLimits
  readonly onBatch?: (batch: BatchFigures) => void
  readonly onStatus?: (lane: Lane, status: ReaderStatus) => void
}

/**
 * How many events are folded at once, and the time that so many should take: the number follows the measured latency.
 * `gathered`: how many of the largest number are written at once while more of them wait, and in proportion of a
 * smaller one; `max` where it is left out. `text`: UTF-16 units at which a write takes no more events, however few.
 */
export type BatchLimits = {
  readonly min: number
  readonly max: number
  readonly targetMs: number
  readonly gathered?: number
  readonly text?: number
}

export const DEFAULT_BATCH: BatchLimits = { min: 1_000, max: 3_000, targetMs: 400, gathered: 12_000, text: 2 ** 24 }

/** The figures of one batch, for metrics. */
export type BatchFigures = {
  readonly events: number
  readonly rows: number
  readonly foldMs: number
  readonly writeMs: number
}

/** A batch on its way into the database; `flushes` where it moves every checkpoint. */
type Written = {
  readonly events: readonly StoredEvent[]
  readonly folded: FoldedBatch | undefined
  readonly statements: readonly Statement[]
  readonly advances: ReadonlyMap<Partition, bigint>
  readonly foldMs: number
  readonly flushes?: boolean
}

/** The database refused a batch for its values: `takeCarefully` finds the event at fault. */
export class RefusedBatchError extends Error {
  override readonly name = 'RefusedBatchError'
  readonly events: readonly StoredEvent[]

  constructor(events: readonly StoredEvent[], cause: unknown) {
    super('the database refused a batch', { cause })
    this.events = events
  }
}

/**
 * Checkpoints of buckets without events may lag this long behind those of the others. When all have moved, those that
 * stand together are given rows that they share.
 */
const FLUSH_MS = 500
/** How long a lane waits for events when all checkpoints are stored and nothing is left to join. */
const REST_MS = 60_000

export class Lane {
  readonly partitions: readonly Partition[]
  /** Settles when the lane has ended and nothing of it is in flight: with the error that ended it, if any. */
  readonly ended: Promise<Error | undefined>
  readonly #deps: LaneDeps
  readonly #table: PartitionTable
  readonly #fold: BatchFold
  readonly #abort = new AbortController()
  #size: number
  #live = false
  #failure: Error | undefined
  #arrived: IteratorResult<readonly StoredEvent[]> | undefined
  readonly #waker = new Waker()
  #flushedAt = performance.now()
  #rests = false
  /** The events of the batch that is being made, and how long folding them took. */
  #gathered: StoredEvent[] = []
  #foldMs = 0

  constructor(deps: LaneDeps, partitions: readonly Partition[]) {
    this.partitions = partitions
    this.#deps = deps
    this.#table = new PartitionTable(partitions)
    this.#fold = foldOver(deps, this.#table)
    this.#size = deps.batch.min
    this.ended = this.#run().then(
      () => this.#failure,
      error => this.#failure ?? asError(error),
    )
  }

  /** The least stored position of its running partitions. */
  get position(): bigint {
    return least(this.#running().map(({ committed }) => committed))
  }

  /** Whether its reader has delivered all that was stored. */
  get live(): boolean {
    return this.#live
  }

  /** Ends the lane after the batch in flight. */
  async stop(): Promise<void> {
    this.#abort.abort()
    this.#waker.wake()
    await this.ended
  }

  async #run(): Promise<void> {
    const iterator = this.#deps.log
      .follow({
        after: this.position,
        max: () => this.#size,
        signal: this.#abort.signal,
        unparsed: true,
        onStatus: status => {
          this.#live = status.state === 'live' || (this.#live && status.state !== 'reading')
          this.#deps.onStatus?.(this, status)
        },
      })
      [Symbol.asyncIterator]()
    let inFlight: Promise<void> = Promise.resolve()
    this.#request(iterator)
    try {
      while (this.#running().length > 0) {
        const arrived = await this.#arrival()
        if (arrived?.done || this.#abort.signal.aborted) break
        if (arrived) {
          this.#request(iterator)
          await this.#gather(arrived.value)
          if (this.#goesOn()) continue
        } // The next batch is made while the database is busy with the one before.
        const batch = this.#ended()
        await inFlight
        if (this.#failure) break
        inFlight = this.#write(batch)
      }
    } catch (error) {
      // Folded and not written: no checkpoint may pass it.
      this.#fail(isDataError(error) ? new RefusedBatchError(this.#gathered, error) : error)
    } finally {
      await inFlight
      const last = this.#ended()
      const advances = new Map([...this.#behind(this.partitions), ...last.advances])
      if (!this.#failure) await this.#write({ ...last, advances, flushes: false })
      this.#abort.abort()
      await iterator.return?.()
    }
  }

  /** Folds events into the batch that is being made. */
  async #gather(events: readonly StoredEvent[]): Promise<void> {
    const started = performance.now()
    const faults = await this.#fold.add(events)
    for (const [partition, fault] of faults) stopAt(this.#deps, partition, fault)
    this.#gathered.push(...events)
    this.#foldMs += performance.now() - started
  }

  /** Whether the batch takes more of the events that wait: more at once write fewer rows twice. */
  #goesOn(): boolean {
    const { max, gathered = max, text = Number.POSITIVE_INFINITY } = this.#deps.batch
    if (this.#arrived === undefined || this.#running().length === 0) return false
    return this.#gathered.length + this.#size <= this.#size * (gathered / max) && this.#fold.text < text
  }

  /** Ends the batch that is being made, if there is one. */
  #ended(): Written {
    const folded = this.#fold.finish()
    const flushes = this.#flushes(folded)
    const written = {
      events: this.#gathered,
      folded,
      statements: folded?.changes.flatMap(statementsFor) ?? [],
      advances: this.#advances(folded, flushes),
      foldMs: this.#foldMs,
      flushes,
    }
    this.#gathered = []
    this.#foldMs = 0
    return written
  }

  /** Asks for the next events; they are noted when they come, even while the lane is busy. */
  #request(iterator: AsyncIterator<readonly StoredEvent[]>): void {
    this.#arrived = undefined
    iterator.next().then(
      arrived => {
        this.#arrived = arrived
        this.#waker.wake()
      },
      error => this.#fail(error),
    )
  }

  /** The next events, or `undefined` when none came for a while or the lane is to end. */
  async #arrival(): Promise<IteratorResult<readonly StoredEvent[]> | undefined> {
    const deadline = performance.now() + (this.#rests ? REST_MS : FLUSH_MS)
    while (!this.#arrived && !this.#abort.signal.aborted && !this.#failure) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0) break
      await this.#waker.wait(leftMs)
    }
    return this.#arrived
  }

  /** Whether all checkpoints move with this batch: those of buckets without events may wait for a while. */
  #flushes(folded: FoldedBatch | undefined): boolean {
    if (folded && performance.now() - this.#flushedAt < FLUSH_MS) return false
    this.#flushedAt = performance.now()
    return true
  }

  /** Which checkpoints move with a batch, and where to. */
  #advances(folded: FoldedBatch | undefined, flushes: boolean): ReadonlyMap<Partition, bigint> {
    const advances = this.#behind(flushes ? this.partitions : this.#touched(folded!))
    for (const partition of folded?.faults.keys() ?? []) advances.set(partition, partition.passed)
    return advances
  }

  #touched({ touched }: FoldedBatch): readonly Partition[] {
    return [...touched].flatMap(bucket => this.#table.inBucket(bucket))
  }

  #behind(partitions: readonly Partition[]): Map<Partition, bigint> {
    const behind = partitions.filter(({ passed, committed }) => passed > committed)
    return new Map(behind.map(partition => [partition, partition.passed]))
  }

  async #write({ events, folded, statements, advances, foldMs, flushes = false }: Written): Promise<void> {
    const started = performance.now()
    // Checkpoints of buckets without events are behind now, and the next flush must not wait for more events.
    if (folded || advances.size > 0) this.#rests = false
    try {
      await commitBatch(this.#deps, statements, advances)
    } catch (error) {
      this.#fail(isDataError(error) ? new RefusedBatchError(events, error) : asError(error))
      return
    }
    if (folded) {
      const writeMs = performance.now() - started
      const share = Math.min(1, this.#size / events.length)
      this.#adapt(events.length, share * Math.max(foldMs, writeMs))
      this.#deps.onBatch?.({ events: events.length, rows: rowsIn(folded), foldMs, writeMs })
    }
    if (flushes) await this.#join(advances.size === 0).catch(error => this.#fail(error))
  }

  /** Gives partitions that stand together rows that they share; a lane without anything else to write then rests. */
  async #join(isIdle: boolean): Promise<void> {
    const lists = partitionsToJoin(this.partitions)
    if (lists.length > 0) await joinShared(this.#deps.pool, this.#deps.owner, lists)
    this.#rests = isIdle && lists.length === 0
  }

  /** Full batches that took too long halve the size at most, quick ones double it at most. */
  #adapt(events: number, tookMs: number): void {
    const { min, max, targetMs } = this.#deps.batch
    if (events < this.#size / 2) return
    const factor = Math.min(2, Math.max(0.5, targetMs / Math.max(tookMs, 1)))
    this.#size = Math.min(max, Math.max(min, Math.round(this.#size * factor)))
  }

  #fail(error: unknown): void {
    this.#failure ??= asError(error)
    this.#abort.abort()
    this.#waker.wake()
  }

  #running(): readonly Partition[] {
    return this.partitions.filter(({ state }) => state === 'running')
  }
}

const rowsIn = ({ changes }: FoldedBatch): number =>
  changes.reduce(
    (sum, { appended, changed, removed, versions }) =>
      sum + appended.count + changed.length + removed.length + versions.count,
    0,
  )

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)))
