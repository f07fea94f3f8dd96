/** The end of the log with its index, in memory: what the journal holds and the tables do not hold yet. */
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { BLOCK_HEADER, type Block } from './block.ts'
import { newFrameView, parseFrame, streamOf } from './frame.ts'
import { describedBy, type Head, limitsOf, NO_LIMITS } from './head.ts'
import { readUint64, writeUint64 } from './keys.ts'

export const RUN_SIZE = 16
/** Length at which a tail moves into the tables: short enough for one transaction of some ten milliseconds. */
const RUNS_MAX = 4096
const BYTES_MAX = 8 * 1024 * 1024
/** A tail of so many times that length makes commits wait, which bounds the memory and the time of a start. */
const FULL = 4
const NO_RUNS: readonly Run[] = []

/** A stretch of consecutive events of one stream in one block. */
export type Run = {
  readonly revision: number
  /** Position of the block, and the offset of the first event in it. */
  readonly blockPosition: number
  readonly offset: number
  readonly count: number
}

export type StagedRun = Run & { readonly streamNumber: number }

/** Every stream's entry in the tables is on a page of its own, so a tail gathers thousands of events for them. */
export class Tail {
  readonly blocks: Block[] = []
  readonly heads = new Map<string, Head>()
  readonly #runs = new Map<number, Run[]>()
  #count = 0
  #bytes = 0

  /** Whether it is time to move it into the tables. */
  get isLong(): boolean {
    return this.#fills(1)
  }

  /** Whether commits must wait for it to move. */
  get isFull(): boolean {
    return this.#fills(FULL)
  }

  /** Up to `limit` blocks in log order, beginning with the one at or behind `position`. */
  blocksFrom(position: number, limit: number): Block[] {
    const from = firstAbove(this.blocks, block => block.position, position - 1)
    return this.blocks.slice(from, from + limit)
  }

  /** Up to `limit` blocks against log order, beginning with the last one that starts at or before `position`. */
  blocksBackFrom(position: number, limit: number): Block[] {
    const end = firstAbove(this.blocks, block => block.position, position)
    return this.blocks.slice(Math.max(0, end - limit), end).reverse()
  }

  /** Runs of a stream, oldest first. */
  runsOf(streamNumber: number): readonly Run[] {
    return this.#runs.get(streamNumber) ?? NO_RUNS
  }

  /** Up to `limit` runs of a stream, newest first, from the last one that begins at or before a revision. */
  runsBackFrom(streamNumber: number, revision: number, limit: number): Run[] {
    const runs = this.runsOf(streamNumber)
    const end = firstAbove(runs, run => run.revision, revision)
    return runs.slice(Math.max(0, end - limit), end).reverse()
  }

  *allRuns(): Generator<StagedRun> {
    for (const [streamNumber, runs] of this.#runs) for (const run of runs) yield { streamNumber, ...run }
  }

  /** Adds what one commit brought. */
  add(blocks: readonly Block[], runs: Iterable<StagedRun>, heads: ReadonlyMap<string, Head>): void {
    for (const block of blocks) this.#addBlock(block)
    for (const run of runs) this.#addRun(run)
    for (const [name, head] of heads) this.heads.set(name, head)
  }

  /** Learns the events of a block again; `known` answers the heads in the tables, `nextStream` numbers new streams. */
  recover(block: Block, known: (name: string) => Head | undefined, nextStream: () => number): void {
    const view = newFrameView()
    const head = (name: string): Head =>
      this.heads.get(name) ??
      known(name) ?? { number: nextStream(), revision: -1, tombstoned: false, limits: NO_LIMITS }
    this.#addBlock(block)
    for (let at = BLOCK_HEADER; at < block.bytes.length; at = view.end) {
      parseFrame(block.bytes, at, view)
      const name = streamOf(view)
      const { revision } = view
      const before = head(name)
      const isTombstone = revision >= TOMBSTONE_REVISION
      this.heads.set(name, isTombstone ? { ...before, tombstoned: true } : { ...before, revision })
      this.#addRun({ streamNumber: before.number, revision, blockPosition: block.position, offset: at, count: 1 })
      const described = describedBy(name)
      if (described === undefined) continue
      const limits = limitsOf(view.bytes.subarray(view.dataStart, view.dataEnd), view.json)
      this.heads.set(described, { ...head(described), limits })
    }
  }

  #fills(times: number): boolean {
    const entries = Math.max(this.#count, this.heads.size)
    return entries >= times * RUNS_MAX || this.#bytes >= times * BYTES_MAX
  }

  #addBlock(block: Block): void {
    this.blocks.push(block)
    this.#bytes += block.bytes.length
  }

  #addRun({ streamNumber, revision, blockPosition, offset, count }: StagedRun): void {
    this.#count++
    const run = { revision, blockPosition, offset, count }
    const runs = this.#runs.get(streamNumber)
    if (runs) runs.push(run)
    else this.#runs.set(streamNumber, [run])
  }
}

export function writeRun(out: Buffer, run: Run): void {
  writeUint64(out, 0, run.blockPosition)
  out.writeUInt32BE(run.offset, 8)
  out.writeUInt32BE(run.count, 12)
}

export function readRun(bytes: Buffer, revision: number): Run {
  return {
    revision,
    blockPosition: readUint64(bytes, 0),
    offset: bytes.readUInt32BE(8),
    count: bytes.readUInt32BE(12),
  }
}

/** Index of the first item whose number is above `bound`; the items stand in the order of their numbers. */
function firstAbove<T>(items: readonly T[], numberOf: (item: T) => number, bound: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numberOf(items[middle]!) <= bound) low = middle + 1
    else high = middle
  }
  return low
}
