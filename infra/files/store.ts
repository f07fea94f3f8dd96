/** Where the bytes of files are kept: each under the digest of its bytes, so that an organization has the same once. */
import { createHash } from 'node:crypto'
import type { StoredFile } from '../../commands/briefcase/files.ts'
import type { ByteRange, ByteStream } from '../../domain/kernel/route.ts'
import { ORG_ID } from '../../domain/kernel/schema.ts'
import { httpError } from '../http/errors.ts'
import { typeOf } from './type.ts'

/** Bytes at the beginning of a file that its type is told by. */
const HEAD_BYTES = 4_100

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
  /**
   * Removes what was stored before an instant and no event tells of: unfinished files, and those that `isKept` does not
   * know. Returns how many.
   */
  readonly sweep: (
    isKept: (org: string, digests: readonly string[]) => Promise<ReadonlySet<string>>,
    storedBefore: number,
  ) => Promise<number>
}

/** Whether both have their form: a name from a backup or from an event of another program must lead nowhere else. */
export const haveForm = (org: string, sha256: string): boolean => ORG_ID.test(org) && /^[0-9a-f]{64}$/.test(sha256)

/** Throws where an organization's id could lead elsewhere. */
export function checkOrg(org: string): void {
  if (!ORG_ID.test(org)) throw new RangeError('an organization id of another form names no folder of files')
}

/** Learns what bytes are while they pass. */
export class Inspector {
  readonly #hash = createHash('sha256')
  readonly #head: Uint8Array[] = []
  #size = 0

  /** Takes the bytes that come next. */
  take(chunk: Uint8Array): void {
    if (this.#size < HEAD_BYTES) this.#head.push(chunk)
    this.#hash.update(chunk)
    this.#size += chunk.length
  }

  /** What all bytes together are. Throws where they are of a media type that no file may have. */
  async stored(refused: ReadonlySet<string>): Promise<StoredFile> {
    const type = await typeOf(Buffer.concat(this.#head).subarray(0, HEAD_BYTES))
    if (refused.has(type)) {
      const message = `is of the type ${type}, which is not taken`
      throw httpError('unsupported_media_type', [{ field: 'file', message }], `The file ${message}.`)
    }
    return { type, size: BigInt(this.#size), sha256: this.#hash.digest('hex') }
  }
}
