/**
 * A map with any number of members that is never changed: setting one copies two short tables and one small group, so
 * that it costs the same among ten members and among ten thousand. It is plain data, as snapshots need it.
 */
export type Keyed<T> = { readonly [table: string]: { readonly [group: string]: { readonly [key: string]: T } } }

/** The map without members. */
export const noneKeyed: Keyed<never> = {}

export function memberOf<T>(map: Keyed<T>, key: string): T | undefined {
  const [table, group] = placeOf(key)
  const members = map[table]?.[group]
  return members && Object.hasOwn(members, key) ? members[key] : undefined
}

export function withMember<T>(map: Keyed<T>, key: string, value: T): Keyed<T> {
  const [table, group] = placeOf(key)
  const groups = map[table] ?? {}
  return { ...map, [table]: { ...groups, [group]: { ...groups[group], [key]: value } } }
}

/** The map without a member. */
export function withoutMember<T>(map: Keyed<T>, key: string): Keyed<T> {
  const [table, group] = placeOf(key)
  const { [key]: _, ...members } = map[table]?.[group] ?? {}
  const { [group]: __, ...groups } = map[table] ?? {}
  if (Object.keys(members).length > 0) return { ...map, [table]: { ...groups, [group]: members } }
  const { [table]: ___, ...tables } = map
  return Object.keys(groups).length > 0 ? { ...map, [table]: groups } : tables
}

/** All members, in no order that means anything. */
export const membersOf = <T>(map: Keyed<T>): readonly T[] =>
  Object.values(map).flatMap(groups => Object.values(groups).flatMap(members => Object.values(members)))

/** 64 tables of 64 groups, by the FNV-1a hash of the key. */
function placeOf(key: string): readonly [table: number, group: number] {
  let hash = 0x811c9dc5
  for (let at = 0; at < key.length; at += 1) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash ^= hash >>> 15
  return [hash & 63, (hash >>> 6) & 63]
}
