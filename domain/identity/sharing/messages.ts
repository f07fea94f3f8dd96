/** The storage and wire contract of what is shared and delegated: add, never rename. */
import { id, list, object, oneOf, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { personName, subjectName } from '../../record/subject.ts'
import { roleName } from '../roles.ts'

/** Roles in one thing: what a `viewer`, a `team-lead` and an `organization-admin` may do, there alone. */
export const THING_ROLES = ['reader', 'editor', 'owner'] as const

const grant = id('grant')
const category = text(64).meta({ description: 'what kind of thing it is: `project`, `wallet`, `item`, …' })
const thing = id('thing')
const kind = oneOf('user', 'team').meta({ description: 'whether it is shared with a person or with a team' })
const grantee = subjectName.meta({ description: 'the person or the team' })
const role = oneOf(...THING_ROLES).meta({ description: 'what they may do with the thing' })
const until = timestamp.meta({ description: 'when it ends by itself' })
const delegation = id('delegation')
const user = subjectName.meta({ description: 'the person, as tokens name them' })
const person = personName.meta({ description: 'the person, as tokens name them' })
const roles = list(roleName, 20, 1).meta({ description: 'roles of the caller that the other one has as well' })
const why = { reason: reason.optional() }

export const events = {
  ThingShared: object({ grant, category, thing, kind, with: grantee, role, until: until.optional(), ...why }),
  ThingUnshared: object({ grant, category, thing, ...why }),
  RolesDelegated: object({ delegation, from: user, to: user, roles, until, ...why }),
  DelegationEnded: object({ delegation, to: user, ...why }),
} as const

export const commands = {
  share: object({
    grant: grant.optional(),
    category,
    thing,
    kind,
    with: grantee,
    role,
    until: until.optional(),
    reason,
  }).meta({
    examples: [
      {
        grant: 'grant-1',
        category: 'project',
        thing: 'project-1',
        kind: 'team',
        with: 'kitchen',
        role: 'editor',
        until: '2099-01-31T00:00:00.000Z',
        reason: 'The kitchen plans the menu.',
      },
    ],
  }),
  unshare: object({ grant, reason: reason.optional() }).meta({ examples: [{ grant: 'grant-1' }] }),
  delegate: object({ delegation: delegation.optional(), to: person, roles, until, reason }).meta({
    examples: [
      {
        delegation: 'delegation-1',
        to: 'jon',
        roles: ['organization-admin'],
        until: '2098-01-31T00:00:00.000Z',
        reason: 'I am away.',
      },
    ],
  }),
  endDelegation: object({ delegation, reason: reason.optional() }).meta({
    examples: [{ delegation: 'delegation-1' }],
  }),
} as const

export const rejections = [
  'thing_not_yours',
  'thing_already_shared',
  'grant_exists',
  'grants_full',
  'sharing_over',
  'delegation_exists',
  'delegation_not_yours',
  'delegations_full',
] as const
