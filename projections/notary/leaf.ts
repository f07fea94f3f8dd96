/** What the tree of the log seals of an event. */
import { hash } from 'node:crypto'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { canonical } from './canonical.ts'

/** Bytes of an entry: its length has 16 bits in bundles of entries (C2SP tlog-tiles). */
const ENTRY_BYTES_MAX = 65_535

/**
 * The entry of an event, as RFC 8785 canonical JSON. It has neither a position nor a time of the server, so that proofs
 * go on to hold in a log that moved to another cluster, and of the data only the SHA-256 of its canonical JSON, so that
 * entries can be shown without it. Metadata that another program wrote may have no canonical form, or be too long: its
 * SHA-256 stands for it then.
 */
export const leafOf = (event: StoredEvent): string =>
  leafOfParts(event, {
    dataSha256: digestOf(event.data),
    metadata: event.metadata && canonicalOrUndefined(event.metadata),
  })

/** An event without its data. */
export type EventHeader = Omit<StoredEvent, 'data'>

/** The entry of an event by the SHA-256 of its data and its canonical metadata, if that has such a form. */
export function leafOfParts(
  { stream, revision, eventId, type, metadata }: EventHeader,
  { dataSha256, metadata: sealed }: { readonly dataSha256: string; readonly metadata: string | undefined },
): string {
  const others = `"revision":"${revision}","stream":${canonical(stream)},"type":${canonical(type)}}`
  const begin = `{"data_sha256":${canonical(dataSha256)},"id":${canonical(eventId)}`
  if (metadata === undefined) return `${begin},${others}`
  // The names of an entry are in the order of canonical JSON.
  const whole = sealed === undefined ? undefined : `${begin},"metadata":${sealed},${others}`
  if (whole !== undefined && isShort(whole)) return whole
  return `${begin},"metadata_sha256":"${digestOf(metadata)}",${others}`
}

/** A character has three bytes at most, for each of its one or two code units. */
const isShort = (entry: string): boolean =>
  entry.length * 3 <= ENTRY_BYTES_MAX || Buffer.byteLength(entry) <= ENTRY_BYTES_MAX

/** SHA-256 of the canonical JSON of a value; of its JSON as it was stored, where it has no canonical form. */
export const digestOf = (value: unknown): string => hash('sha256', canonicalOrUndefined(value) ?? JSON.stringify(value))

function canonicalOrUndefined(value: unknown): string | undefined {
  try {
    return canonical(value)
  } catch {
    return undefined
  }
}
