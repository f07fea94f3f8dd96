/**
 * Walks over the stored events. A scan yields slices: stretches of whole frames in one block. It holds no cursor
 * between two slices, so a reader may take its time, and each page it fetches sees what has been committed since.
 */
import { BLOCK_HEADER, type Block, blockCount } from './block.ts'
import { createdOf, frameEnd, newFrameView, parseFrame, recordLengthOf } from './frame.ts'
import { type Head, readableRange } from './head.ts'
import type { Store } from './store.ts'
import type { Run } from './tail.ts'

/** `$all` begins here: the epoch record before it can be read by the name of its stream only. */
export const FIRST_POSITION = 546
const BLOCKS_PER_PAGE = 4
const RUNS_PER_PAGE = 64

export type Slice = {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  readonly count: number
}

/**
 * Frames of `$all` from the first one at or behind a position. At the end `next` answers undefined; called again later
 * it goes on with what has been committed meanwhile, which is what makes a live subscription.
 */
export class AllForwards {
  readonly #store: Store
  #from: number
  #page: Block[] = []
  #started = false

  constructor(store: Store, position: number) {
    this.#store = store
    this.#from = Math.max(position, FIRST_POSITION)
  }

  next(): Slice | undefined {
    if (!this.#started) {
      this.#started = true
      const first = this.#startInside()
      if (first) return first
    }
    if (this.#page.length === 0) this.#page = this.#store.blocksFrom(this.#from, BLOCKS_PER_PAGE)
    const block = this.#page.shift()
    if (block === undefined) return undefined
    this.#from = block.position + 1
    return { bytes: block.bytes, start: BLOCK_HEADER, end: block.bytes.length, count: blockCount(block.bytes) }
  }

  *[Symbol.iterator](): Generator<Slice> {
    for (let slice = this.next(); slice; slice = this.next()) yield slice
  }

  /** The rest of the block that the position lies in; undefined when a block begins there. */
  #startInside(): Slice | undefined {
    const [block] = this.#store.blocksBackFrom(this.#from, 1)
    if (block === undefined || block.position === this.#from) return undefined
    const slice = sliceFrom(block.bytes, offsetOf(block.bytes, this.#from))
    return slice.count > 0 ? slice : undefined
  }
}

/** Frames of `$all` backwards, one a slice, from the last one before `position`. */
export function* allBackwards(store: Store, position: number): Generator<Slice> {
  let from = position - 1
  const view = newFrameView()
  while (from >= FIRST_POSITION) {
    const page = store.blocksBackFrom(from, BLOCKS_PER_PAGE)
    if (page.length === 0) return
    for (const block of page) {
      const offsets = frameOffsets(block.bytes)
      for (const start of offsets.reverse())
        if (isBetween(parseFrame(block.bytes, start, view).position, FIRST_POSITION, position))
          yield { bytes: block.bytes, start, end: view.end, count: 1 }
      from = block.position - 1
    }
  }
}

/** Frames of a stream with revisions from `first` to `last`. */
export function* streamForwards(store: Store, streamNumber: number, first: number, last: number): Generator<Slice> {
  let from = first
  while (from <= last) {
    const page = store.runsFrom(streamNumber, from, RUNS_PER_PAGE)
    const before = from
    for (const run of page) {
      if (run.revision + run.count <= from) continue
      if (run.revision > last) return
      const bytes = blockBytes(store, run.blockPosition)
      const to = Math.min(last, run.revision + run.count - 1)
      const low = Math.max(from, run.revision)
      const start = skip(bytes, run.offset, low - run.revision)
      yield { bytes, start, end: skip(bytes, start, to - low + 1), count: to - low + 1 }
      from = to + 1
    }
    if (from === before) return
  }
}

/** Frames of a stream backwards, one a slice, with revisions from `last` down to `first`. */
export function* streamBackwards(store: Store, streamNumber: number, first: number, last: number): Generator<Slice> {
  let from = last
  while (from >= first) {
    const page = store.runsBackFrom(streamNumber, from, RUNS_PER_PAGE)
    const before = from
    for (const run of page) {
      const bytes = blockBytes(store, run.blockPosition)
      const starts = runOffsets(bytes, run)
      for (let revision = Math.min(from, run.revision + run.count - 1); revision >= run.revision; revision--) {
        if (revision < first) return
        const start = starts[revision - run.revision]!
        yield { bytes, start, end: frameEnd(bytes, start), count: 1 }
        from = revision - 1
      }
    }
    if (from === before) return
  }
}

/** The readable revisions of a stream at a time, with $maxAge applied; creation times never fall within a stream. */
export function readableAt(
  store: Store,
  head: Head,
  metastream: boolean,
  now: number,
): { first: number; last: number } {
  const { first, last } = readableRange(head, metastream)
  const maxAge = head.limits.maxAgeSeconds
  if (metastream || maxAge === undefined || first > last) return { first, last }
  const oldest = now - maxAge * 1000
  let low = first
  let high = last + 1
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const event = store.event(head.number, middle)
    if (event && createdOf(event) >= oldest) high = middle
    else low = middle + 1
  }
  return { first: low, last }
}

/** Where a position lies: on a record, inside one, or behind the last. */
export function locate(store: Store, position: number): 'record' | 'inside' | 'beyond' {
  if (position >= store.state.nextPosition) return 'beyond'
  const [block] = store.blocksBackFrom(position, 1)
  if (block === undefined) return 'record'
  const view = newFrameView()
  let end = 0
  for (const start of frameOffsets(block.bytes)) {
    const at = parseFrame(block.bytes, start, view).position
    if (at === position) return 'record'
    if (at > position) break
    end = at + recordLengthOf(view)
  }
  return position < end ? 'inside' : 'record'
}

/** Where the frames of a block start. */
export function frameOffsets(bytes: Buffer): number[] {
  const offsets: number[] = []
  for (let at = BLOCK_HEADER; at < bytes.length; at = frameEnd(bytes, at)) offsets.push(at)
  return offsets
}

function isBetween(position: number, first: number, end: number): boolean {
  return position >= first && position < end
}

function blockBytes(store: Store, position: number): Buffer {
  const block = store.block(position)
  if (block === undefined) throw new Error(`The block at ${position} is missing: run \`kogi store verify\``)
  return block.bytes
}

function runOffsets(bytes: Buffer, run: Run): number[] {
  const offsets: number[] = []
  let at = run.offset
  for (let index = 0; index < run.count; index++) {
    offsets.push(at)
    at = frameEnd(bytes, at)
  }
  return offsets
}

function skip(bytes: Buffer, start: number, frames: number): number {
  let at = start
  for (let index = 0; index < frames; index++) at = frameEnd(bytes, at)
  return at
}

/** Offset of the first frame at or behind a position; the block's end when there is none. */
function offsetOf(bytes: Buffer, position: number): number {
  const view = newFrameView()
  for (let at = BLOCK_HEADER; at < bytes.length; at = view.end)
    if (parseFrame(bytes, at, view).position >= position) return at
  return bytes.length
}

/** The frames of a block from an offset on. */
function sliceFrom(bytes: Buffer, start: number): Slice {
  let count = 0
  for (let at = start; at < bytes.length; at = frameEnd(bytes, at)) count++
  return { bytes, start, end: bytes.length, count }
}
