import { BLOCK_HEADER, type Block, blockCount, isIntact } from '../log/block.ts'
import { type FrameView, newFrameView, parseFrame, recordLengthOf, streamOf, TOMBSTONE_REVISION } from '../log/frame.ts'
import type { Store } from '../log/store.ts'
import { withReader } from './folder.ts'

/** What a check found. `problems` is empty for a sound store; it names no more than a few of many. */
export interface Findings {
  readonly events: number
  readonly blocks: number
  readonly bytes: number
  readonly problems: readonly string[]
  /** What is worth knowing and no damage. */
  readonly notes: readonly string[]
}

/** What is said of a commit that a crash left half written: it was never acknowledged. */
export function tornNote({ torn, state }: Store): string {
  return `${torn} bytes behind position ${state.nextPosition} were no whole commit and were passed over`
}

const PROBLEMS_MAX = 20
/** Blocks at the end of the log that are checked at each start: what the last run wrote. */
const TAIL_BLOCKS = 16

/** Checks a folder as it is at this moment, also beside a server that goes on writing it. */
export function verifyFolder(folder: string): Promise<Findings> {
  return withReader(folder, store => verify(store))
}

/**
 * Reads everything, or what stands at `position` and behind it: every block's checksum, every event's place in `$all`
 * and in its stream, every stream's head.
 */
export function verify(store: Store, position = 0): Findings {
  return store.showingDamage(() => {
    const check = new Check(store)
    for (const block of store.allBlocks(position)) check.block(block)
    return check.finish()
  })
}

/** The quick look at start-up: the end of the log is whole and agrees with what the store says of itself. */
export function checkTail(store: Store): Findings {
  return store.showingDamage(() => {
    const check = new Check(store)
    for (const block of store.blocksBackFrom(Number.MAX_SAFE_INTEGER, TAIL_BLOCKS).reverse()) check.block(block)
    return check.findings()
  })
}

class Check {
  private readonly store: Store
  private readonly view: FrameView = newFrameView()
  private readonly lastRevisions = new Map<string, number>()
  private readonly problems: string[] = []
  private events = 0
  private blocks = 0
  private bytes = 0
  private end = 0

  constructor(store: Store) {
    this.store = store
  }

  block(block: Block): void {
    this.blocks++
    this.bytes += block.bytes.length
    if (!isIntact(block.bytes)) {
      this.report(`The block at position ${block.position} does not match its checksum`)
      return
    }
    let count = 0
    for (let at = BLOCK_HEADER; at < block.bytes.length; at = this.view.end) {
      parseFrame(block.bytes, at, this.view)
      if (count++ === 0 && this.view.position !== block.position)
        this.report(`The block at position ${block.position} begins with the event at ${this.view.position}`)
      this.event()
    }
    if (count !== blockCount(block.bytes)) this.report(`The block at position ${block.position} miscounts its events`)
  }

  finish(): Findings {
    for (const [stream, revision] of this.lastRevisions) {
      const head = this.store.head(stream)
      if (head && revision > head.revision)
        this.report(`The stream ${stream} has an event at revision ${revision}, and its head says ${head.revision}`)
    }
    return this.findings()
  }

  findings(): Findings {
    if (this.end > this.store.state.nextPosition)
      this.report(`The log ends at ${this.end}, and the store goes on at ${this.store.state.nextPosition}`)
    const notes = this.store.torn > 0 ? [tornNote(this.store)] : []
    return { events: this.events, blocks: this.blocks, bytes: this.bytes, problems: this.problems, notes }
  }

  private event(): void {
    const { view } = this
    const { position, revision } = view
    const stream = streamOf(view)
    this.events++
    if (position < this.end) this.report(`The event at position ${position} overlaps the one before it`)
    this.end = position + recordLengthOf(view)
    const head = this.store.head(stream)
    if (head === undefined) {
      this.report(`The stream ${stream} of the event at position ${position} has no head`)
      return
    }
    if (this.store.event(head.number, revision)?.position !== position)
      this.report(`Revision ${revision} of ${stream} does not lead to its event at position ${position}`)
    if (revision >= TOMBSTONE_REVISION) {
      if (!head.tombstoned) this.report(`The stream ${stream} has a tombstone, and its head does not know it`)
      return
    }
    const before = this.lastRevisions.get(stream)
    if (before !== undefined && revision <= before)
      this.report(`Revision ${revision} of ${stream} comes behind revision ${before}`)
    this.lastRevisions.set(stream, revision)
  }

  private report(problem: string): void {
    if (this.problems.length < PROBLEMS_MAX) this.problems.push(problem)
  }
}
