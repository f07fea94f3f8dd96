/** Checks a folder for damage: all of it, or its end when a server starts. */
import { BLOCK_HEADER, type Block, blockCount, isIntact } from '../log/block.ts'
import { type FrameView, newFrameView, parseFrame, recordLengthOf, streamOf } from '../log/frame.ts'
import type { Store } from '../log/store.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { withReader } from './folder.ts'

const PROBLEMS_MAX = 20
/** Blocks at the end of the log that are checked at each start. */
const TAIL_BLOCKS = 16

/** What a check found. `problems` is empty for a sound store, and names a few of many. */
export type Findings = {
  readonly events: number
  readonly blocks: number
  readonly bytes: number
  readonly problems: readonly string[]
  /** Facts that are worth knowing and no damage. */
  readonly notes: readonly string[]
}

/** The words about a commit that a crash left half written; it was never acknowledged. */
export function tornNote({ torn, state }: Store): string {
  return `${torn} bytes behind position ${state.nextPosition} were no whole commit and were passed over`
}

/** Checks a folder as it is at this moment, also beside a server that goes on writing it. */
export function verifyFolder(folder: string): Promise<Findings> {
  return withReader(folder, store => verify(store))
}

/**
 * Checks everything from a position on: every block's checksum, every event's place in `$all` and in its stream, every
 * stream's head.
 */
export function verify(store: Store, position = 0): Findings {
  return store.showingDamage(() => {
    const check = new Check(store)
    for (const block of store.allBlocks(position)) check.block(block)
    return check.finish()
  })
}

/** Checks at a start that the end of the log is whole and agrees with what the store says of itself. */
export function checkTail(store: Store): Findings {
  return store.showingDamage(() => {
    const check = new Check(store)
    for (const block of store.blocksBackFrom(Number.MAX_SAFE_INTEGER, TAIL_BLOCKS).reverse()) check.block(block)
    return check.findings()
  })
}

class Check {
  readonly #store: Store
  readonly #view: FrameView = newFrameView()
  readonly #lastRevisions = new Map<string, number>()
  readonly #problems: string[] = []
  #events = 0
  #blocks = 0
  #bytes = 0
  #end = 0

  constructor(store: Store) {
    this.#store = store
  }

  block(block: Block): void {
    this.#blocks++
    this.#bytes += block.bytes.length
    if (!isIntact(block.bytes)) {
      this.#report(`The block at position ${block.position} does not match its checksum`)
      return
    }
    let count = 0
    for (let at = BLOCK_HEADER; at < block.bytes.length; at = this.#view.end) {
      parseFrame(block.bytes, at, this.#view)
      if (count++ === 0 && this.#view.position !== block.position)
        this.#report(`The block at position ${block.position} begins with the event at ${this.#view.position}`)
      this.#event()
    }
    if (count !== blockCount(block.bytes)) this.#report(`The block at position ${block.position} miscounts its events`)
  }

  finish(): Findings {
    for (const [stream, revision] of this.#lastRevisions) {
      const head = this.#store.head(stream)
      if (head && revision > head.revision)
        this.#report(`The stream ${stream} has an event at revision ${revision}, and its head says ${head.revision}`)
    }
    return this.findings()
  }

  findings(): Findings {
    if (this.#end > this.#store.state.nextPosition)
      this.#report(`The log ends at ${this.#end}, and the store goes on at ${this.#store.state.nextPosition}`)
    const notes = this.#store.torn > 0 ? [tornNote(this.#store)] : []
    return { events: this.#events, blocks: this.#blocks, bytes: this.#bytes, problems: this.#problems, notes }
  }

  #event(): void {
    const { position, revision } = this.#view
    const stream = streamOf(this.#view)
    this.#events++
    if (position < this.#end) this.#report(`The event at position ${position} overlaps the one before it`)
    this.#end = position + recordLengthOf(this.#view)
    const head = this.#store.head(stream)
    if (head === undefined) {
      this.#report(`The stream ${stream} of the event at position ${position} has no head`)
      return
    }
    if (this.#store.event(head.number, revision)?.position !== position)
      this.#report(`Revision ${revision} of ${stream} does not lead to its event at position ${position}`)
    if (revision >= TOMBSTONE_REVISION) {
      if (!head.tombstoned) this.#report(`The stream ${stream} has a tombstone, and its head does not know it`)
      return
    }
    const before = this.#lastRevisions.get(stream)
    if (before !== undefined && revision <= before)
      this.#report(`Revision ${revision} of ${stream} comes behind revision ${before}`)
    this.#lastRevisions.set(stream, revision)
  }

  #report(problem: string): void {
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem)
  }
}
