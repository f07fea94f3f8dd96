/**
 * What the check of an export takes from `node:crypto`, for browsers, where hashing is asynchronous and Ed25519 is not
 * everywhere: by `@noble/hashes` and `@noble/ed25519`. Everything else that the bundle names is used by no check.
 */
import * as ed25519 from '@noble/ed25519'
import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'

ed25519.hashes.sha512 = sha512

const HASHES = { sha1, sha256 } as const
type Algorithm = keyof typeof HASHES
type Input = string | Uint8Array
type Encoding = 'hex' | 'base64' | 'binary' | 'buffer'

const bytesOf = (input: Input): Uint8Array => (typeof input === 'string' ? new TextEncoder().encode(input) : input)
const coded = (digest: Uint8Array, encoding: Encoding | undefined) => {
  const bytes = Buffer.from(digest)
  return encoding === undefined || encoding === 'buffer' ? bytes : bytes.toString(encoding)
}

export function createHash(algorithm: Algorithm) {
  const hasher = HASHES[algorithm].create()
  const made = {
    update(input: Input) {
      hasher.update(bytesOf(input))
      return made
    },
    digest: (encoding?: Encoding) => coded(hasher.digest(), encoding),
  }
  return made
}

export const hash = (algorithm: Algorithm, input: Input, encoding: Encoding = 'hex') =>
  coded(HASHES[algorithm](bytesOf(input)), encoding)

/** Bytes before the key in the DER form of a public Ed25519 key (RFC 8410). */
const SPKI_BYTES = 12

type PublicKey = { readonly raw: Uint8Array }

export const createPublicKey = ({ key }: { readonly key: Uint8Array }): PublicKey => ({ raw: key.subarray(SPKI_BYTES) })

/** Ed25519 as RFC 8032 has it. */
export function verify(_: null, text: Uint8Array, { raw }: PublicKey, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, text, raw, { zip215: false })
  } catch {
    return false // A key or a signature that is no point of the curve.
  }
}

const absent = (name: string) => () => {
  throw new TypeError(`this page has no ${name}`)
}
export const sign = absent('sign')
export const randomUUID = absent('randomUUID')
export const randomBytes = absent('randomBytes')
export const createHmac = absent('createHmac')
