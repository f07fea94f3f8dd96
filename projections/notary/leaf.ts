/** What the tree of the log seals of an event. */
import { hash } from 'node:crypto'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'

/** Bytes of an entry: its length has 16 bits in bundles of entries (C2SP tlog-tiles). */
const ENTRY_BYTES_MAX = 65_535

/**
 * The entry of an event, as RFC 8785 canonical JSON. It has neither a position nor a time of the server, so that proofs
 * go on to hold in a log that moved to another cluster, and of the data only the SHA-256 of its canonical JSON, so that
 * entries can be shown without it. Metadata that another program wrote may have no canonical form, or be too long: its
 * SHA-256 stands for it then.
 */
export const leafOf = (event: StoredEvent): string => leafWith(event, digestOf(event.data))

/** An event without its data. */
export type EventHeader = Omit<StoredEvent, 'data'>

/** The entry of an event of whose data the SHA-256 alone is there. */
export function leafWith({ stream, revision, eventId, type, metadata }: EventHeader, dataSha256: string): string {
  const sealed = { stream, revision: String(revision), id: eventId, type, data_sha256: dataSha256 }
  const whole = canonicalOr(() => undefined, { ...sealed, metadata })
  if (whole !== undefined && Buffer.byteLength(whole) <= ENTRY_BYTES_MAX) return whole
  return canonicalJson({ ...sealed, metadata_sha256: digestOf(metadata) })
}

/** SHA-256 of the canonical JSON of a value; of its JSON as it was stored, where it has no canonical form. */
export const digestOf = (value: unknown): string =>
  hash(
    'sha256',
    canonicalOr(() => JSON.stringify(value), value),
  )

function canonicalOr<T>(otherwise: () => T, value: unknown): string | T {
  try {
    return canonicalJson(value)
  } catch {
    return otherwise()
  }
}
