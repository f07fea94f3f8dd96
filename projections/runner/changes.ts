/** The changes of a batch while it is folded. */
import type { Fault } from '../ownership/checkpoints.ts'
import type { Partition } from '../ownership/partitions.ts'
import { CopyLines, type LineOf } from '../rows/encode.ts'
import type { AnyProjection } from '../rows/projection.ts'
import type { Row } from '../rows/tables.ts'
import type { Changes } from '../rows/write.ts'
import type { Known } from './cache.ts'

type SlotChanges = Pick<Changes, 'appended' | 'versions'> & { readonly touched: Set<Known> }

/** Writers of one projection's lines: of rows, and of their versions. */
export type Lines = { readonly row: LineOf; readonly version: LineOf }

/** The changes of a batch while it is folded. */
export class Batch {
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
    appended.add(this.#lines[slot]!.row, row)
    if (known) known.isStored = true
  }

  version(slot: number, row: Row, position: bigint, removed: boolean): void {
    this.#slot(slot).versions.add(this.#lines[slot]!.version, row, String(position), removed ? 't' : 'f')
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
      if (row && !isStored) appended.add(this.#lines[slot]!.row, row)
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
