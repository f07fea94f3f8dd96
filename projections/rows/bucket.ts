import { createHash } from 'node:crypto'

/** Into how many fixed parts the orgs are hashed: the unit of work that projector processes share (design §6). */
export const BUCKETS = 16

const REMEMBERED_MAX = 100_000
const remembered = new Map<string, number>()

/** The bucket of an org, 0 to 15: the low four bits of the first byte of the SHA-256 of its id. Fixed for ever. */
export function bucketOf(org: string): number {
  const known = remembered.get(org)
  if (known !== undefined) return known
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  const bucket = createHash('sha256').update(org).digest()[0]! % BUCKETS
  remembered.set(org, bucket)
  return bucket
}

/** All buckets, in order. */
export const allBuckets: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => bucket)
