/** Canonical JSON for those who hash whole logs. */

/** Texts that stand in JSON as they are. */
const PLAIN = /^[ !#-[\]-~]*$/

function canonicalText(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`
  if (!value.isWellFormed()) throw new TypeError('an unpaired surrogate has no UTF-8 form')
  return JSON.stringify(value)
}

/** Names of an object in some order, and how they are written in theirs: found name by name, because few differ. */
type Names = {
  readonly next: Map<string, Names>
  sorted?: readonly { readonly name: string; readonly written: string }[]
}

/** Names that are remembered: those of free JSON may be any. */
const NAMES_MAX = 10_000
let names: Names = { next: new Map() }
let remembered = 0

function sortedNames(record: object): NonNullable<Names['sorted']> {
  let at = names
  const keys = Object.keys(record)
  for (const key of keys) {
    let next = at.next.get(key)
    if (next === undefined) {
      next = { next: new Map() }
      at.next.set(key, next)
      remembered += 1
    }
    at = next
  }
  at.sorted ??= keys.sort().map(name => ({ name, written: `${canonicalText(name)}:` }))
  if (remembered > NAMES_MAX) {
    names = { next: new Map() }
    remembered = 0
  }
  return at.sorted
}

/**
 * The canonical JSON of a value (RFC 8785), as `canonicalJson` of the kernel has it, in half of its time or less: the
 * notary makes two of each event of a log. A test compares them. Throws on what JSON cannot carry.
 */
export function canonical(value: unknown): string {
  if (typeof value === 'string') return canonicalText(value)
  if (typeof value === 'bigint') return `"${value}"`
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`JSON has no ${value}`)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw new TypeError(`JSON has no ${typeof value}`)
  let members = ''
  if (Array.isArray(value)) {
    for (const item of value) members += members === '' ? canonical(item) : `,${canonical(item)}`
    return `[${members}]`
  }
  for (const { name, written } of sortedNames(value)) {
    const member = (value as Readonly<Record<string, unknown>>)[name]
    if (member === undefined) continue
    members += members === '' ? written + canonical(member) : `,${written}${canonical(member)}`
  }
  return `{${members}}`
}
