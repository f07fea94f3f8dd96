/** The appends that share one commit and one sync: wire-ready blocks, the runs in them, and the heads they change. */
import { BLOCK_HEADER, BLOCK_SIZE, type Block, sealBlock } from '../log/block.ts'
import { frameSizes, recordLength, writeFrame } from '../log/frame.ts'
import type { Head } from '../log/head.ts'
import type { Changes } from '../log/store.ts'
import type { StagedRun } from '../log/tail.ts'
import type { ProposedEvent } from '../wire/proposed-event.ts'

/** Blocks of the usual size that are used again: the commit copies what is in them. */
const spare: Buffer[] = []
const SPARE_MAX = 64

/** What a repeated event is recognised by, and where it stands. */
export type Identity = {
  readonly id: string
  readonly position: number
}

export class Group {
  readonly heads = new Map<string, Head>()
  readonly waiting: ((error?: Error) => void)[] = []
  /** Names of the streams that got events, for the subscribers that wait for them. */
  readonly touched = new Set<string>()
  bytes = 0
  /** Set when the log's end moved without an event: an append may have none. */
  moved = false
  readonly #blocks: OpenBlock[] = []
  readonly #runs: { -readonly [K in keyof StagedRun]: StagedRun[K] }[] = []
  readonly #staged = new Map<number, StagedEvents[]>()
  readonly #lastData = new Map<number, Buffer>()

  get hasChanges(): boolean {
    return this.#blocks.length > 0 || this.heads.size > 0 || this.moved
  }

  /** Writes one event as a frame behind the others and returns the position behind its record. */
  add(head: Head, name: Buffer, revision: number, position: number, created: Buffer, event: ProposedEvent): number {
    const sizes = frameSizes(name, revision, position, event)
    const block = this.#roomFor(sizes.frame, position)
    const offset = block.used
    block.used = writeFrame(block.bytes, offset, sizes, name, revision, position, created, event)
    block.count++
    this.bytes += sizes.frame
    const last = this.#runs.at(-1)
    const isNext = last?.streamNumber === head.number && last.revision + last.count === revision
    if (isNext && last.blockPosition === block.position) last.count++
    else this.#runs.push({ streamNumber: head.number, revision, blockPosition: block.position, offset, count: 1 })
    return position + recordLength(name.length, event)
  }

  /** Keeps what is asked of events that are not on disk yet. */
  remember(streamNumber: number, first: number, events: readonly Identity[], lastData: Buffer): void {
    const staged = this.#staged.get(streamNumber)
    if (staged) staged.push({ first, events })
    else this.#staged.set(streamNumber, [{ first, events }])
    this.#lastData.set(streamNumber, lastData)
  }

  /** An event staged here; undefined when the revision is not among them. */
  eventAt(streamNumber: number, revision: number): Identity | undefined {
    for (const { first, events } of this.#staged.get(streamNumber) ?? [])
      if (revision >= first && revision < first + events.length) return events[revision - first]
    return undefined
  }

  /** Data of the last event staged for a stream. */
  lastDataOf(streamNumber: number): Buffer | undefined {
    return this.#lastData.get(streamNumber)
  }

  /** Finishes the blocks, for the commit. */
  changes(nextPosition: number, nextStream: number): Changes {
    const blocks = this.#blocks.map((block): Block => {
      const bytes = block.bytes.subarray(0, block.used)
      sealBlock(bytes, block.count)
      return { position: block.position, bytes }
    })
    return { blocks, runs: this.#runs, heads: this.heads, state: { nextPosition, nextStream } }
  }

  /** Gives the blocks back for later groups, once they are committed. */
  recycle(): void {
    for (const { bytes } of this.#blocks) if (bytes.length === BLOCK_SIZE && spare.length < SPARE_MAX) spare.push(bytes)
  }

  #roomFor(size: number, position: number): OpenBlock {
    const last = this.#blocks.at(-1)
    if (last && last.used + size <= last.bytes.length) return last
    const bytes =
      size + BLOCK_HEADER <= BLOCK_SIZE
        ? (spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_SIZE))
        : Buffer.allocUnsafeSlow(size + BLOCK_HEADER)
    const block: OpenBlock = { position, bytes, used: BLOCK_HEADER, count: 0 }
    this.#blocks.push(block)
    return block
  }
}

/** A block that still takes events. */
type OpenBlock = {
  readonly position: number
  bytes: Buffer
  used: number
  count: number
}

/** The events of one append to a stream, from a revision on. */
type StagedEvents = {
  readonly first: number
  readonly events: readonly Identity[]
}
