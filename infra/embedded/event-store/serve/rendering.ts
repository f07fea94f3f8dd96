/** Turns stored frames into what a reader asks for: links followed, or ids in two halves. */
import { FRAME_HEADER_BYTES } from '../../../wire/grpc.ts'
import { MessageBuilder, varintSize, writeVarint } from '../../../wire/protobuf.ts'
import { type FrameView, idOf, newFrameView, parseFrame } from '../log/frame.ts'
import { isMetastream, isSoftDeleted } from '../log/head.ts'
import { readableAt, type Slice } from '../log/scan.ts'
import type { Store } from '../log/store.ts'

const LINK_TYPE = Buffer.from('$>')
const LINK = /^\s*([+-]?\d+)\s*(?:@([\s\S]*))?$/
/** Bytes of a field that holds an id as text. */
const STRING_ID_SIZE = 40

/** What a reader wants changed in the stored frames. */
export type Rendering = {
  readonly resolveLinks: boolean
  readonly structuredIds: boolean
}

/** Whether stored frames can be sent as they are. */
export function isPlain(rendering: Rendering): boolean {
  return !rendering.resolveLinks && !rendering.structuredIds
}

/** The frame as the reader wants it: its link followed, its ids in two halves. */
export function rendered(store: Store, view: FrameView, rendering: Rendering): Buffer {
  const record = (of: FrameView): Buffer => (rendering.structuredIds ? structured(of) : recordOf(of))
  const target = rendering.resolveLinks && isLink(view) ? linkTarget(view) : undefined
  if (target === undefined)
    return rendering.structuredIds ? readEvent(record(view), undefined, view.position) : frameOf(view)
  const event = follow(store, target)
  return readEvent(event && record(event), record(view), view.position)
}

/** The frames of a slice as the reader wants them. */
export function renderedSlice(store: Store, slice: Slice, rendering: Rendering): Buffer {
  const frames: Buffer[] = []
  const view = newFrameView()
  for (let at = slice.start; at < slice.end; at = view.end) {
    parseFrame(slice.bytes, at, view)
    frames.push(rendered(store, view, rendering))
  }
  return Buffer.concat(frames)
}

function isLink(view: FrameView): boolean {
  return view.bytes.compare(LINK_TYPE, 0, LINK_TYPE.length, view.typeStart, view.typeEnd) === 0
}

/** What a link names; undefined for data of another form, which makes it an ordinary event. */
function linkTarget(view: FrameView): { revision: number; stream: string } | undefined {
  const match = LINK.exec(view.bytes.toString('utf8', view.dataStart, view.dataEnd))
  return match ? { revision: Number(match[1]), stream: match[2] ?? '' } : undefined
}

/** The event that a link names, when a reader of its stream could see it now; revision -1 names the last one. */
function follow(store: Store, target: { revision: number; stream: string }): FrameView | undefined {
  const head = store.head(target.stream)
  if (head === undefined || head.tombstoned || isSoftDeleted(head)) return undefined
  const { first, last } = readableAt(store, head, isMetastream(target.stream), Date.now())
  const revision = target.revision === -1 ? last : target.revision
  return revision >= first && revision <= last ? store.event(head.number, revision) : undefined
}

function frameOf(view: FrameView): Buffer {
  return view.bytes.subarray(view.start, view.end)
}

function recordOf(view: FrameView): Buffer {
  return view.bytes.subarray(view.eventStart, view.eventEnd)
}

/** The RecordedEvent with its id as two signed 64-bit halves. */
function structured(view: FrameView): Buffer {
  const hex = idOf(view).replaceAll('-', '')
  const halves = new MessageBuilder().uint(1, BigInt(`0x${hex.slice(0, 16)}`)).uint(2, BigInt(`0x${hex.slice(16)}`))
  const id = new MessageBuilder().message(1, new MessageBuilder().message(1, halves)).finish()
  return Buffer.concat([id, view.bytes.subarray(view.eventStart + STRING_ID_SIZE, view.eventEnd)])
}

/** A framed ReadResp with an event, a link, or both. */
function readEvent(event: Buffer | undefined, link: Buffer | undefined, position: number): Buffer {
  const field = (bytes: Buffer | undefined): number => (bytes ? 1 + varintSize(bytes.length) + bytes.length : 0)
  const size = field(event) + field(link) + 1 + varintSize(position)
  const total = 1 + varintSize(size) + size
  const out = Buffer.allocUnsafe(FRAME_HEADER_BYTES + total)
  out[0] = 0
  out.writeUInt32BE(total, 1)
  out[FRAME_HEADER_BYTES] = 0x0a
  let at = writeVarint(out, FRAME_HEADER_BYTES + 1, size)
  for (const [tag, bytes] of [[0x0a, event] as const, [0x12, link] as const]) {
    if (bytes === undefined) continue
    out[at] = tag
    at = writeVarint(out, at + 1, bytes.length)
    out.set(bytes, at)
    at += bytes.length
  }
  out[at] = 0x18
  writeVarint(out, at + 1, position)
  return out
}
