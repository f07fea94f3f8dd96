/** The storage and wire contract of the roles that an organization defines: add, never rename. */

import { list, object, refined, text } from '../../kernel/schema.ts'
import { GRANT } from '../../record/grants.ts'
import { reason } from '../../record/reason.ts'
import { roleName } from '../roles.ts'

const role = roleName.meta({ description: 'the name of the role' })
const grant = refined(
  text(200),
  name => GRANT.test(name) && name !== '*',
  'must be a permission, or one with `*` at the end',
)
const permissions = list(grant, 500, 1).meta({
  description: 'what it allows: `wallet.entries.read`, or `wallet.*` for all of a service',
})
const description = text(500)
const why = { reason: reason.optional() }

export const events = {
  RoleDefined: object({ role, permissions, description: description.optional(), ...why }),
  RoleDropped: object({ role, ...why }),
} as const

export const commands = {
  define: object({ role, permissions, description: description.optional(), reason }).meta({
    examples: [
      {
        role: 'bookkeeper',
        permissions: ['wallet.entries.read', 'wallet.accounts.read', 'wallet.imports.write'],
        description: 'Keeps the books, and moves no money.',
        reason: 'We have a bookkeeper now.',
      },
    ],
  }),
  drop: object({ role, reason: reason.optional() }).meta({ examples: [{ role: 'bookkeeper' }] }),
} as const

export const rejections = ['role_of_platform', 'rolebook_full', 'permission_not_yours'] as const
