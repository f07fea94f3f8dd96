/**
 * Files in a bucket of S3, or of a server that speaks its protocol. A file that fits one part is one request. A larger
 * one goes in parts to `begun/`, and is copied within the store to the place that its digest names, which is known at
 * its end alone. So nothing stands in its place before it is whole.
 */
import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { StoredFile } from '../../commands/briefcase/files.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { Faults } from '../faults.ts'
import { BucketClient, isAway, type S3Place } from './bucket.ts'
import { checkOrg, type FileStore, haveForm, Inspector } from './store.ts'

type Options = {
  /** Media types that no file may have, as its content says. */
  readonly refused: ReadonlySet<string>
  /** Size of a part, at least 5 MiB: an upload holds three in memory, and a file has 10,000 parts at most. */
  readonly partBytes: number
  /** Largest part that is copied in one request: 5 GiB in S3. */
  readonly copyBytes?: number
}

/** Keeps files in a bucket. */
export function s3Store(place: S3Place, options: Options): FileStore {
  const bucket = new BucketClient(place)
  const keep = `${place.prefix}kept/`
  const keyOf = (org: string, sha256: string) => `${keep}${org}/${sha256}`
  return {
    put: (org, bytes) =>
      reached(async () => {
        checkOrg(org)
        return await put(bucket, bytes, options, `${place.prefix}begun/${randomUUID()}`, digest => keyOf(org, digest))
      }),
    read: (org, sha256, range) =>
      reached(async () => {
        if (!haveForm(org, sha256)) return undefined
        const found = await bucket.get(keyOf(org, sha256), range && `bytes=${range.first}-${range.last}`)
        return found as Readable | undefined
      }),
    remove: (org, digests, storedBefore) =>
      reached(async () => {
        const faults = new Faults()
        const young: string[] = []
        for (const digest of digests.filter(each => haveForm(org, each))) {
          await faults.of(async () => {
            if ((await bucket.deleteOld(keyOf(org, digest), storedBefore)) === 'young') young.push(digest)
          })
        }
        faults.throwFirst()
        return young
      }),
    sweep: (isKept, storedBefore) =>
      reached(async () => {
        // Others may have a part of the bucket of their own.
        let count = 0
        for (const own of ['begun/', 'kept/']) count += await bucket.endUploads(place.prefix + own, storedBefore)
        const removeOld = async (key: string) => {
          if ((await bucket.deleteOld(key, storedBefore)) === 'removed') count += 1
        }
        for await (const keys of bucket.pages(`${place.prefix}begun/`)) for (const key of keys) await removeOld(key)
        for await (const keys of bucket.pages(keep)) {
          const found = keys.map(key => key.slice(keep.length).split('/') as [string, string])
          for (const org of new Set(found.map(([of]) => of))) {
            const digests = found.filter(([of]) => of === org).map(([, digest]) => digest)
            const kept = await isKept(org, digests)
            for (const digest of digests.filter(each => !kept.has(each))) await removeOld(keyOf(org, digest))
          }
        }
        return count
      }),
  }
}

async function put(
  bucket: BucketClient,
  bytes: AsyncIterable<Uint8Array>,
  { refused, partBytes, copyBytes = 5 * 1024 ** 3 }: Options,
  temporary: string,
  keyOf: (sha256: string) => string,
): Promise<StoredFile> {
  const inspector = new Inspector()
  const parts = partsOf(bytes, partBytes, inspector)
  const first = await parts.next()
  const second = first.done ? first : await parts.next()
  if (second.done) {
    const stored = await inspector.stored(refused)
    await bucket.put(keyOf(stored.sha256), first.done ? new Uint8Array() : first.value)
    return stored
  }
  async function* all() {
    yield first.value!
    yield second.value!
    yield* parts
  }
  await bucket.putParts(temporary, all())
  try {
    const stored = await inspector.stored(refused)
    await bucket.copy(temporary, keyOf(stored.sha256), Number(stored.size), copyBytes)
    return stored
  } finally {
    await bucket.delete(temporary).catch(() => {})
  }
}

/** Bytes in parts of one size, but for the last one. */
async function* partsOf(bytes: AsyncIterable<Uint8Array>, partBytes: number, inspector: Inspector) {
  let waiting: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    inspector.take(chunk)
    waiting.push(chunk)
    size += chunk.length
    if (size < partBytes) continue
    const all = Buffer.concat(waiting)
    let from = 0
    for (; all.length - from >= partBytes; from += partBytes) yield all.subarray(from, from + partBytes)
    waiting = [all.subarray(from)]
    size = all.length - from
  }
  if (size > 0) yield Buffer.concat(waiting)
}

/** Does something in the store; `engine_unavailable` where it cannot be reached, or says that it cannot answer now. */
async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isAway(error)) throw error
    throw new KogiError('engine_unavailable', 'The store of files does not answer now.', [], { cause: error })
  }
}
