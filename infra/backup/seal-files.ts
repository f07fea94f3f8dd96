/** Sealing of the files in a backup: AES-256-GCM, bound to the digest of the file; nonce, sealed bytes, tag. */
import { createCipheriv, createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import type { MasterKeys } from '../master-keys.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Bytes that a sealed file has beside those that are sealed. */
export const SEALED_MORE_BYTES = NONCE_BYTES + TAG_BYTES

/** The key of a backup's files as it stands there: in the clear, or wrapped under the master key of that name. */
export const fileKeySchema = z.strictObject({ key: z.uuid(), secret: z.base64(), master: z.string().nullable() })
export type FileKey = z.infer<typeof fileKeySchema>

/** Its place among the keys that are wrapped: that of no organization. */
const placeOf = (key: string) => ({ org: '', key })

export async function newFileKey(masters: MasterKeys): Promise<{ readonly key: Buffer; readonly line: FileKey }> {
  const [name, key] = [randomUUID(), randomBytes(32)]
  const { secret, master } = await masters.wrap(placeOf(name), key)
  return { key, line: { key: name, secret: secret.toString('base64'), master } }
}

/** Throws `engine_unavailable` where the master key that it is wrapped under is not set. */
export const openFileKey = (masters: MasterKeys, { key, secret, master }: FileKey): Promise<Buffer> =>
  masters.unwrap(placeOf(key), { secret: Buffer.from(secret, 'base64'), master })

export async function* sealedBytes(key: Buffer, sha256: string, plain: AsyncIterable<Uint8Array>) {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(sha256))
  yield nonce
  for await (const chunk of plain) yield cipher.update(chunk)
  cipher.final()
  yield cipher.getAuthTag()
}

type SealedFile = { readonly sha256: string; readonly bytes: number }

/** The bytes of a sealed file; fails at its end where it has been changed. */
export async function* openedBytes(key: Buffer, { sha256, bytes }: SealedFile, place: string) {
  const [nonce, tag] = [Buffer.alloc(NONCE_BYTES), Buffer.alloc(TAG_BYTES)]
  const file = await open(place, 'r')
  try {
    await file.read(nonce, 0, NONCE_BYTES, 0)
    await file.read(tag, 0, TAG_BYTES, NONCE_BYTES + bytes)
  } finally {
    await file.close()
  }
  const decipher = createDecipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(sha256)).setAuthTag(tag)
  if (bytes > 0) {
    const sealed = createReadStream(place, { start: NONCE_BYTES, end: NONCE_BYTES + bytes - 1 })
    for await (const chunk of sealed as AsyncIterable<Buffer>) yield decipher.update(chunk)
  }
  decipher.final()
}
