/** Serves Read where it is no subscription: stored events, as many as are asked for. */
import { frameEnd, newFrameView, parseFrame } from '../log/frame.ts'
import { type Head, isMetastream, isSoftDeleted, readableRange } from '../log/head.ts'
import {
  AllForwards,
  allBackwards,
  locate,
  readableAt,
  type Slice,
  streamBackwards,
  streamForwards,
} from '../log/scan.ts'
import type { Store } from '../log/store.ts'
import type { Call } from '../wire/call.ts'
import { invalid } from '../wire/grpc-error.ts'
import type { ReadRequest } from '../wire/read-request.ts'
import { firstStreamPosition, lastStreamPosition, streamDeleted, streamNotFound } from '../wire/responses.ts'
import { isTombstoned } from '../write/decide.ts'
import { filterOf } from './filter.ts'
import { Outlet } from './outlet.ts'

/** The real server reads pages of this many events, upon which it depends when first_stream_position is sent. */
const PAGE_EVENTS = 32
const U64_MAX = 2n ** 64n - 1n
const I64_MAX = 2n ** 63n - 1n

/** Answers a Read that is no subscription. */
export async function read(call: Call, store: Store, request: ReadRequest): Promise<void> {
  const outlet = new Outlet(call, store, request)
  if (request.stream === undefined) await readAll(store, request, outlet)
  else await readStream(store, request.stream, request, outlet)
  await outlet.flush()
  call.end()
}

/** Refuses a position that no record starts at; one behind the end is good for waiting and not for reading back. */
export function checkPosition(store: Store, commit: bigint, prepare: bigint, backwards: boolean): void {
  if (prepare > commit) throw invalid('The prepare position must not be above the commit position')
  const place = locate(store, Number(commit))
  if (place === 'inside') throw invalid(`There is no record at position ${commit}`)
  if (place === 'beyond' && backwards && Number(commit) > store.state.nextPosition)
    throw invalid(`The position ${commit} is behind the end of the log`)
}

/**
 * The head of a stream that can be read; undefined when it is missing or soft-deleted. Throws when it is tombstoned.
 */
export function existingHead(store: Store, name: string): Head | undefined {
  const head = store.head(name)
  if (isTombstoned(store, name, head)) throw streamDeleted(name)
  return head === undefined || head.revision < 0 || isSoftDeleted(head) ? undefined : head
}

async function readAll(store: Store, request: ReadRequest, outlet: Outlet): Promise<void> {
  const slices = allSlices(store, request)
  await sendSlices(request.filter ? passing(slices, request) : slices, request.count!, outlet)
}

function allSlices(store: Store, request: ReadRequest): Iterable<Slice> {
  const { from, backwards } = request
  const end = store.state.nextPosition
  if (from === 'start') return backwards ? [] : new AllForwards(store, 0)
  if (from === 'end' || from === U64_MAX) return backwards ? allBackwards(store, end) : []
  checkPosition(store, from, request.prepare, backwards)
  const position = Number(from)
  return backwards ? allBackwards(store, position) : new AllForwards(store, position)
}

function* passing(slices: Iterable<Slice>, request: ReadRequest): Generator<Slice> {
  const passes = filterOf(request.filter!)
  const view = newFrameView()
  for (const slice of slices) {
    let start = slice.start
    let count = 0
    for (let at = slice.start; at < slice.end; at = view.end) {
      parseFrame(slice.bytes, at, view)
      if (passes(view)) {
        if (count++ === 0) start = at
        continue
      }
      if (count > 0) yield { bytes: slice.bytes, start, end: at, count }
      count = 0
    }
    // An empty slice makes the caller pause, so that a long stretch without a match keeps no other call waiting.
    yield { bytes: slice.bytes, start: count > 0 ? start : slice.end, end: slice.end, count }
  }
}

/** Sends slices until `limit` events are sent. */
async function sendSlices(slices: Iterable<Slice>, limit: number, outlet: Outlet): Promise<void> {
  let sent = 0
  for (const slice of slices) {
    if (outlet.call.isOver) break
    const room = limit - sent
    if (slice.count > 0) outlet.slice(slice.count <= room ? slice : cut(slice, room))
    sent += Math.min(slice.count, room)
    if (sent >= limit) break
    await outlet.pace()
  }
}

function cut(slice: Slice, count: number): Slice {
  let end = slice.start
  for (let index = 0; index < count; index++) end = frameEnd(slice.bytes, end)
  return { bytes: slice.bytes, start: slice.start, end, count }
}

async function readStream(store: Store, name: string, request: ReadRequest, outlet: Outlet): Promise<void> {
  const start = startRevision(request)
  const head = existingHead(store, name)
  if (head === undefined) {
    outlet.message(streamNotFound(name))
    return
  }
  const readable = readableAt(store, head, isMetastream(name), Date.now())
  const slices = request.backwards
    ? streamBackwards(store, head.number, readable.first, Math.min(start, readable.last))
    : streamForwards(store, head.number, Math.max(start, readable.first), readable.last)
  if (request.compatibility >= 1 && !request.backwards) {
    const kept = readableRange(head, isMetastream(name)).first
    for (const first of firstPositions(start, request.count!, kept, readable))
      outlet.message(firstStreamPosition(first))
  }
  await sendSlices(slices, request.count!, outlet)
  if (request.compatibility >= 1) outlet.message(lastStreamPosition(head.revision))
}

/** The revisions to go on from that empty pages name, where they are other ones than the client asked for. */
function firstPositions(start: number, count: number, kept: number, readable: { first: number; last: number }) {
  const skipsPage = start + Math.min(PAGE_EVENTS, count) <= kept
  const next = skipsPage ? kept : start
  const behindEnd = readable.last + 1
  const isBehindEnd = Math.max(next, readable.first) >= behindEnd && next !== behindEnd
  return [...(skipsPage ? [kept] : []), ...(isBehindEnd ? [behindEnd] : [])]
}

/** The first revision to look at. */
function startRevision({ from, backwards }: ReadRequest): number {
  if (from === 'start') return 0
  if (from === 'end') {
    if (backwards) return Number.POSITIVE_INFINITY
    throw invalid('A stream cannot be read forwards from its end')
  }
  if (from > I64_MAX) throw invalid(`The revision ${from} is above ${I64_MAX}`)
  return Number(from)
}
