/** The storage and wire contract of organizations and their members: add, never rename. */
import { object, oneOf, text, timestamp } from '../../kernel/schema.ts'
import { reason } from '../../record/reason.ts'
import { personName, subjectName } from '../../record/subject.ts'
import { roleNames } from '../roles.ts'

const name = text(200).meta({ description: 'what people call the organization' })
const user = subjectName.meta({ description: 'the person, as tokens name them' })
const person = personName.meta({ description: 'the person, as tokens name them' })
const until = timestamp.meta({ description: 'when the invitation is over' })
const outsiders = oneOf('by_token', 'refused').meta({
  description: 'what tokens of people who are no members allow: what their claims say, or nothing',
})
const why = { reason: reason.optional() }

export const events = {
  OrganizationFounded: object({ name, founder: user }),
  OrganizationRenamed: object({ name }),
  OutsidersSet: object({ outsiders, ...why }),
  MemberAdded: object({ user, roles: roleNames, ...why }),
  MemberInvited: object({ user, roles: roleNames, until, ...why }),
  InvitationAccepted: object({ user, roles: roleNames }),
  InvitationWithdrawn: object({ user, ...why }),
  MemberRolesSet: object({ user, roles: roleNames, before: roleNames, ...why }),
  MemberSuspended: object({ user, ...why }),
  MemberResumed: object({ user, ...why }),
  MemberRemoved: object({ user, ...why }),
} as const

export const commands = {
  found: object({ name }).meta({ examples: [{ name: 'Bluebird Studio' }] }),
  rename: object({ name }).meta({ examples: [{ name: 'Bluebird Studios' }] }),
  setOutsiders: object({ outsiders, reason }).meta({
    examples: [{ outsiders: 'refused', reason: 'Everybody is a member by now.' }],
  }),
  add: object({ user: person, roles: roleNames, reason }).meta({
    examples: [{ user: 'jon', roles: ['team-member'], reason: 'Begins on Monday.' }],
  }),
  invite: object({ user: person, roles: roleNames, until, reason }).meta({
    examples: [
      { user: 'nia', roles: ['contributor'], until: '2099-01-31T00:00:00.000Z', reason: 'Helps with the menu.' },
    ],
  }),
  accept: object({ user }).meta({ examples: [{ user: 'mira' }] }),
  withdraw: object({ user, reason: reason.optional() }).meta({ examples: [{ user: 'nia' }] }),
  setRoles: object({ user, roles: roleNames, reason }).meta({
    examples: [{ user: 'jon', roles: ['team-lead'], reason: 'Leads the kitchen now.' }],
  }),
  suspend: object({ user, reason }).meta({ examples: [{ user: 'jon', reason: 'The laptop was lost.' }] }),
  resume: object({ user, reason }).meta({ examples: [{ user: 'jon', reason: 'It was found.' }] }),
  remove: object({ user, reason: reason.optional() }).meta({ examples: [{ user: 'jon', reason: 'Moved on.' }] }),
} as const

export const rejections = [
  'organization_already_founded',
  'organization_not_founded',
  'organization_full',
  'organization_needs_administrator',
  'member_already',
  'member_unknown',
  'member_suspended',
  'invitation_over',
  'invitation_not_yours',
  'role_unknown',
  'role_not_yours',
] as const
