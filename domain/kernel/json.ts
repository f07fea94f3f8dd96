/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Text that PostgreSQL can store and UTF-8 can carry: no U+0000 and no unpaired surrogate. */
export const isStorableText = (value: string): boolean => !/[\0\p{Cs}]/u.test(value)

const [MAX_DEPTH, MAX_VALUES, MAX_TEXT, MAX_NAME] = [8, 1_000, 10_000, 256]

/** What free JSON may hold: see `jsonObject`. */
export const JSON_LIMITS = '8 levels, 1,000 values, texts of 10,000 characters, names of 256'

function textFault(what: string, text: string, max: number): string | undefined {
  if (text.length > max) return `${what} has ${text.length} characters, ${max} are allowed`
  return isStorableText(text) ? undefined : `${what} holds U+0000 or an unpaired surrogate`
}

/** Why a value is no JSON object that every engine can hold, as a sentence goes on; `undefined` where it is one. */
export function storableFault(value: unknown): string | undefined {
  let values = 0
  const faultOf = (node: unknown, at: string, depth: number): string | undefined => {
    values += 1
    if (values > MAX_VALUES) return `it has more than ${MAX_VALUES} values`
    if (depth > MAX_DEPTH) return `${at} is deeper than ${MAX_DEPTH} levels`
    if (typeof node === 'string') return textFault(at, node, MAX_TEXT)
    if (node === null || typeof node === 'boolean' || Number.isFinite(node)) return undefined
    if (typeof node !== 'object') return `${at} is no JSON`
    for (const [name, item] of Object.entries(node)) {
      const place = `${at}${at && '.'}${name.slice(0, 40)}`
      if (name === '__proto__') return `the name ${place} is not taken`
      const fault = textFault(`the name ${place}`, name, MAX_NAME) ?? faultOf(item, place, depth + 1)
      if (fault !== undefined) return fault
    }
    return undefined
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? faultOf(value, '', 0) : 'it is no object'
}

/** Whether `value` is a JSON object that every engine can hold: see `jsonObject`. */
export const isStorableJson = (value: unknown): boolean => storableFault(value) === undefined

/** Names that stand in JSON as they are. */
const PLAIN_NAME = /^\w+$/

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
    const name = PLAIN_NAME.test(key) ? `"${key}"` : canonicalJson(key)
    members += members === '' ? `${name}:${canonicalJson(member)}` : `,${name}:${canonicalJson(member)}`
  }
  return `{${members}}`
}

/** The wire form of a decoded value: every bigint as its decimal string, `undefined` fields left out. */
export function toWire(value: unknown): Json {
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(toWire)
  if (typeof value !== 'object' || value === null) return value as Json
  // An assignment to `__proto__` would make no member.
  if (Object.hasOwn(value, '__proto__'))
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toWire(v)]))
  const [wire, from] = [{} as Record<string, Json>, value as Readonly<Record<string, unknown>>]
  for (const key of Object.keys(from)) if (from[key] !== undefined) wire[key] = toWire(from[key])
  return wire
}
