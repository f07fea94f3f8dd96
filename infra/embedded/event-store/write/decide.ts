/** Decides whether a write may happen, and recognises one that was written before by its event ids. */
import { type Head, isMetastream, isSoftDeleted, metastreamOf, originalOf, readableRange } from '../log/head.ts'
import { NIL_UUID, type ProposedEvent } from '../wire/proposed-event.ts'
import { ANY, NO_STREAM, STREAM_EXISTS } from '../wire/revisions.ts'
import type { Identity } from './group.ts'
import type { RecentIds } from './recent-ids.ts'

const ACCEPT: Decision = { kind: 'accept' }
const DELETED: Decision = { kind: 'deleted' }
/** How many metadata prefixes of a name are looked through, so that a name of many costs no more. */
const METADATA_DEPTH_MAX = 4

export type WriteResult =
  /** `revision` is -1 for a write without events to a missing stream; no position when a deletion hides it. */
  | { readonly kind: 'written'; readonly revision: number; readonly position: number | undefined }
  | { readonly kind: 'wrong'; readonly current: number }
  | { readonly kind: 'deleted' }

/** `accept` says that the write may be staged. */
export type Decision = { readonly kind: 'accept' } | WriteResult

/** The streams as the next write finds them: what is on disk and what is on its way there. */
export type Streams = {
  readonly recent: RecentIds
  head(name: string): Head | undefined
  eventAt(head: Head, revision: number): Identity | undefined
}

/** Checks an append against the revision that its client expects. */
export function decideAppend(
  streams: Streams,
  name: string,
  head: Head | undefined,
  expected: number,
  events: readonly Pick<ProposedEvent, 'id'>[],
): Decision {
  if (isTombstoned(streams, name, head)) return DELETED
  const current = head?.revision ?? -1
  if (expected === STREAM_EXISTS) {
    if (isSoftDeleted(head)) return DELETED
    if (current < 0 && !hasMetadata(streams, name)) return { kind: 'wrong', current }
  }
  if (expected === ANY || expected === STREAM_EXISTS) return decideByMemory(streams, name, head, events)
  if (expected < current) return decideByRevision(streams, name, head!, expected, events)
  return expected > current ? { kind: 'wrong', current } : ACCEPT
}

/** Checks a deletion as an append of one new event; only a stream with events or metadata can be soft-deleted. */
export function decideDelete(
  streams: Streams,
  name: string,
  head: Head | undefined,
  expected: number,
  hard: boolean,
): Decision {
  const decision = decideAppend(streams, name, head, expected, [{ id: NIL_UUID }])
  // A soft deletion is written as metadata, which a metadata stream with a tombstone does not take.
  if (decision.kind === 'accept' && !hard && streams.head(metastreamOf(name))?.tombstoned) return DELETED
  const isMissing = (head?.revision ?? -1) < 0 && !hasMetadata(streams, name)
  return decision.kind === 'accept' && isMissing && !hard ? { kind: 'wrong', current: -1 } : decision
}

/** Whether a tombstone closes the stream: its own, or one of a stream whose metadata it holds. */
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

/** Decides an append that expects no revision: it is a repeated one when its ids are still remembered. */
function decideByMemory(
  streams: Streams,
  name: string,
  head: Head | undefined,
  events: readonly Pick<ProposedEvent, 'id'>[],
): Decision {
  let last = -1
  for (const [index, event] of events.entries()) {
    const known = streams.recent.get(event.id)
    if (known === undefined || known.streamNumber !== head?.number)
      return index === 0 ? ACCEPT : { kind: 'wrong', current: head?.revision ?? -1 }
    last = known.revision
  }
  return events.length === 0 ? ACCEPT : writtenBefore(streams, name, head!, last)
}

/** Decides an append that expects a past revision: it is a repeated one exactly when the same ids stand there. */
function decideByRevision(
  streams: Streams,
  name: string,
  head: Head,
  expected: number,
  events: readonly Pick<ProposedEvent, 'id'>[],
): Decision {
  const revives = expected === NO_STREAM && isSoftDeleted(head)
  let revision = expected
  for (const event of events) {
    revision++
    if (streams.eventAt(head, revision)?.id === event.id) continue
    const isFirst = revision === expected + 1
    return isFirst && revives ? ACCEPT : { kind: 'wrong', current: head.revision }
  }
  if (events.length > 0) return writtenBefore(streams, name, head, revision)
  return { kind: 'wrong', current: head.revision }
}

/** Gives the first answer again; without the position when the event can no longer be read. */
function writtenBefore(streams: Streams, name: string, head: Head, revision: number): WriteResult {
  const isReadable = revision >= readableRange(head, isMetastream(name)).first
  const position = isReadable ? streams.eventAt(head, revision)?.position : undefined
  return { kind: 'written', revision, position }
}
