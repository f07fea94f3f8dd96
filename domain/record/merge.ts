import { canonicalJson, type Json } from '../kernel/json.ts'

type JsonObject = { readonly [key: string]: Json }

/** Applies a JSON Merge Patch (RFC 7396): members that are null are removed, objects are merged, all else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return patch
  const merged = new Map(isObject(target) ? Object.entries(target) : [])
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name)
    else merged.set(name, mergePatch(merged.get(name), value))
  }
  return Object.fromEntries(merged)
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Whether two values of a field say the same. Sealed texts are compared by their digest, because each sealing gives
 * other bytes; one without a digest (an erased or an old one) equals nothing.
 */
export function isSame(a: unknown, b: unknown): boolean {
  if (isEnvelope(a) && isEnvelope(b)) return a.digest !== undefined && a.key === b.key && a.digest === b.digest
  return canonicalJson(a ?? null) === canonicalJson(b ?? null)
}

type Envelope = { readonly key: string; readonly nonce: string; readonly digest?: string }
const isEnvelope = (value: unknown): value is Envelope =>
  typeof value === 'object' && value !== null && 'nonce' in value && 'key' in value && 'text' in value

/** The members of `changes` that differ from `before`; a member that is `undefined` stays as it was. */
export function changedFields(before: Readonly<Record<string, unknown>>, changes: Readonly<Record<string, unknown>>) {
  return Object.fromEntries(
    Object.entries(changes).filter(([field, value]) => value !== undefined && !isSame(value, before[field])),
  )
}
