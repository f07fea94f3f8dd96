/** What the store knows of a stream beside its events: its last revision, and the limits that its metadata set. */
import { TOMBSTONE_REVISION } from '../wire/revisions.ts'

export const HEAD_SIZE = 40
/** A stream whose $tb is the tombstone's revision is soft-deleted. */
const DELETED = TOMBSTONE_REVISION
const TOMBSTONED = 1
const HAS_MAX_COUNT = 2
const HAS_MAX_AGE = 4
const HAS_TRUNCATE = 8
/** Fields of the metadata that must be integers. */
const INTEGERS = ['$maxCount', '$maxAge', '$tb', '$cacheControl']

/** What the metadata of a stream lets a reader see. */
export type Limits = {
  readonly maxCount: number | undefined
  readonly maxAgeSeconds: number | undefined
  /** The first revision that may be read ($tb). */
  readonly truncateBefore: number | undefined
}

/** One small record a stream, so that an append and a read look up nothing else. */
export type Head = {
  /** Number of the stream in the tables. */
  readonly number: number
  /** Revision of the last event, -1 before the first. */
  readonly revision: number
  readonly tombstoned: boolean
  readonly limits: Limits
}

export const NO_LIMITS: Limits = { maxCount: undefined, maxAgeSeconds: undefined, truncateBefore: undefined }
/** The number is 2^63 - 1, which JSON.stringify could not write; it replaces all metadata of the stream. */
export const SOFT_DELETE_METADATA = Buffer.from('{"$tb":9223372036854775807}')

export function isSoftDeleted(head: Head | undefined): boolean {
  return head?.limits.truncateBefore === DELETED
}

export function isMetastream(name: string): boolean {
  return name.startsWith('$$')
}

export function metastreamOf(name: string): string {
  return `$$${name}`
}

export function originalOf(metastream: string): string {
  return metastream.slice(2)
}

/** The stream whose limits an event of this stream sets; the metadata of a metadata stream limits nothing. */
export function describedBy(name: string): string | undefined {
  const original = isMetastream(name) ? originalOf(name) : undefined
  return original === undefined || isMetastream(original) ? undefined : original
}

export function writeHead(out: Buffer, head: Head): void {
  const { maxCount, maxAgeSeconds, truncateBefore } = head.limits
  out.writeUInt32BE(head.number, 0)
  out[4] =
    (head.tombstoned ? TOMBSTONED : 0) |
    (maxCount === undefined ? 0 : HAS_MAX_COUNT) |
    (maxAgeSeconds === undefined ? 0 : HAS_MAX_AGE) |
    (truncateBefore === undefined ? 0 : HAS_TRUNCATE)
  out.fill(0, 5, 8)
  out.writeDoubleBE(head.revision, 8)
  out.writeDoubleBE(maxCount ?? 0, 16)
  out.writeDoubleBE(maxAgeSeconds ?? 0, 24)
  out.writeDoubleBE(truncateBefore ?? 0, 32)
}

export function readHead(bytes: Buffer): Head {
  const flags = bytes[4]!
  const limits =
    (flags & ~TOMBSTONED) === 0
      ? NO_LIMITS
      : {
          maxCount: flags & HAS_MAX_COUNT ? bytes.readDoubleBE(16) : undefined,
          maxAgeSeconds: flags & HAS_MAX_AGE ? bytes.readDoubleBE(24) : undefined,
          truncateBefore: flags & HAS_TRUNCATE ? bytes.readDoubleBE(32) : undefined,
        }
  return {
    number: bytes.readUInt32BE(0),
    revision: bytes.readDoubleBE(8),
    tombstoned: (flags & TOMBSTONED) !== 0,
    limits,
  }
}

/**
 * The limits in a metadata event. An event that is no JSON object, or has a system field that is no integer, sets none;
 * a value out of range is ignored.
 */
export function limitsOf(data: Uint8Array, isJson: boolean): Limits {
  const metadata = isJson ? parseObject(data) : undefined
  if (metadata === undefined || INTEGERS.some(key => key in metadata && !isInteger(metadata[key]))) return NO_LIMITS
  const from = (key: string, smallest: number): number | undefined => {
    const value = metadata[key] as number | undefined
    return value !== undefined && value >= smallest ? value : undefined
  }
  return { maxCount: from('$maxCount', 1), maxAgeSeconds: from('$maxAge', 1), truncateBefore: from('$tb', 0) }
}

/**
 * The metadata with its $tb replaced, which brings a soft-deleted stream back from `revision` on. Undefined when it is
 * no object, because such metadata deletes nothing.
 */
export function withTruncateBefore(data: Uint8Array, revision: number): Buffer | undefined {
  const metadata = parseObject(data)
  return metadata && Buffer.from(JSON.stringify({ ...metadata, $tb: revision }))
}

/** The first and last revision that a reader may see, before $maxAge; `first > last` when there is none. */
export function readableRange(head: Head, metastream: boolean): { first: number; last: number } {
  const maxCount = metastream ? 1 : head.limits.maxCount
  const byCount = maxCount === undefined ? 0 : head.revision - maxCount + 1
  return { first: Math.max(0, byCount, head.limits.truncateBefore ?? 0), last: head.revision }
}

function isInteger(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= DELETED
}

function parseObject(data: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
