/** Folds a batch of events in memory: which rows it changes, and how far each partition comes. */
import { setImmediate } from 'node:timers/promises'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import type { Fault } from '../ownership/checkpoints.ts'
import { orgOf, type Partition, type PartitionTable, partitionFor, type Target } from '../ownership/partitions.ts'
import type { Decode, UnparsedEvent } from '../ports.ts'
import { bucketOf } from '../rows/bucket.ts'
import { lineOf } from '../rows/encode.ts'
import type { AnyProjection, Key } from '../rows/projection.ts'
import { columnsOf, fromDatabase, isAppendOnly, keyTextOf, type Row } from '../rows/tables.ts'
import type { Changes } from '../rows/write.ts'
import { type Known, RowCache, textIn } from './cache.ts'
import { Batch, type Lines } from './changes.ts'

/** Rows kept in memory between batches, per projection. */
const CACHED_ROWS_MAX = 20_000
// After so many events the fold lets the event loop run, so that reading goes on.
const SLICE_EVENTS = 250
/** Events whose rows are looked up at once. */
const LOOKED_UP_EVENTS = 3_000

/** A folded batch. */
export type FoldedBatch = {
  readonly changes: readonly Changes[]
  /** Buckets with an event in this batch: their checkpoints move at once, those of the others may follow. */
  readonly touched: ReadonlySet<number>
  /** Partitions that an event stopped: they stand before it. */
  readonly faults: ReadonlyMap<Partition, Fault>
}

/** Loads stored rows; called once per projection and batch. */
export type Load = (projection: AnyProjection, keys: readonly Row[]) => Promise<readonly Record<string, unknown>[]>

type Step = {
  readonly event: DomainEvent
  readonly target: Target
  readonly partition: Partition
  /** Each row that it touches, once; `null` where it only adds. */
  readonly touches: readonly Known[] | null
}

/** The fold of one reader: its partitions, the rows it keeps in memory, and the events it may skip. */
export class BatchFold {
  readonly #table: PartitionTable
  readonly #decode: Decode
  readonly #load: Load
  readonly #skips: ReadonlyMap<string, ReadonlySet<bigint>>
  readonly #caches: readonly RowCache[]
  readonly #keyTexts: readonly ((key: Row) => string)[]
  readonly #lines: readonly Lines[]
  /** Whether a later event may change a row that is added. */
  readonly #folds: readonly boolean[]
  #batch: Batch | undefined

  constructor(options: {
    table: PartitionTable
    decode: Decode
    load: Load
    skips: ReadonlyMap<string, ReadonlySet<bigint>>
  }) {
    this.#table = options.table
    this.#decode = options.decode
    this.#load = options.load
    this.#skips = options.skips
    const { all, projections } = options.table
    const begun = new Set(all.filter(({ committed }) => committed > 0n).map(({ projection }) => projection))
    this.#caches = projections.map(projection => new RowCache(CACHED_ROWS_MAX, !begun.has(projection)))
    this.#folds = projections.map(projection => !isAppendOnly(projection))
    this.#keyTexts = projections.map(keyTextOf)
    this.#lines = projections.map(columnsOf).map(columns => ({ row: lineOf(columns), version: lineOf(columns, 2) }))
  }

  /**
   * Folds events in log order. The partitions' `passed` moves on and rows in memory change: when the batch cannot be
   * committed, this object and its partitions must be thrown away.
   */
  async fold(events: readonly StoredEvent[]): Promise<FoldedBatch> {
    await this.add(events)
    return this.finish()!
  }

  /** Folds events into the batch that is being made, and answers which partitions they stop. */
  async add(events: readonly UnparsedEvent[]): Promise<ReadonlyMap<Partition, Fault>> {
    this.#batch ??= new Batch(this.#lines)
    const batch = this.#batch
    const before = new Set(batch.faults.keys())
    // What is parsed lives as long as its part: short parts are cheap to collect, where no row is looked up.
    const part = this.#caches.every(({ isWhole }) => isWhole) ? SLICE_EVENTS : LOOKED_UP_EVENTS
    for (let from = 0; from < events.length; from += part) {
      await this.#addPart(part < events.length ? events.slice(from, from + part) : events, batch)
    }
    const position = events.at(-1)!.position
    for (const partition of this.#table.all) {
      if (partition.state !== 'running') continue
      const fault = batch.faults.get(partition)
      const reached = fault ? lastBefore(events, BigInt(fault.position), partition.passed) : position
      if (reached > partition.passed) partition.passed = reached
    }
    return new Map([...batch.faults].filter(([partition]) => !before.has(partition)))
  }

