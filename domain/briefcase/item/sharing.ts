/** Who an item is shared with, and what they may do with it. */
import type { Context } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { ADMIN_ROLES } from '../../kernel/service.ts'

type Role = 'reader' | 'editor' | 'owner'

/** Roles by who has them: `user mira`, `team design`. */
export type Shares = Readonly<Record<string, Role>>

type Shared = {
  readonly owner: string
  readonly shares: Shares
  readonly editing: 'open' | 'restricted'
  readonly privacy: 'organization' | 'private'
}

/** Users and teams that one item can be shared with. */
export const SHARES_MAX = 200

export const shareOf = (kind: 'user' | 'team', name: string): string => `${kind} ${name}`

export function granteeOf(share: string): { readonly kind: 'user' | 'team'; readonly with: string } {
  const space = share.indexOf(' ')
  return { kind: share.slice(0, space) === 'team' ? 'team' : 'user', with: share.slice(space + 1) }
}

/**
 * The role of the caller, or of the user on whose behalf a process acts: the highest of their own and of their teams,
 * `undefined` where nothing was said. Who administers the briefcase owns all items.
 */
function roleOf({ owner, shares }: Shared, context: Context): Role | undefined {
  const { behalf, permissions } = context
  const { subject, teams = [] } = behalf ?? { subject: context.actor, teams: context.teams }
  if (subject === owner || permissions.some(each => each === '*' || each === 'briefcase.*')) return 'owner'
  if (behalf?.roles.some(role => (ADMIN_ROLES as readonly string[]).includes(role))) return 'owner'
  const grantees = [shareOf('user', subject), ...teams.map(team => shareOf('team', team))]
  const roles = new Set(grantees.map(grantee => (Object.hasOwn(shares, grantee) ? shares[grantee] : undefined)))
  return (['owner', 'editor', 'reader'] as const).find(role => roles.has(role))
}

/** Refuses a change by a reader, and of a restricted or private item by anybody but its owners and editors. */
export function mustEdit(item: Shared, context: Context): void {
  const role = roleOf(item, context)
  const isClosed = item.editing === 'restricted' || item.privacy === 'private'
  if (role === 'reader' || (role === undefined && isClosed)) throw notYours('editor')
}

/** Refuses what only owners may do. */
export function mustOwn(item: Shared, context: Context): void {
  if (roleOf(item, context) !== 'owner') throw notYours('owner')
}

const notYours = (needed: Role) =>
  rejected('item_not_yours', `This needs the role ${needed} in the item: ask one of its owners.`, { needed })
