import { BLOCK_HEADER, BLOCK_SIZE, type Block, sealBlock } from '../log/block.ts'
import { frameSizes, type NewEvent, recordLength, writeFrame } from '../log/frame.ts'
import type { Head } from '../log/head.ts'
import type { Changes } from '../log/store.ts'
import type { StagedRun } from '../log/tail.ts'

interface OpenBlock {
  readonly position: number
  bytes: Buffer
  used: number
  count: number
}

/** An event as idempotency sees it. */
export interface Identity {
  readonly id: string
  readonly position: number
}

/** Events of one append inside a group, for questions about revisions that are not on disk yet. */
interface StagedEvents {
  readonly first: number
  readonly events: readonly Identity[]
}

/** Blocks of the usual size, used again after their commit, which has copied what is in them. */
const spare: Buffer[] = []
const SPARE_MAX = 64

/**
 * The appends that share one commit and one sync: wire-ready blocks, the runs in them, and the heads they change.
 */
export class Group {
  readonly heads = new Map<string, Head>()
  readonly waiting: ((error?: Error) => void)[] = []
  /** Names of the streams that got events, for the subscribers that wait for them. */
  readonly touched = new Set<string>()
  bytes = 0
  /** Set when the log's end moved though no event was added. */
  moved = false
  private readonly blocks: OpenBlock[] = []
  private readonly runs: { -readonly [K in keyof StagedRun]: StagedRun[K] }[] = []
  private readonly staged = new Map<number, StagedEvents[]>()
  private readonly lastData = new Map<number, Buffer>()

  get hasChanges(): boolean {
    return this.blocks.length > 0 || this.heads.size > 0 || this.moved
  }

  /** Writes one event as a frame behind the others and returns the position behind its record. */
  add(head: Head, name: Buffer, revision: number, position: number, created: Buffer, event: NewEvent): number {
    const sizes = frameSizes(name, revision, position, event)
    const block = this.roomFor(sizes.frame, position)
    const offset = block.used
    block.used = writeFrame(block.bytes, offset, sizes, name, revision, position, created, event)
    block.count++
    this.bytes += sizes.frame
    const last = this.runs.at(-1)
    if (last?.stream === head.number && last.block === block.position && last.revision + last.count === revision)
      last.count++
    else this.runs.push({ stream: head.number, revision, block: block.position, offset, count: 1 })
    return position + recordLength(name.length, event)
  }

  remember(stream: number, first: number, events: readonly Identity[], lastData: Buffer): void {
    const staged = this.staged.get(stream)
    if (staged) staged.push({ first, events })
    else this.staged.set(stream, [{ first, events }])
    this.lastData.set(stream, lastData)
  }

  /** An event staged here; undefined when the revision is not among them. */
  eventAt(stream: number, revision: number): Identity | undefined {
    for (const { first, events } of this.staged.get(stream) ?? [])
      if (revision >= first && revision < first + events.length) return events[revision - first]
    return undefined
  }

  /** Data of the last event staged for a stream. */
  lastDataOf(stream: number): Buffer | undefined {
    return this.lastData.get(stream)
  }

  changes(nextPosition: number, nextStream: number): Changes {
    const blocks = this.blocks.map((block): Block => {
      const bytes = block.bytes.subarray(0, block.used)
      sealBlock(bytes, block.count)
      return { position: block.position, bytes }
    })
    return { blocks, runs: this.runs, heads: this.heads, state: { nextPosition, nextStream } }
  }

  /** Call only when the blocks are committed. */
  recycle(): void {
    for (const { bytes } of this.blocks) if (bytes.length === BLOCK_SIZE && spare.length < SPARE_MAX) spare.push(bytes)
  }

  private roomFor(size: number, position: number): OpenBlock {
    const last = this.blocks.at(-1)
    if (last && last.used + size <= last.bytes.length) return last
    const bytes =
      size + BLOCK_HEADER <= BLOCK_SIZE
        ? (spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE))
        : Buffer.allocUnsafeSlow(size + BLOCK_HEADER)
    const block: OpenBlock = { position, bytes, used: BLOCK_HEADER, count: 0 }
    this.blocks.push(block)
    return block
  }
}
