import type { NewEvent } from '../log/frame.ts'
import { type Head, isMetastream, isSoftDeleted, metastreamOf, originalOf, readableRange } from '../log/head.ts'
import type { Identity } from './group.ts'
import type { RecentIds } from './recent-ids.ts'

/** What a writer expects of a stream: a revision, or one of these. */
export const NO_STREAM = -1
export const ANY = -2
export const STREAM_EXISTS = -4

export type WriteResult =
  /** `revision` is -1 for a write without events to a missing stream; no position when a deletion hides it. */
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'wrong'; readonly current: number }
  | { readonly kind: 'deleted' }

/** `accept` says that the write may be staged, and whether it brings a soft-deleted stream back. */
export type Decision = { readonly kind: 'accept'; readonly undelete: boolean } | WriteResult

/** The streams as the writer sees them: what is on disk and what is on its way there. */
export interface Streams {
  readonly recent: RecentIds
  head(name: string): Head | undefined
  eventAt(head: Head, revision: number): Identity | undefined
}

/** An id that no event has: requests with it are refused. */
const NO_ID = '00000000-0000-0000-0000-000000000000'
const DELETED: Decision = { kind: 'deleted' }
/** A name of many `$` must not cost many look-ups. */
const METADATA_DEPTH_MAX = 4

/** Checks an append against the expected revision, and recognises one that was written before by its event ids. */
export function decideAppend(
  streams: Streams,
  name: string,
  head: Head | undefined,
  expected: number,
  events: readonly Pick<NewEvent, 'id'>[],
): Decision {
  if (isTombstoned(streams, name, head)) return DELETED
  const current = head?.revision ?? -1
  const accept: Decision = { kind: 'accept', undelete: isSoftDeleted(head) }
  if (expected === STREAM_EXISTS) {
    if (isSoftDeleted(head)) return DELETED
    if (current < 0 && !hasMetadata(streams, name)) return { kind: 'wrong', current }
  }
  if (expected === ANY || expected === STREAM_EXISTS) return decideByMemory(streams, name, head, events, accept)
  if (expected < current) return decideByRevision(streams, name, head!, expected, events, accept)
  return expected > current ? { kind: 'wrong', current } : accept
}

/** Deletions are checked like an append of one new event; only what has events or metadata can be soft-deleted. */
export function decideDelete(
  streams: Streams,
  name: string,
  head: Head | undefined,
  expected: number,
  hard: boolean,
): Decision {
  const decision = decideAppend(streams, name, head, expected, [{ id: NO_ID }])
  // A soft deletion is metadata, and a tombstone there leaves no room for it.
  if (decision.kind === 'accept' && !hard && streams.head(metastreamOf(name))?.tombstoned) return DELETED
  const isMissing = (head?.revision ?? -1) < 0 && !hasMetadata(streams, name)
  return decision.kind === 'accept' && isMissing && !hard ? { kind: 'wrong', current: -1 } : decision
}

/** A tombstone closes a stream for ever, its metadata stream, and the metadata stream of that one. */
export function isTombstoned(streams: Pick<Streams, 'head'>, name: string, head: Head | undefined): boolean {
  if (head?.tombstoned) return true
  let original = name
  for (let depth = 0; depth < METADATA_DEPTH_MAX && isMetastream(original); depth++) {
    original = originalOf(original)
    if (streams.head(original)?.tombstoned) return true
  }
  return false
}

function hasMetadata(streams: Pick<Streams, 'head'>, name: string): boolean {
  return (streams.head(metastreamOf(name))?.revision ?? -1) >= 0
}

/** No revision expected: only ids still remembered tell a repeated append from a new one. */
function decideByMemory(
  streams: Streams,
  name: string,
  head: Head | undefined,
  events: readonly Pick<NewEvent, 'id'>[],
  accept: Decision,
): Decision {
  let last = -1
  for (const [index, event] of events.entries()) {
    const known = streams.recent.get(event.id)
    if (known === undefined || known.stream !== head?.number)
      return index === 0 ? accept : { kind: 'wrong', current: head?.revision ?? -1 }
    last = known.revision
  }
  return events.length === 0 ? accept : writtenBefore(streams, name, head!, last)
}

/** A revision in the past expected: a repeated append exactly when the same ids stand there. Works for ever. */
function decideByRevision(
  streams: Streams,
  name: string,
  head: Head,
  expected: number,
  events: readonly Pick<NewEvent, 'id'>[],
  accept: Decision,
): Decision {
  const revives = expected === NO_STREAM && isSoftDeleted(head)
  let revision = expected
  for (const event of events) {
    revision++
    if (streams.eventAt(head, revision)?.id === event.id) continue
    const isFirst = revision === expected + 1
    return isFirst && revives ? accept : { kind: 'wrong', current: head.revision }
  }
  if (events.length > 0) return writtenBefore(streams, name, head, revision)
  return { kind: 'wrong', current: head.revision }
}

/** The first answer again; without the position when the event can no longer be read. */
function writtenBefore(streams: Streams, name: string, head: Head, revision: number): WriteResult {
  const isReadable = revision >= readableRange(head, isMetastream(name)).first
  const position = isReadable ? streams.eventAt(head, revision)?.position : undefined
  return { kind: 'written', revision, position }
}
