/** Names that follow from what they name: the same command has the same ids on every try, in every process. */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../domain/kernel/json.ts'

/** Namespace of every UUID made here, itself made at random once. */
const NAMESPACE = Buffer.from('6f1d3c0a5b8e4f7796c2a4e1d0b37f58', 'hex')

/** A name-based UUID (RFC 9562, version 5) of an unambiguous list of parts. */
export function uuidOf(parts: readonly unknown[]): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(canonicalJson(parts)).digest()
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex', 0, 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** The stream of a thing. The org is part of the hash, so no org can name another's stream. */
export const streamOf = (org: string, category: string, id: string): string =>
  `${category}-${uuidOf([org, category, id])}`

/** The id of a thing that its creator did not name: it follows from the idempotency key. */
export const unnamedId = (org: string, category: string, key: string): string => uuidOf([org, category, 'unnamed', key])

/** The identity of a command: its target and its idempotency key. */
export const commandIdOf = (org: string, stream: string, key: string): string => uuidOf([org, stream, key])

/** What tells two commands of one idempotency key apart: SHA-256 of the name and the canonical body. */
export const fingerprintOf = (name: string, body: unknown): string =>
  createHash('sha256')
    .update(canonicalJson([name, body]))
    .digest('hex')
