/** Permissions as they are granted: `service.resource.action`, where `*` at the end stands for all that follows. */

/** The form of every grant. */
export const GRANT = /^(\*|[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*){0,2}(\.\*)?)$/

/** True where one of the grants covers what is needed, a permission or another grant. */
export function covers(grants: readonly string[], needed: string): boolean {
  for (const grant of grants) {
    if (grant === needed || grant === '*') return true
    if (grant.endsWith('.*') && needed.startsWith(grant.slice(0, -1))) return true
  }
  return false
}

/** What two lists of grants both cover. */
export const bothCover = (some: readonly string[], others: readonly string[]): readonly string[] => [
  ...new Set([...some.filter(grant => covers(others, grant)), ...others.filter(grant => covers(some, grant))]),
]
