/**
 * What a subscription reads: all events, those that pass a filter, or those of one stream, each from where it stopped.
 */
import { newFrameView, parseFrame } from '../log/frame.ts'
import { isMetastream } from '../log/head.ts'
import { AllForwards, readableAt, type Slice, streamForwards } from '../log/scan.ts'
import type { Store } from '../log/store.ts'
import type { ReadRequest } from '../wire/read-request.ts'
import { checkpoint, streamDeleted } from '../wire/responses.ts'
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'
import { type Filter, filterOf } from './filter.ts'
import type { Outlet } from './outlet.ts'
import { checkPosition, existingHead } from './reads.ts'

/** A filtered read looks at no more than this many matches in one page, as the real server does. */
const PAGE_MATCHES = 32
const U64_MAX = 2n ** 64n - 1n

export type Feed = {
  /** Whether a feed that was read to its end counts as caught up. */
  readonly isCaughtUp: boolean
  /** Puts out what there is from where it stopped; a live one stops when the client is behind. True at the end. */
  pull(outlet: Outlet, isLive: boolean): Promise<boolean>
}

/** The feed of `$all`, with or without a filter. */
export function allFeed(store: Store, request: ReadRequest): Feed {
  const last = lastSeen(store, request)
  return request.filter ? new FilteredFeed(store, request, last) : new AllFeed(new AllForwards(store, last + 1))
}

export class StreamFeed implements Feed {
  readonly #store: Store
  readonly #name: string
  /** The next revision to send. */
  #next: number
  readonly #fromEnd: boolean
  #exists: boolean

  constructor(store: Store, name: string, { from }: ReadRequest) {
    this.#store = store
    this.#name = name
    const head = existingHead(store, name)
    this.#exists = head !== undefined
    this.#fromEnd = from === 'end'
    this.#next = from === 'start' ? 0 : from === 'end' ? (store.head(name)?.revision ?? -1) + 1 : Number(from) + 1
  }

  /** A stream that does not exist is not caught up with before its first event; from its end, at once. */
  get isCaughtUp(): boolean {
    return this.#fromEnd || this.#exists
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    const head = this.#store.head(this.#name)
    if (head === undefined) return true
    const { first, last } = readableAt(this.#store, head, isMetastream(this.#name), Date.now())
    if (last >= first) this.#exists = true
    const slices: Iterable<Slice> = streamForwards(this.#store, head.number, Math.max(this.#next, first), last)
    for (const slice of slices) {
      if (outlet.call.isOver) return true
      outlet.slice(slice)
      this.#next = Math.max(this.#next, lastRevision(slice) + 1)
      if (isLive && outlet.isFull) {
        void outlet.flush()
        if (outlet.call.isBehind) return false
      } else await outlet.pace()
    }
    if (head.tombstoned) await this.#endWithTombstone(outlet, head.number)
    return true
  }

  async #endWithTombstone(outlet: Outlet, streamNumber: number): Promise<void> {
    const tombstone = this.#store.event(streamNumber, TOMBSTONE_REVISION)
    if (tombstone) outlet.frame(tombstone)
    await outlet.flush()
    throw streamDeleted(this.#name)
  }
}

class AllFeed implements Feed {
  readonly isCaughtUp = true
  readonly #log: AllForwards

  constructor(log: AllForwards) {
    this.#log = log
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    for (let slice = this.#log.next(); slice && !outlet.call.isOver; slice = this.#log.next()) {
      outlet.slice(slice)
      if (isLive && outlet.isFull) {
        void outlet.flush()
        if (outlet.call.isBehind) return false
      } else await outlet.pace()
    }
    return true
  }
}

/** Sends a checkpoint now and then, so that a client need not look again at what did not match. */
class FilteredFeed implements Feed {
  readonly isCaughtUp = true
  readonly #log: AllForwards
  readonly #passes: Filter
  readonly #window: number
  readonly #interval: number
  /** Events looked at since the last checkpoint. */
  #counter = 0
  #page = { looked: 0, matches: 0, position: 0 }
  /** Position of the last event looked at. */
  #last: number

  constructor(store: Store, request: ReadRequest, last: number) {
    this.#log = new AllForwards(store, last + 1)
    this.#passes = filterOf(request.filter!)
    this.#window = request.filter!.window
    this.#interval = this.#window * request.filter!.checkpointMultiplier
    this.#last = last
    // From the start, the hidden record of the first epoch is looked at too.
    if (last === 0) this.#page.looked = 1
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    const view = newFrameView()
    for (let slice = this.#log.next(); slice && !outlet.call.isOver; slice = this.#log.next()) {
      for (let at = slice.start; at < slice.end; at = view.end) {
        parseFrame(slice.bytes, at, view)
        const matches = this.#passes(view)
        if (matches) outlet.frame(view)
        this.#last = view.position
        if (isLive) this.#lookedLive(outlet)
        else this.#lookedStored(outlet, matches)
      }
      if (isLive && outlet.call.isBehind) return false
      await outlet.pace()
    }
    if (!isLive) this.#endPage()
    return true
  }

  /** Counts a stored event: a checkpoint comes behind a page and names the last match in it, or its first event. */
  #lookedStored(outlet: Outlet, matches: boolean): void {
    if (this.#page.looked >= this.#window) this.#turnPage(outlet)
    const page = this.#page
    if (matches || page.looked === 0) page.position = this.#last
    page.looked++
    if (matches) page.matches++
    if (page.looked >= this.#window || page.matches >= PAGE_MATCHES) this.#turnPage(outlet)
  }

  #turnPage(outlet: Outlet): void {
    const { position } = this.#page
    this.#endPage()
    if (this.#counter < this.#interval) return
    this.#counter %= this.#interval
    outlet.message(checkpoint(position))
  }

  #endPage(): void {
    this.#counter += this.#page.looked
    this.#page = { looked: 0, matches: 0, position: 0 }
  }

  #lookedLive(outlet: Outlet): void {
    this.#counter++
    if (this.#counter < this.#interval) return
    this.#counter = 0
    outlet.message(checkpoint(this.#last))
  }
}

/** The position that a subscription to `$all` starts behind. */
function lastSeen(store: Store, { from, prepare }: ReadRequest): number {
  if (from === 'start') return 0
  if (from === 'end' || from === U64_MAX) return Math.max(0, store.state.nextPosition - 1)
  checkPosition(store, from, prepare, false)
  // From behind the end every new event is wanted.
  return Math.min(Number(from), Math.max(0, store.state.nextPosition - 1))
}

function lastRevision(slice: Slice): number {
  return parseFrame(slice.bytes, slice.start, newFrameView()).revision + slice.count - 1
}
