import { randomUUID } from 'node:crypto'
import { newFrameView, parseFrame, TOMBSTONE_REVISION } from '../log/frame.ts'
import { isMetastream } from '../log/head.ts'
import { AllForwards, readableAt, type Slice, streamForwards } from '../log/scan.ts'
import type { Store } from '../log/store.ts'
import { type Call, GrpcError, Status } from '../wire/call.ts'
import type { ReadRequest } from '../wire/read-request.ts'
import { CAUGHT_UP, checkpoint, confirmation, FELL_BEHIND, streamDeleted } from '../wire/responses.ts'
import type { Writer } from '../write/committer.ts'
import { type Filter, filterOf } from './filter.ts'
import { Outlet } from './outlet.ts'
import { checkPosition, existingHead } from './reads.ts'

/** A filtered read looks at no more than this many matches in one page, as the real server does. */
const PAGE_MATCHES = 32
const U64_MAX = 2n ** 64n - 1n
/** A live subscriber that takes nothing for so long is told that it fell behind … */
const FELL_BEHIND_MS = 1000
/** … and is dropped after this; it has lost nothing, for it knows its last position. */
const TOO_SLOW_MS = 10_000

/** What the subscriptions of one server share. */
export interface Subscribers {
  readonly store: Store
  readonly writer: Writer
}

/**
 * A subscription reads the log by position from where it stopped, first what is stored and then, woken by each commit,
 * what is new. Stored and live events take the same path, so there is no hand-over at which one could be lost or
 * doubled, and a slow client costs no memory: what it has not taken stays on disk.
 */
export async function subscribe(call: Call, shared: Subscribers, request: ReadRequest): Promise<void> {
  const feed = request.stream === undefined ? allFeed(shared, request) : new StreamFeed(shared, request.stream, request)
  const outlet = new Outlet(call, shared.store, request)
  const bell = new Bell(shared.writer, request.stream)
  call.onClose = () => bell.close()
  outlet.message(confirmation(randomUUID()))
  let isLive = false
  while (!call.isOver) {
    bell.reset()
    const isAtEnd = await feed.pull(outlet, isLive)
    if (call.isOver) break
    if (!isLive && isAtEnd && feed.isCaughtUp) {
      isLive = true
      outlet.message(CAUGHT_UP)
    }
    void outlet.flush()
    if (isLive && (await fellBehind(call))) {
      outlet.message(FELL_BEHIND)
      isLive = false
    } else if (isAtEnd) await bell.rung()
  }
}

/** Waits for a client that is behind; true when it took long. */
async function fellBehind(call: Call): Promise<boolean> {
  if (!call.isBehind) return false
  let timer: NodeJS.Timeout | undefined
  const since = Date.now()
  const patience = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), TOO_SLOW_MS)
  })
  const outcome = await Promise.race([call.drained(), patience])
  clearTimeout(timer)
  if (outcome === 'late')
    throw new GrpcError(
      Status.aborted,
      'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
    )
  return Date.now() - since > FELL_BEHIND_MS
}

/** Rings when a commit brought events that the subscription may want. */
class Bell {
  readonly close: () => void
  private ring: () => void = () => {}
  private ringing = Promise.resolve()

  constructor(writer: Writer, stream: string | undefined) {
    const stop = writer.onCommit(touched => {
      if (stream === undefined || touched.has(stream)) this.ring()
    })
    this.close = () => {
      stop()
      this.ring()
    }
  }

  /** Call before looking, so that a commit during the look is not missed. */
  reset(): void {
    this.ringing = new Promise(resolve => {
      this.ring = resolve
    })
  }

  rung(): Promise<void> {
    return this.ringing
  }
}

interface Feed {
  readonly isCaughtUp: boolean
  /** Puts out what there is from where it stopped; a live one stops when the client is behind. True at the end. */
  pull(outlet: Outlet, isLive: boolean): Promise<boolean>
}

function allFeed({ store }: Subscribers, request: ReadRequest): Feed {
  const last = lastSeen(store, request)
  return request.filter ? new FilteredFeed(store, request, last) : new AllFeed(new AllForwards(store, last + 1))
}

/** The position that the subscription starts behind. */
function lastSeen(store: Store, { from, prepare }: ReadRequest): number {
  if (from === 'start') return 0
  if (from === 'end' || from === U64_MAX) return Math.max(0, store.state.nextPosition - 1)
  checkPosition(store, from, prepare, false)
  // Behind the end there is nothing to skip: what is new is wanted.
  return Math.min(Number(from), Math.max(0, store.state.nextPosition - 1))
}

class AllFeed implements Feed {
  readonly isCaughtUp = true
  private readonly log: AllForwards