  async #addPart(events: readonly UnparsedEvent[], batch: Batch): Promise<void> {
    const steps: Step[] = []
    for (let index = 0; index < events.length; index += 1) {
      this.#plan(events[index]!, batch, steps)
      if (index % SLICE_EVENTS === SLICE_EVENTS - 1) await setImmediate()
    }
    await this.#loadMissing(steps)
    for (let index = 0; index < steps.length; index += 1) {
      const step = steps[index]!
      const fault = batch.faults.get(step.partition)
      if (!fault || step.event.position < BigInt(fault.position)) this.#take(step, batch)
      if (index % (2 * SLICE_EVENTS) === 2 * SLICE_EVENTS - 1) await setImmediate()
    }
    for (const event of events) event.forget?.()
  }

  /** The text of the events of the batch that is being made, in bytes or UTF-16 units. */
  get text(): number {
    return this.#batch?.text ?? 0
  }

  /** Ends the batch that is being made; `undefined` where nothing was added to it. */
  finish(): FoldedBatch | undefined {
    const batch = this.#batch
    if (!batch) return undefined
    this.#batch = undefined
    const changes = this.#table.projections.flatMap((projection, slot) => batch.changesOf(projection, slot))
    for (const cache of this.#caches) cache.turn(batch.text)
    return { changes, touched: batch.touched, faults: batch.faults }
  }

  /** Decodes an event, and notes for each projection the rows that it will touch. */
  #plan(stored: UnparsedEvent, batch: Batch, steps: Step[]): void {
    const bucket = bucketOf(orgOf(stored))
    if (!this.#table.hasUseFor(bucket)) return
    batch.touched.add(bucket)
    batch.text += stored.size ?? textIn(stored.data)
    let event: DomainEvent
    try {
      event = this.#decode(stored)
    } catch (error) {
      this.#refuse(stored, error, batch)
      return
    }
    for (const target of this.#table.targetsOf(stored.type)) {
      const partition = partitionFor(target, bucket)
      if (!partition || partition.passed >= stored.position || batch.faults.has(partition)) continue
      if (this.#skips.get(target.projection.name)?.has(stored.position)) continue
      try {
        const { handler, slot } = target
        const touches = 'keys' in handler ? this.#touched(handler.keys(event), slot) : null
        batch.touched.add(partition.bucket)
        if (touches?.length === 0) continue
        // Nothing is stored of a thing before its first event: there is nothing to load.
        if (touches && event.revision === 0n && 'isOwn' in handler) for (const known of touches) known.row ??= null
        steps.push({ event, target, partition, touches })
      } catch (error) {
        batch.faults.set(partition, faultOf(stored, error, partition))
      }
    }
  }

  #touched(keys: readonly Key[], slot: number): readonly Known[] {
    const [cache, keyText] = [this.#caches[slot]!, this.#keyTexts[slot]!]
    const touches = keys.map(key => cache.of(keyText(key), key))
    return touches.length > 1 ? [...new Set(touches)] : touches
  }

  /** An event that cannot be decoded stops every projection that it concerns. */
  #refuse(stored: StoredEvent, error: unknown, batch: Batch): void {
    for (const partition of this.#table.partitionsConcerned(stored)) {
      if (partition.passed >= stored.position || batch.faults.has(partition)) continue
      if (this.#skips.get(partition.projection.name)?.has(stored.position)) continue
      batch.faults.set(partition, faultOf(stored, error, partition))
    }
  }

  async #loadMissing(steps: readonly Step[]): Promise<void> {
    const missing = new Map<number, Map<string, Known>>()
    for (const { target, touches } of steps) {
      if (touches === null) continue
      for (const known of touches) {
        if (known.row !== undefined) continue
        const wanted = missing.get(target.slot)
        if (wanted) wanted.set(known.text, known)
        else missing.set(target.slot, new Map([[known.text, known]]))
      }
    }
    if (missing.size > 0) await Promise.all([...missing].map(([slot, wanted]) => this.#loadInto(slot, wanted)))
  }

  async #loadInto(slot: number, wanted: ReadonlyMap<string, Known>): Promise<void> {
    const projection = this.#table.projections[slot]!
    const keys = Array.from(wanted.values(), ({ key }) => key)
    for (const stored of await this.#load(projection, keys)) {
      const row = fromDatabase(projection, stored)
      const known = wanted.get(this.#keyTexts[slot]!(row))!
      known.row = row
      known.isStored = true
    }
    for (const known of wanted.values()) known.row ??= null
  }

  /** Applies one event to one projection: all of its rows, or none and a fault. */
  #take({ event, target, partition, touches }: Step, batch: Batch): void {
    const { slot, handler, projection } = target
    try {
      if ('append' in handler) {
        for (const row of handler.append(event) as readonly Row[]) {
          if (projection.history) batch.version(slot, row, event.position, false)
          const known = this.#folds[slot] ? this.#caches[slot]!.of(this.#keyTexts[slot]!(row), row) : undefined
          batch.append(slot, row, known)
        }
        return
      }
      const rows = touches!.map(({ key, row }) => handler.fold(row ?? undefined, event, key as Key) as Row | null)
      for (let n = 0; n < rows.length; n += 1) {
        const known = touches![n]!
        const [before, after] = [known.row ?? null, rows[n]!]
        if (before === null && after === null) continue
        batch.change(slot, known, after)
        if (projection.history) batch.version(slot, (after ?? before)!, event.position, after === null)
      }
    } catch (error) {
      batch.faults.set(partition, faultOf(event, error, partition))
    }
  }
}

/** The position of the last event of the batch before `fault`, or where the partition stood. */
function lastBefore(events: readonly StoredEvent[], fault: bigint, passed: bigint): bigint {
  let last = passed
  for (const { position } of events) {
    if (position >= fault) break
    if (position > last) last = position
  }
  return last
}

/** The description of an event that could not be taken, as operators see it. */
export function faultOf(event: StoredEvent | DomainEvent, error: unknown, { fault }: Pick<Partition, 'fault'>): Fault {
  const position = `${event.position}`
  return {
    position,
    stream: event.stream,
    revision: `${event.revision}`,
    type: event.type,
    event_id: event.eventId,
    error: (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 2_000),
    attempts: fault?.position === position ? fault.attempts + 1 : 1,
    at: new Date().toISOString(),
  }
}
