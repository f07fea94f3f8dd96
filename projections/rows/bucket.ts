import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'

/** The number of fixed parts that orgs are hashed into; projectors share their work by these buckets. */
export const BUCKETS = 16

/** Orgs whose buckets are remembered: hashing one takes longer than looking it up. */
const REMEMBERED_MAX = 100_000
const remembered = new LRUCache<string, number>({ max: REMEMBERED_MAX })

/** The bucket of an org, 0 to 15: the low four bits of the first byte of the SHA-256 of its id. Fixed for ever. */
export function bucketOf(org: string): number {
  const found = remembered.get(org)
  if (found !== undefined) return found
  const bucket = createHash('sha256').update(org).digest()[0]! % BUCKETS
  remembered.set(org, bucket)
  return bucket
}

/** All buckets, in order. */
export const allBuckets: readonly number[] = Array.from({ length: BUCKETS }, (_, bucket) => bucket)
