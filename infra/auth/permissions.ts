import type { Principal } from '../../domain/kernel/route.ts'

/**
 * Every permission that an operation needs, as `service.resource.action`. Scopes of tokens are spelt out against this
 * list; adding an operation with a new permission adds a line.
 */
export const permissions = [
  'wallet.wallets.read',
  'wallet.wallets.write',
  'wallet.accounts.read',
  'wallet.entries.read',
  'wallet.entries.write',
  'briefcase.items.read',
  'briefcase.items.write',
  'center.tasks.read',
  'center.tasks.write',
  'memory.memories.read',
  'audit.log.read',
  'audit.exports.read',
] as const

/** A permission of the list. */
export type Permission = (typeof permissions)[number]

/** `service.resource.action`, where `*` may stand for all that follows: the form of every grant. */
export const GRANT = /^(\*|[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*){0,2}(\.\*)?)$/

/** True where one of the caller's grants covers the permission. What is not granted is refused. */
export function allows({ permissions: grants }: Pick<Principal, 'permissions'>, needed: string): boolean {
  for (const grant of grants) {
    if (grant === needed || grant === '*') return true
    if (grant.endsWith('.*') && needed.startsWith(grant.slice(0, -1))) return true
  }
  return false
}

/** What an OAuth scope such as `briefcase:read` stands for: that action on everything of the service. */
export function permissionsOfScope(scope: string): string[] {
  return scope.split(' ').flatMap(word => {
    const [service, action, ...rest] = word.split(':')
    if (!service || !action || rest.length > 0) return []
    if (action === '*') return permissions.some(name => name.startsWith(`${service}.`)) ? [`${service}.*`] : []
    return permissions.filter(name => name.startsWith(`${service}.`) && name.endsWith(`.${action}`))
  })
}
