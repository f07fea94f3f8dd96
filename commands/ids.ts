/** Names that follow from what they name: the same command has the same ids on every try, in every process. */
import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { AnyAggregate } from '../domain/kernel/aggregate.ts'
import { canonicalJson } from '../domain/kernel/json.ts'

/** Namespace of every UUID made here, itself made at random once. */
const NAMESPACE = Buffer.from('6f1d3c0a5b8e4f7796c2a4e1d0b37f58', 'hex')
/** The first digit of a variant 1 UUID, by what stands there in the hash. */
const VARIANT = Object.fromEntries(Array.from('0123456789abcdef', (digit, n) => [digit, '89ab'[n & 3]!]))
const STREAMS_MAX = 20_000
/** Where short names are put behind the namespace to be hashed. A character takes three bytes at most. */
const scratch = Buffer.concat([NAMESPACE], 1024)
const SHORT_MAX = (scratch.length - NAMESPACE.length) / 3

/** A name-based UUID (RFC 9562, version 5) of an unambiguous list of parts. */
export function uuidOf(parts: readonly (string | number)[]): string {
  for (const part of parts) {
    if (typeof part === 'string' && !part.isWellFormed()) throw new TypeError('an unpaired surrogate has no UTF-8 form')
  }
  // Of texts and whole numbers this is the canonical form.
  const json = JSON.stringify(parts)
  const name =
    json.length <= SHORT_MAX
      ? scratch.subarray(0, NAMESPACE.length + scratch.write(json, NAMESPACE.length))
      : Buffer.concat([NAMESPACE, Buffer.from(json)])
  const hex = hash('sha1', name, 'hex')
  const [low, mid, high] = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(13, 16)]
  return `${low}-${mid}-5${high}-${VARIANT[hex[16]!]}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

/** Streams of the last things asked for. */
const streams = new LRUCache<string, string>({ maxSize: STREAMS_MAX, sizeCalculation: () => 1 })

/** The stream of a thing. The org is part of the hash, so no org can name another's stream. */
export function streamOf(org: string, category: string, id: string): string {
  // No part can hold U+0000.
  const name = `${org}\0${category}\0${id}`
  const known = streams.get(name)
  if (known !== undefined) return known
  const stream = `${category}-${uuidOf([org, category, id])}`
  streams.set(name, stream)
  return stream
}

/** The id of a thing that its creator did not name: it follows from the idempotency key. */
export const unnamedId = (org: string, category: string, key: string): string => uuidOf([org, category, 'unnamed', key])

/** The identity of a command: its target and its idempotency key. */
export const commandIdOf = (org: string, stream: string, key: string): string => uuidOf([org, stream, key])

/**
 * What tells two commands of one idempotency key apart: SHA-256 of the name and the canonical body. Fields count under
 * their first spelling, so that a command is known again however its fields are spelt.
 */
export function fingerprintOf({ spellings = {} }: AnyAggregate, name: string, body: object): string {
  const spelt: Record<string, unknown> = { ...body }
  for (const earlier of Object.keys(spellings).reverse()) {
    const field = spellings[earlier]!
    if (!Object.hasOwn(spelt, field)) continue
    spelt[earlier] = spelt[field]
    delete spelt[field]
  }
  return hash('sha256', canonicalJson([name, spelt]), 'hex')
}
