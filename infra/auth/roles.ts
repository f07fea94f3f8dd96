import type { Permission } from './permissions.ts'

/** What each role may do inside its own organization. A role that does not stand here may do nothing. */
export const roles = {
  /** Runs the platform. Even so a token names one organization, and no other one is seen or touched with it. */
  'platform-admin': ['*'],
  'organization-admin': [
    'wallet.*',
    'briefcase.*',
    'center.*',
    'office.*',
    'spaces.*',
    'exchange.*',
    'rooms.*',
    'studio.*',
    'memory.*',
    'audit.*',
  ],
  'team-lead': [
    'wallet.wallets.read',
    'wallet.accounts.read',
    'wallet.entries.read',
    'wallet.entries.write',
    'briefcase.items.read',
    'briefcase.items.write',
    'center.tasks.read',
    'center.tasks.write',
    'memory.memories.read',
  ],
  'team-member': [
    'wallet.wallets.read',
    'wallet.accounts.read',
    'wallet.entries.read',
    'briefcase.items.read',
    'briefcase.items.write',
    'center.tasks.read',
    'center.tasks.write',
    'memory.memories.read',
  ],
  contributor: [
    'briefcase.items.read',
    'briefcase.items.write',
    'center.tasks.read',
    'center.tasks.write',
    'memory.memories.read',
  ],
  viewer: [
    'wallet.wallets.read',
    'wallet.accounts.read',
    'wallet.entries.read',
    'briefcase.items.read',
    'center.tasks.read',
    'memory.memories.read',
  ],
  guest: ['briefcase.items.read', 'center.tasks.read'],
  auditor: [
    'wallet.wallets.read',
    'wallet.accounts.read',
    'wallet.entries.read',
    'briefcase.items.read',
    'center.tasks.read',
    'memory.memories.read',
    'audit.log.read',
    'audit.exports.read',
  ],
} as const satisfies Readonly<Record<string, readonly (Permission | '*' | `${string}.*`)[]>>

/** A role of the table. */
export type Role = keyof typeof roles

/** True for a role of the table. */
export function isRole(name: string): name is Role {
  return Object.hasOwn(roles, name)
}

/** The permissions of some roles together; unknown roles add none. */
export function permissionsOfRoles(names: readonly string[]): string[] {
  return [...new Set(names.flatMap(name => (isRole(name) ? roles[name] : [])))]
}
