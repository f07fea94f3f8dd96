/** Files in a folder: each under the digest of its bytes, so that the same bytes are kept once for an organization. */
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import type { StoredFile } from '../../commands/briefcase/files.ts'
import type { ByteRange, ByteStream } from '../../domain/kernel/route.ts'
import { ORG_ID } from '../../domain/kernel/schema.ts'
import { Faults } from '../faults.ts'
import { httpError } from '../http/errors.ts'
import { typeOf } from './type.ts'

/** Bytes at the beginning of a file that its type is told by. */
const HEAD_BYTES = 4_100
/** Time after which what was begun and never ended is removed. */
const LEFT_MS = 24 * 3_600_000

export type FileStore = {
  /** Stores bytes until they end, and says what they are. Nothing is left of bytes that break off or are refused. */
  readonly put: (org: string, bytes: AsyncIterable<Uint8Array>) => Promise<StoredFile>
  /** The bytes of a digest, or a part of them; `undefined` where they are not there. */
  readonly read: (org: string, sha256: string, range?: ByteRange) => Promise<ByteStream | undefined>
  /**
   * Removes the bytes of digests, for good; those that are not there are removed already. Bytes that were stored after
   * an instant stay, and their digests are returned. Throws the first failure, after all have been tried.
   */
  readonly remove: (org: string, digests: readonly string[], storedBefore: number) => Promise<readonly string[]>
  /** Removes what no event tells of: unfinished files, and those that `isKept` does not know. */
  readonly sweep: (isKept: (org: string, digests: readonly string[]) => Promise<ReadonlySet<string>>) => Promise<number>
}

/** Whether both have their form: a name from a backup or from an event of another program must lead nowhere else. */
const haveForm = (org: string, sha256: string): boolean => ORG_ID.test(org) && /^[0-9a-f]{64}$/.test(sha256)

/** Keeps files below a folder. `refused`: media types that no file may have, as its content says. */
export function folderStore(folder: string, refused: ReadonlySet<string>): FileStore {
  const begun = path.join(folder, 'begun')
  const placeOf = (org: string, sha256: string) => path.join(folder, 'kept', org, sha256.slice(0, 2), sha256)
  return {
    async put(org, bytes) {
      if (!ORG_ID.test(org)) throw new RangeError('an organization id of another form names no folder of files')
      await mkdir(begun, { recursive: true })
      const temporary = path.join(begun, randomUUID())
      const handle = await open(temporary, 'wx')
      try {
        const stored = await write(handle, bytes, refused)
        await handle.sync()
        await handle.close()
        const place = placeOf(org, stored.sha256)
        await mkdir(path.dirname(place), { recursive: true })
        await rename(temporary, place)
        await synced(path.dirname(place))
        return stored
      } catch (error) {
        await handle.close().catch(() => {})
        await rm(temporary, { force: true })
        throw error
      }
    },
    async read(org, sha256, range) {
      if (!haveForm(org, sha256)) return undefined
      const place = placeOf(org, sha256)
      if (!(await stat(place).catch(() => undefined))) return undefined
      return createReadStream(place, range && { start: range.first, end: range.last })
    },
    async remove(org, digests, storedBefore) {
      const faults = new Faults()
      const young: string[] = []
      for (const digest of digests.filter(each => haveForm(org, each))) {
        await faults.of(async () => {
          if ((await removed(placeOf(org, digest), storedBefore)) === 'young') young.push(digest)
        })
      }
      faults.throwFirst()
      return young
    },
    async sweep(isKept) {
      let count = 0
      const old = Date.now() - LEFT_MS
      const removeOld = async (file: string) => {
        if ((await removed(file, old)) === 'removed') count += 1
      }
      for (const name of await namesIn(begun)) await removeOld(path.join(begun, name))
      for (const org of await namesIn(path.join(folder, 'kept'))) {
        for (const start of await namesIn(path.join(folder, 'kept', org))) {
          const digests = await namesIn(path.join(folder, 'kept', org, start))
          const kept = await isKept(org, digests)
          for (const digest of digests.filter(each => !kept.has(each))) await removeOld(placeOf(org, digest))
        }
      }
      return count
    },
  }
}

/** Removes a file that was last stored before an instant. */
async function removed(file: string, storedBefore: number): Promise<'removed' | 'young' | 'absent'> {
  const found = await stat(file).catch(error => {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  })
  if (!found) return 'absent'
  if (found.mtimeMs >= storedBefore) return 'young'
  await rm(file, { force: true })
  return 'removed'
}

/** Makes the names in a folder last, as `fsync` does for the bytes of a file: its event may last longer otherwise. */
async function synced(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => [])

async function write(
  handle: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  refused: ReadonlySet<string>,
): Promise<StoredFile> {
  const hash = createHash('sha256')
  const head: Uint8Array[] = []
  let size = 0
  for await (const chunk of bytes) {
    if (size < HEAD_BYTES) head.push(chunk)
    hash.update(chunk)
    await handle.appendFile(chunk) // `write` may take a part of it alone.
    size += chunk.length
  }
  const type = await typeOf(Buffer.concat(head).subarray(0, HEAD_BYTES))
  if (refused.has(type)) {
    const message = `is of the type ${type}, which is not taken`
    throw httpError('unsupported_media_type', [{ field: 'file', message }], `The file ${message}.`)
  }
  return { type, size: BigInt(size), sha256: hash.digest('hex') }
}
