import { aggregate, type Context, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { because } from '../../record/reason.ts'
import { mention, said, THING } from '../../record/said.ts'
import { type Member, ORGANIZATION } from '../people.ts'
import { mustGive, mustTouch, type Rolebook, rolebookOfOrg } from '../roles.ts'
import { rolesByTeams, type Teamtree, teamtreeOfOrg } from '../teams.ts'
import { commands, events, rejections } from './messages.ts'

export type Organization = {
  readonly status: 'none' | 'founded'
  readonly name: string
  readonly outsiders: 'by_token' | 'refused'
  readonly members: Keyed<Member>
  /** People that are listed, those who were removed too. */
  readonly count: number
  /** Active members who administer it: there is always one. */
  readonly administrators: number
}

/** People that one organization lists. */
const MEMBERS_MAX = 20_000
const OUTSIDERS = { by_token: 'what they say', refused: 'nothing' } as const
const person = (user: string) => mention('inbox', user)
const FOUNDER = ['organization-admin']

const isAdministrator = (member: Member | undefined): boolean =>
  member?.status === 'active' && member.roles.includes('organization-admin')

/** The organization with a member as given: counts follow. */
function withPerson(state: Organization, user: string, member: Member): Organization {
  const before = memberOf(state.members, user)
  return {
    ...state,
    members: withMember(state.members, user, member),
    count: state.count + (before ? 0 : 1),
    administrators: state.administrators + Number(isAdministrator(member)) - Number(isAdministrator(before)),
  }
}

const inStanding =
  (status: Member['status']) =>
  (state: Organization, { user }: { readonly user: string }): Organization =>
    withPerson(state, user, { status, roles: memberOf(state.members, user)?.roles ?? [] })

const evolve: Evolve<Organization, typeof events> = {
  OrganizationFounded: (state, { name, founder }) =>
    withPerson({ ...state, status: 'founded', name }, founder, { status: 'active', roles: FOUNDER }),
  OrganizationRenamed: (state, { name }) => ({ ...state, name }),
  OutsidersSet: (state, { outsiders }) => ({ ...state, outsiders }),
  MemberAdded: (state, { user, roles }) => withPerson(state, user, { status: 'active', roles }),
  MemberInvited: (state, { user, roles, until }) => withPerson(state, user, { status: 'invited', roles, until }),
  InvitationAccepted: (state, { user, roles }) => withPerson(state, user, { status: 'active', roles }),
  InvitationWithdrawn: inStanding('removed'),
  MemberRolesSet: (state, { user, roles }) =>
    withPerson(state, user, { status: memberOf(state.members, user)?.status ?? 'active', roles }),
  MemberSuspended: inStanding('suspended'),
  MemberResumed: inStanding('active'),
  MemberRemoved: inStanding('removed'),
}

const decide: Decide<Organization, typeof commands, typeof events> = {
  found(state, { name }, { actor }) {
    if (state.status === 'founded') throw rejected('organization_already_founded', 'Rename it instead.')
    return [{ type: 'OrganizationFounded', data: { name, founder: actor } }]
  },
  rename(state, { name }) {
    return founded(state).name === name ? [] : [{ type: 'OrganizationRenamed', data: { name } }]
  },
  setOutsiders(state, { outsiders, reason }) {
    return founded(state).outsiders === outsiders ? [] : [{ type: 'OutsidersSet', data: { outsiders, reason } }]
  },
  add(state, { user, roles, reason }, context) {
    mustHaveRoom(state, user, context)
    mustGive(roles, context.seen as Rolebook, context)
    return [{ type: 'MemberAdded', data: { user, roles, reason } }]
  },
  invite(state, { user, roles, until, reason }, context) {
    mustHaveRoom(state, user, context)
    mustGive(roles, context.seen as Rolebook, context)
    if (until <= context.at) throw rejected('invitation_over', 'Name a time to come.', { until })
    return [{ type: 'MemberInvited', data: { user, roles, until, reason } }]
  },
  accept(state, { user }, { actor, at }) {
    const member = memberOf(founded(state).members, user)
    if (user !== actor || member === undefined || member.status === 'removed') {
      throw rejected('invitation_not_yours', 'No invitation is waiting for you under this name.', { user })
    }
    if (member.status !== 'invited') return []
    if (member.until! <= at) throw rejected('invitation_over', 'Ask for a new invitation.', { until: member.until! })
    return [{ type: 'InvitationAccepted', data: { user, roles: [...member.roles] } }]
  },
  withdraw(state, { user, reason }) {
    if (memberOf(founded(state).members, user)?.status !== 'invited') return []
    return [{ type: 'InvitationWithdrawn', data: { user, ...because(reason) } }]
  },
  setRoles(state, { user, roles, reason }, context) {
    const member = present(state, user)
    const before = [...member.roles]
    if (roles.length === before.length && roles.every(role => before.includes(role))) return []
    mustGive(
      roles.filter(role => !before.includes(role)),
      context.seen as Rolebook,
      context,
    )
    mustTouch(member.roles, context)
    mustKeepOne(state, member, { ...member, roles })
    return [{ type: 'MemberRolesSet', data: { user, roles, before, reason } }]
  },
  suspend(state, { user, reason }, context) {
    const member = present(state, user)
    if (member.status === 'suspended') return []
    mustTouch([...member.roles, ...rolesByTeams(context.seen as Teamtree, user)], context)
    mustKeepOne(state, member, undefined)
    return [{ type: 'MemberSuspended', data: { user, reason } }]
  },
  resume(state, { user, reason }, context) {
    const member = present(state, user)
    if (member.status !== 'suspended') return []
    mustTouch([...member.roles, ...rolesByTeams(context.seen as Teamtree, user)], context)
    return [{ type: 'MemberResumed', data: { user, reason } }]
  },
  remove(state, { user, reason }, context) {
    const member = memberOf(founded(state).members, user)
    if (member === undefined || member.status === 'removed') return []
    mustTouch([...member.roles, ...rolesByTeams(context.seen as Teamtree, user)], context)
    mustKeepOne(state, member, undefined)
    return [{ type: 'MemberRemoved', data: { user, ...because(reason) } }]
  },
}

const WRITE = 'members.write'
const RUN = 'organization.write'

/** What an org is as an organization: its name, and the people in it with their roles. */
export const organization = aggregate({
  name: 'organization',
  only: ORGANIZATION,
  events,
  commands,
  api: {
    found: ['POST /organization', RUN, 'Found the organization: from then on its members have the roles given here.'],
    rename: ['PATCH /organization', RUN, 'Rename the organization.'],
    setOutsiders: ['PUT /outsiders', RUN, 'Say whether people who are no members may do what their tokens say.'],
    add: ['POST /members', WRITE, 'Add a person as a member, with roles.'],
    invite: ['POST /invitations', WRITE, 'Invite a person, who becomes a member by accepting.'],
    accept: ['POST /invitations/:user/accept', 'invitations.accept', 'Accept an invitation to yourself.'],
    withdraw: ['DELETE /invitations/:user', WRITE, 'Withdraw an invitation that was not accepted yet.'],
    setRoles: ['PUT /members/:user/roles', WRITE, 'Set the roles of a member.'],
    suspend: ['POST /members/:user/suspend', WRITE, 'Suspend a member: tokens in hand allow nothing from now on.'],
    resume: ['POST /members/:user/resume', WRITE, 'End the suspension of a member.'],
    remove: ['DELETE /members/:user', WRITE, 'Remove a member: tokens in hand allow nothing from now on.'],
  },
  rejections,
  initial: {
    status: 'none',
    name: '',
    outsiders: 'by_token',
    members: noneKeyed,
    count: 0,
    administrators: 0,
  } as Organization,
  evolve,
  decide,
  sees: {
    add: () => rolebookOfOrg,
    invite: () => rolebookOfOrg,
    setRoles: () => rolebookOfOrg,
    suspend: () => teamtreeOfOrg,
    resume: () => teamtreeOfOrg,
    remove: () => teamtreeOfOrg,
  },
  stateSchema: 1,
  activity: {
    on: {
      OrganizationFounded: ({ name }) => said`founded the organization ${mention('organization', name)}`,
      OrganizationRenamed: ({ name }) => said`renamed the organization to ${mention('organization', name)}`,
      OutsidersSet: ({ outsiders }) =>
        said`set what tokens of outsiders allow in the ${THING}: ${OUTSIDERS[outsiders]}`,
      MemberAdded: ({ user }) => said`added ${person(user)} to the ${THING}`,
      MemberInvited: ({ user }) => said`invited ${person(user)} to the ${THING}`,
      InvitationAccepted: said`joined the ${THING}`,
      InvitationWithdrawn: ({ user }) => said`withdrew the invitation of ${person(user)}`,
      MemberRolesSet: ({ user }) => said`changed the roles of ${person(user)}`,
      MemberSuspended: ({ user }) => said`suspended ${person(user)}`,
      MemberResumed: ({ user }) => said`ended the suspension of ${person(user)}`,
      MemberRemoved: ({ user }) => said`removed ${person(user)} from the ${THING}`,
    },
  },
})

function founded(state: Organization): Organization {
  if (state.status === 'founded') return state
  throw rejected('organization_not_founded', 'Found the organization first.')
}

/** The member of that name who is there, active or suspended. */
function present(state: Organization, user: string): Member {
  const member = memberOf(founded(state).members, user)
  if (member?.status === 'active' || member?.status === 'suspended') return member
  throw rejected('member_unknown', 'There is no such member: add or invite them first.', { user })
}

/** Refuses a person who is a member, and who is suspended all the more: their suspension is ended on purpose. */
function mustHaveRoom(state: Organization, user: string, { at }: Context): void {
  const member = memberOf(founded(state).members, user)
  if (member?.status === 'active' || (member?.status === 'invited' && member.until! > at)) {
    throw rejected('member_already', 'They are a member or invited: set their roles instead.', { user })
  }
  if (member?.status === 'suspended') throw rejected('member_suspended', 'End the suspension instead.', { user })
  if (member === undefined && state.count >= MEMBERS_MAX) {
    throw rejected('organization_full', 'It lists as many people as one organization can.', { most: MEMBERS_MAX })
  }
}

/** Refuses what would leave nobody who could undo it. */
function mustKeepOne(state: Organization, before: Member, after: Member | undefined): void {
  if (state.administrators > 1 || !isAdministrator(before) || isAdministrator(after)) return
  throw rejected('organization_needs_administrator', 'Make another member organization-admin first.')
}
