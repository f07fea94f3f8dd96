/** One master key: the port to wherever it is kept, and the key that is in the memory of the process. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A master key. What it wraps opens with the same `bound` bytes alone. */
export type MasterKey = {
  /** Stands beside what it has wrapped, and says nothing about it. */
  readonly name: string
  readonly wrap: (bound: Buffer, secret: Buffer) => Promise<Buffer>
  readonly unwrap: (bound: Buffer, wrapped: Buffer) => Promise<Buffer>
}

/** A master key of 32 bytes in the memory of the process (AES-256-GCM). */
export const localKey = (key: Buffer): MasterKey => ({
  name: nameOf(key),
  async wrap(place, secret) {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(place)
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
  },
  async unwrap(place, wrapped) {
    const decipher = createDecipheriv(ALGORITHM, key, wrapped.subarray(0, NONCE_BYTES)).setAAD(place)
    decipher.setAuthTag(wrapped.subarray(-TAG_BYTES))
    return Buffer.concat([decipher.update(wrapped.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()])
  },
})

/** Tells master keys apart and says nothing about them. */
const nameOf = (key: Buffer) => createHash('sha256').update('kogi master key ').update(key).digest('hex').slice(0, 16)
