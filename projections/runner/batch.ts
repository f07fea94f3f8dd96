/** Folds a batch of events in memory: which rows it changes, and how far each partition comes. */
import { setImmediate } from 'node:timers/promises'
import type { DomainEvent, StoredEvent } from '../../domain/kernel/event.ts'
import type { Fault } from '../ownership/checkpoints.ts'
import { orgOf, type Partition, type PartitionTable, partitionFor, type Target } from '../ownership/partitions.ts'
import type { Decode } from '../ports.ts'
import { bucketOf } from '../rows/bucket.ts'
import { CopyLines, type LineOf, lineOf } from '../rows/encode.ts'
import type { AnyProjection, Key } from '../rows/projection.ts'
import { columnsOf, fromDatabase, isAppendOnly, keyTextOf, type Row } from '../rows/tables.ts'
import type { Changes } from '../rows/write.ts'
import { type Known, RowCache, textIn } from './cache.ts'

/** Rows kept in memory between batches, per projection. */
const CACHED_ROWS_MAX = 20_000
// After so many events the fold lets the event loop run, so that reading goes on.
const SLICE_EVENTS = 250

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
  async add(events: readonly StoredEvent[]): Promise<ReadonlyMap<Partition, Fault>> {
    this.#batch ??= new Batch(this.#lines)
    const batch = this.#batch
    const before = new Set(batch.faults.keys())
    const steps: Step[] = []
    for (const [index, event] of events.entries()) {
      this.#plan(event, batch, steps)
      if (index % SLICE_EVENTS === SLICE_EVENTS - 1) await setImmediate()
    }
    await this.#loadMissing(steps)
    for (const [index, step] of steps.entries()) {
      const fault = batch.faults.get(step.partition)
      if (!fault || step.event.position < BigInt(fault.position)) this.#take(step, batch)
      if (index % (2 * SLICE_EVENTS) === 2 * SLICE_EVENTS - 1) await setImmediate()
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

  /** The text of the events of the batch that is being made, in UTF-16 units. */
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
  #plan(stored: StoredEvent, batch: Batch, steps: Step[]): void {
    const bucket = bucketOf(orgOf(stored))
    batch.touched.add(bucket)
    batch.text += textIn(stored.data)
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
    const missing = this.#caches.map(() => new Map<string, Known>())
    for (const { target, touches } of steps) {
      if (touches === null) continue
      for (const known of touches) if (known.row === undefined) missing[target.slot]!.set(known.text, known)
    }
    await Promise.all(missing.map((wanted, slot) => this.#loadInto(slot, wanted)))
  }

  async #loadInto(slot: number, wanted: ReadonlyMap<string, Known>): Promise<void> {
    if (wanted.size === 0) return
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
      for (const [n, known] of touches!.entries()) {
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

type SlotChanges = Pick<Changes, 'appended' | 'versions'> & { readonly touched: Set<Known> }

/** Writers of one projection's lines: of rows, and of their versions. */
type Lines = { readonly row: LineOf; readonly version: LineOf }

/** The changes of a batch while it is folded. */
class Batch {
  readonly touched = new Set<number>()
  readonly faults = new Map<Partition, Fault>()
  text = 0
  readonly #slots: SlotChanges[] = []
  readonly #lines: readonly Lines[]

  constructor(lines: readonly Lines[]) {
    this.#lines = lines
  }

  /** Adds a row; `known` is what is known of it where a later event of the batch may change it. */
  append(slot: number, row: Row, known: Known | undefined): void {
    const { appended, touched } = this.#slot(slot)
    if (known) known.row = row
    if (known && touched.has(known)) return
    appended.add(this.#lines[slot]!.row(row))
    if (known) known.isStored = true
  }

  version(slot: number, row: Row, position: bigint, removed: boolean): void {
    this.#slot(slot).versions.add(this.#lines[slot]!.version(row, String(position), removed ? 't' : 'f'))
  }

  change(slot: number, known: Known, row: Row | null): void {
    known.row = row
    this.#slot(slot).touched.add(known)
  }

  changesOf(projection: AnyProjection, slot: number): Changes[] {
    const changes = this.#slots[slot]
    if (!changes) return []
    const { appended, versions, touched } = changes
    const changed: Row[] = []
    const removed: Row[] = []
    for (const known of touched) {
      const { key, row, isStored } = known
      // Rows that are not there yet are copied, which costs less than an upsert.
      if (row && !isStored) appended.add(this.#lines[slot]!.row(row))
      else if (row) changed.push(row)
      else if (isStored) removed.push(key)
      known.isStored = Boolean(row)
    }
    return [{ projection, appended, changed, removed, versions }]
  }

  #slot(slot: number): SlotChanges {
    this.#slots[slot] ??= { appended: new CopyLines(), versions: new CopyLines(), touched: new Set() }
    return this.#slots[slot]
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