  constructor(log: AllForwards) {
    this.log = log
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    for (let slice = this.log.next(); slice && !outlet.call.isOver; slice = this.log.next()) {
      outlet.slice(slice)
      if (isLive && outlet.isFull) {
        void outlet.flush()
        if (outlet.call.isBehind) return false
      } else await outlet.pace()
    }
    return true
  }
}

/**
 * `$all` through a filter, with a checkpoint now and then, so that a client need not look again at what did not match.
 */
class FilteredFeed implements Feed {
  readonly isCaughtUp = true
  private readonly log: AllForwards
  private readonly passes: Filter
  private readonly window: number
  private readonly interval: number
  /** Events looked at since the last checkpoint. */
  private counter = 0
  private page = { looked: 0, matches: 0, position: 0 }
  private last: number

  constructor(store: Store, request: ReadRequest, last: number) {
    this.log = new AllForwards(store, last + 1)
    this.passes = filterOf(request.filter!)
    this.window = request.filter!.window
    this.interval = this.window * request.filter!.checkpointMultiplier
    this.last = last
    // From the start, the hidden record of the first epoch is looked at too.
    if (last === 0) this.page.looked = 1
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    const view = newFrameView()
    for (let slice = this.log.next(); slice && !outlet.call.isOver; slice = this.log.next()) {
      for (let at = slice.start; at < slice.end; at = view.end) {
        parseFrame(slice.bytes, at, view)
        const matches = this.passes(view)
        if (matches) outlet.frame(view)
        this.last = view.position
        if (isLive) this.lookedLive(outlet)
        else this.lookedStored(outlet, matches)
      }
      if (isLive && outlet.call.isBehind) return false
      await outlet.pace()
    }
    if (!isLive) this.endPage()
    return true
  }

  /** Stored events are read in pages; a checkpoint comes behind a page and names the last match in it, or its start. */
  private lookedStored(outlet: Outlet, matches: boolean): void {
    if (this.page.looked >= this.window) this.turnPage(outlet)
    const { page } = this
    if (matches || page.looked === 0) page.position = this.last
    page.looked++
    if (matches) page.matches++
    if (page.looked >= this.window || page.matches >= PAGE_MATCHES) this.turnPage(outlet)
  }

  private turnPage(outlet: Outlet): void {
    const { position } = this.page
    this.endPage()
    if (this.counter < this.interval) return
    this.counter %= this.interval
    outlet.message(checkpoint(position))
  }

  private endPage(): void {
    this.counter += this.page.looked
    this.page = { looked: 0, matches: 0, position: 0 }
  }

  private lookedLive(outlet: Outlet): void {
    this.counter++
    if (this.counter < this.interval) return
    this.counter = 0
    outlet.message(checkpoint(this.last))
  }
}

class StreamFeed implements Feed {
  private readonly store: Store
  private readonly name: string
  /** The next revision to send. */
  private next: number
  private readonly fromEnd: boolean
  private exists: boolean

  constructor({ store }: Subscribers, name: string, { from }: ReadRequest) {
    this.store = store
    this.name = name
    const head = existingHead(store, name)
    this.exists = head !== undefined
    this.fromEnd = from === 'end'
    this.next = from === 'start' ? 0 : from === 'end' ? (store.head(name)?.revision ?? -1) + 1 : Number(from) + 1
  }

  /** A stream that does not exist is not caught up with before its first event; from its end, at once. */
  get isCaughtUp(): boolean {
    return this.fromEnd || this.exists
  }

  async pull(outlet: Outlet, isLive: boolean): Promise<boolean> {
    const head = this.store.head(this.name)
    if (head === undefined) return true
    const { first, last } = readableAt(this.store, head, isMetastream(this.name), Date.now())
    if (last >= first) this.exists = true
    const slices: Iterable<Slice> = streamForwards(this.store, head.number, Math.max(this.next, first), last)
    for (const slice of slices) {
      if (outlet.call.isOver) return true
      outlet.slice(slice)
      this.next = Math.max(this.next, lastRevision(slice) + 1)
      if (isLive && outlet.isFull) {
        void outlet.flush()
        if (outlet.call.isBehind) return false
      } else await outlet.pace()
    }
    if (head.tombstoned) await this.endWithTombstone(outlet, head.number)
    return true
  }

  private async endWithTombstone(outlet: Outlet, stream: number): Promise<void> {
    const tombstone = this.store.event(stream, TOMBSTONE_REVISION)
    if (tombstone) outlet.frame(tombstone)
    await outlet.flush()
    throw streamDeleted(this.name)
  }
}

function lastRevision(slice: Slice): number {
  const view = newFrameView()
  return parseFrame(slice.bytes, slice.start, view).revision + slice.count - 1
}
