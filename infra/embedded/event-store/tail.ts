import { BLOCK_HEADER, type Block } from './block.ts'
import { newFrameView, parseFrame, streamOf, TOMBSTONE_REVISION } from './frame.ts'
import { describedBy, type Head, limitsOf, NO_LIMITS } from './head.ts'
import { readUint64, writeUint64 } from './keys.ts'

/** A stretch of consecutive events of one stream in one block. */
export interface Run {
  readonly revision: number
  readonly block: number
  readonly offset: number
  readonly count: number
}

export interface StagedRun extends Run {
  readonly stream: number
}

export const RUN_SIZE = 16
const RUNS_MAX = 4096
const BYTES_MAX = 8 * 1024 * 1024

/**
 * The index of the end of the log, in memory only. A commit writes nothing but blocks, one behind the other; where
 * their events stand is put into the tables for thousands of them together, since every stream's entry is on a page of
 * its own. What a crash takes is read back from the blocks at the next start, in a fraction of a second: the limits see
 * to it.
 */
export class Tail {
  readonly heads = new Map<string, Head>()
  private readonly runs = new Map<number, Run[]>()
  private count = 0
  private bytes = 0

  get isLong(): boolean {
    return this.count >= RUNS_MAX || this.heads.size >= RUNS_MAX || this.bytes >= BYTES_MAX
  }

  get isEmpty(): boolean {
    return this.count === 0 && this.heads.size === 0
  }

  /** Runs of a stream, oldest first. */
  runsOf(stream: number): readonly Run[] {
    return this.runs.get(stream) ?? NONE
  }

  /** Up to `limit` runs of a stream, newest first, from the last one that begins at or before a revision. */
  runsBackFrom(stream: number, revision: number, limit: number): Run[] {
    const runs = this.runsOf(stream)
    let low = 0
    let high = runs.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (runs[middle]!.revision <= revision) low = middle + 1
      else high = middle
    }
    return runs.slice(Math.max(0, low - limit), low).reverse()
  }

  *allRuns(): Generator<StagedRun> {
    for (const [stream, runs] of this.runs) for (const run of runs) yield { stream, ...run }
  }

  add(blocks: readonly Block[], runs: Iterable<StagedRun>, heads: ReadonlyMap<string, Head>): void {
    for (const block of blocks) this.bytes += block.bytes.length
    for (const run of runs) this.addRun(run)
    for (const [name, head] of heads) this.heads.set(name, head)
  }

  clear(): void {
    this.heads.clear()
    this.runs.clear()
    this.count = 0
    this.bytes = 0
  }

  /** Learns the events of a block again; `known` answers the heads in the tables, `nextStream` numbers new streams. */
  recover(block: Block, known: (name: string) => Head | undefined, nextStream: () => number): void {
    const view = newFrameView()
    const head = (name: string): Head =>
      this.heads.get(name) ??
      known(name) ?? { number: nextStream(), revision: -1, tombstoned: false, limits: NO_LIMITS }
    this.bytes += block.bytes.length
    for (let at = BLOCK_HEADER; at < block.bytes.length; at = view.end) {
      parseFrame(block.bytes, at, view)
      const name = streamOf(view)
      const { revision } = view
      const before = head(name)
      const isTombstone = revision >= TOMBSTONE_REVISION
      this.heads.set(name, isTombstone ? { ...before, tombstoned: true } : { ...before, revision })
      this.addRun({ stream: before.number, revision, block: block.position, offset: at, count: 1 })
      const described = describedBy(name)
      if (described === undefined) continue
      const limits = limitsOf(view.bytes.subarray(view.dataStart, view.dataEnd), view.json)
      this.heads.set(described, { ...head(described), limits })
    }
  }

  private addRun({ stream, revision, block, offset, count }: StagedRun): void {
    this.count++
    const runs = this.runs.get(stream)
    if (runs) runs.push({ revision, block, offset, count })
    else this.runs.set(stream, [{ revision, block, offset, count }])
  }
}

const NONE: readonly Run[] = []

export function writeRun(out: Buffer, run: Run): void {
  writeUint64(out, 0, run.block)
  out.writeUInt32BE(run.offset, 8)
  out.writeUInt32BE(run.count, 12)
}

export function readRun(bytes: Buffer, revision: number): Run {
  return { revision, block: readUint64(bytes, 0), offset: bytes.readUInt32BE(8), count: bytes.readUInt32BE(12) }
}
