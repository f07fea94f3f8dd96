/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Text that PostgreSQL can store and UTF-8 can carry: no U+0000 and no unpaired surrogate. */
export const isStorableText = (value: string): boolean => !/[\0\p{Cs}]/u.test(value)

const MAX_DEPTH = 8
const MAX_VALUES = 1000
const MAX_TEXT = 10_000

/** Whether `value` is a JSON object that every engine can hold: see `jsonObject`. */
export function isStorableJson(value: unknown): boolean {
  let values = 0
  const storable = (node: unknown, depth: number): boolean => {
    values += 1
    if (depth > MAX_DEPTH || values > MAX_VALUES) return false
    if (node === null || typeof node === 'boolean') return true
    if (typeof node === 'number') return Number.isFinite(node)
    if (typeof node === 'string') return node.length <= MAX_TEXT && isStorableText(node)
    if (Array.isArray(node)) return node.every(item => storable(item, depth + 1))
    if (typeof node !== 'object') return false
    return Object.entries(node).every(
      ([key, item]) => key !== '__proto__' && key.length <= 256 && isStorableText(key) && storable(item, depth + 1),
    )
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) && storable(value, 0)
}

/**
 * The JSON Canonicalization Scheme (RFC 8785): object keys sorted by UTF-16 code units, no white space, numbers and
 * strings as ECMAScript writes them. Bigints are written as decimal strings, the wire form of money; `undefined`
 * fields are left out. Throws on what JSON cannot carry and on unpaired surrogates.
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('an unpaired surrogate has no UTF-8 form')
    return JSON.stringify(value)
  }
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`)
    return JSON.stringify(value)
  }
  if (Array.isArray(value)) return `[${value.map(item => canonicalJson(item)).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value}`)
  const record = value as Record<string, unknown>
  let members = ''
  for (const key of Object.keys(record).sort()) {
    const member = record[key]
    if (member === undefined) continue
    members += `${members === '' ? '' : ','}${canonicalJson(key)}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

/** The wire form of a decoded value: every bigint as its decimal string, `undefined` fields left out. */
export function toWire(value: unknown): Json {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value as Json
  const wire: Record<string, Json> = {}
  for (const [key, item] of Object.entries(value)) if (item !== undefined) wire[key] = toWire(item)
  return wire
}
