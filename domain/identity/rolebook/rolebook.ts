import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { covers } from '../../record/grants.ts'
import { memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said } from '../../record/said.ts'
import { isOfPlatform, ROLEBOOK, type Rolebook } from '../roles.ts'
import { commands, events, rejections } from './messages.ts'

/** Roles that one organization defines. */
const ROLES_MAX = 200

const evolve: Evolve<Rolebook, typeof events> = {
  RoleDefined: ({ roles, count }, { role, permissions }) => ({
    status: 'kept',
    roles: withMember(roles, role, permissions),
    count: memberOf(roles, role) ? count : count + 1,
  }),
  RoleDropped: ({ roles, count }, { role }) => ({
    status: 'kept',
    roles: withoutMember(roles, role),
    count: count - 1,
  }),
}

const decide: Decide<Rolebook, typeof commands, typeof events> = {
  define({ roles, count }, data, context) {
    const { role, permissions } = data
    if (isOfPlatform(role)) throw rejected('role_of_platform', 'The platform has a role of this name.', { role })
    const before = memberOf(roles, role)
    if (before === undefined && count >= ROLES_MAX) {
      throw rejected('rolebook_full', 'Drop a role that nobody needs.', { most: ROLES_MAX })
    }
    const beyond = permissions.find(each => !covers(context.permissions, each))
    if (beyond !== undefined) {
      throw rejected('permission_not_yours', 'A role can allow what its maker may do, and no more.', {
        permission: beyond,
      })
    }
    const isSame = before?.length === permissions.length && permissions.every((each, n) => each === before[n])
    return isSame ? [] : [{ type: 'RoleDefined', data }]
  },
  drop({ roles }, { role, reason }) {
    return memberOf(roles, role) ? [{ type: 'RoleDropped', data: { role, ...because(reason) } }] : []
  },
}

/** The roles that an organization has beside those of the platform. Members keep the name of one that was dropped. */
export const rolebook = aggregate({
  name: 'rolebook',
  only: ROLEBOOK,
  events,
  commands,
  api: {
    define: ['PUT /roles/:role', 'roles.write', 'Define a role by its permissions, or define it anew.'],
    drop: ['DELETE /roles/:role', 'roles.write', 'Drop a role: it allows nothing from now on.'],
  },
  rejections,
  initial: { status: 'empty', roles: noneKeyed, count: 0 } as Rolebook,
  evolve,
  decide,
  stateSchema: 1,
  activity: {
    on: {
      RoleDefined: ({ role }) => said`defined the role ${mention('role', role)}`,
      RoleDropped: ({ role }) => said`dropped the role ${mention('role', role)}`,
    },
  },
})
