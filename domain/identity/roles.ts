/** Roles as members, teams and delegations have them, and who may give them. */
import type { Context } from '../kernel/aggregate.ts'
import { rejected } from '../kernel/errors.ts'
import { list, refined, text } from '../kernel/schema.ts'
import { ADMIN_ROLES, ROLES } from '../kernel/service.ts'
import { covers } from '../record/grants.ts'
import { type Keyed, memberOf } from '../record/keyed.ts'

const ROLE = /^[a-z][a-z0-9-]{0,63}$/

/** The name of a role of the platform, or of one that the organization has defined. */
export const roleName = refined(
  text(64).meta({ pattern: '^[a-z][a-z0-9-]{0,63}$' }),
  name => ROLE.test(name),
  'must be lower-case letters, digits and dashes, a letter first',
)

export const roleNames = list(roleName, 20).meta({ description: 'roles of the platform, and roles of its own' })

/** The roles that an organization has defined, with their permissions. */
export type Rolebook = {
  readonly status: 'empty' | 'kept'
  readonly roles: Keyed<readonly string[]>
  readonly count: number
}

/** The id of the one book of roles of an organization. */
export const ROLEBOOK = 'roles'
export const rolebookOfOrg = { category: 'rolebook', id: ROLEBOOK } as const

export const isOfPlatform = (role: string): boolean => (ROLES as readonly string[]).includes(role)
const isOfAdmin = (role: string): boolean => (ADMIN_ROLES as readonly string[]).includes(role)

/** Whether the caller administers who may do what in the organization. */
export const administers = ({ permissions }: Pick<Context, 'permissions'>): boolean => covers(permissions, 'identity.*')

/**
 * Refuses roles that the caller cannot give, so that nobody can give what they do not have: those of the platform are
 * given by administrators, its own by who holds all permissions of the role. No one gives `platform-admin`: that is in
 * the tokens of operators alone.
 */
export function mustGive(roles: readonly string[], rolebook: Rolebook | undefined, context: Context): void {
  for (const role of roles) {
    const permissions = rolebook && memberOf(rolebook.roles, role)
    if (!isOfPlatform(role) && permissions === undefined) {
      throw rejected('role_unknown', 'Define the role first, or name one that there is.', { role })
    }
    const mayGive = permissions
      ? permissions.every(each => covers(context.permissions, each))
      : role !== 'platform-admin' && administers(context)
    if (!mayGive) throw notYours(role)
  }
}

/** Who administers is changed by administrators alone. */
export function mustTouch(roles: readonly string[], context: Context): void {
  const role = roles.find(isOfAdmin)
  if (role !== undefined && !administers(context)) throw notYours(role)
}

const notYours = (role: string) =>
  rejected('role_not_yours', 'You cannot give or take what you do not hold yourself: ask an administrator.', { role })

/** The names of the roles that an organization has defined. */
export const rolesDefined = ({ roles }: Rolebook): readonly string[] =>
  Object.values(roles)
    .flatMap(groups => Object.values(groups).flatMap(members => Object.keys(members)))
    .sort()
