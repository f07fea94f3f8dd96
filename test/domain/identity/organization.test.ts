import { expect } from 'chai'
import fc from 'fast-check'
import { type Organization, organization } from '../../../domain/identity/organization/organization.ts'
import { rolebook } from '../../../domain/identity/rolebook/rolebook.ts'
import { teamtree } from '../../../domain/identity/teamtree/teamtree.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { membersOf } from '../../../domain/record/keyed.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(organization)
const UNTIL = '2026-03-01T00:00:00.000Z'
const reason = 'So it is.'
const founded = { type: 'OrganizationFounded', data: { name: 'Bluebird', founder: 'mira' } } as const
const added = (user: string, ...roles: string[]) => ({ type: 'MemberAdded', data: { user, roles, reason } }) as const
const viewers: string[] = ['viewer']
const admins: string[] = ['organization-admin']
const invited = { type: 'MemberInvited', data: { user: 'nia', roles: viewers, until: UNTIL, reason } } as const
const suspended = { type: 'MemberSuspended', data: { user: 'jon', reason } } as const
const removed = { type: 'MemberRemoved', data: { user: 'jon' } } as const
const roles = stateOf(rolebook, [
  { type: 'RoleDefined', data: { role: 'bookkeeper', permissions: ['wallet.entries.read', 'office.*'] } },
])
const seen = { ...teamtree.initial, ...roles }
const admin = { actor: 'mira', permissions: ['wallet.*', 'office.*', 'identity.*'], seen }
/** May list people, and holds some permissions, but does not administer. */
const clerk = { actor: 'cleo', permissions: ['identity.members.write', 'wallet.*'], seen }

describe('organization', () => {
  it('is founded once, by its first administrator', () => {
    given().when('found', { name: 'Bluebird' }, admin).then(founded)
    given(founded).when('found', { name: 'Other' }, admin).rejects('organization_already_founded')
    given().when('add', { user: 'jon', roles: [], reason }, admin).rejects('organization_not_founded')
    given(founded).when('rename', { name: 'Bluebird' }).changesNothing()
    given(founded)
      .when('setOutsiders', { outsiders: 'refused', reason })
      .then({ type: 'OutsidersSet', data: { outsiders: 'refused', reason } })
  })

  it('takes members once, and those who were removed again', () => {
    const body = { user: 'jon', roles: ['team-member'], reason }
    given(founded).when('add', body, admin).then(added('jon', 'team-member'))
    given(founded, added('jon')).when('add', body, admin).rejects('member_already')
    given(founded, added('jon'), suspended).when('add', body, admin).rejects('member_suspended')
    given(founded, added('jon'), removed).when('add', body, admin).then(added('jon', 'team-member'))
  })

  it('lets nobody give what they do not have', () => {
    const give = (role: string, context: object) =>
      given(founded).when('add', { user: 'jon', roles: [role], reason }, context)
    give('organization-admin', admin).then(added('jon', 'organization-admin'))
    give('bookkeeper', admin).then(added('jon', 'bookkeeper'))
    give('platform-admin', admin).rejects('role_not_yours')
    give('platform-admin', { ...admin, permissions: ['*'] }).rejects('role_not_yours')
    give('viewer', clerk).rejects('role_not_yours')
    give('bookkeeper', clerk).rejects('role_not_yours')
    give('bookkeeper', { ...clerk, permissions: [...clerk.permissions, 'office.*'] }).then(added('jon', 'bookkeeper'))
    give('wizard', admin).rejects('role_unknown')
  })

  it('lets administrators be changed by administrators alone', () => {
    const two = [founded, added('jon', 'organization-admin')] as const
    given(...two)
      .when('suspend', { user: 'jon', reason }, clerk)
      .rejects('role_not_yours')
    given(...two)
      .when('remove', { user: 'jon' }, clerk)
      .rejects('role_not_yours')
    given(...two)
      .when('setRoles', { user: 'jon', roles: [], reason }, clerk)
      .rejects('role_not_yours')
    given(...two)
      .when('suspend', { user: 'jon', reason }, admin)
      .then(suspended)
    given(founded, added('jon')).when('suspend', { user: 'jon', reason }, clerk).then(suspended)
    const board = stateOf(teamtree, [
      { type: 'TeamMade', data: { team: 'board', name: 'Board', parent: null } },
      { type: 'TeamMade', data: { team: 'chairs', name: 'Chairs', parent: 'board' } },
      { type: 'TeamRolesSet', data: { team: 'board', roles: admins } },
      { type: 'TeamJoined', data: { team: 'chairs', user: 'jon' } },
    ])
    const inBoard = given(founded, added('jon'))
    inBoard.when('suspend', { user: 'jon', reason }, { ...clerk, seen: board }).rejects('role_not_yours')
    inBoard.when('remove', { user: 'jon' }, { ...clerk, seen: board }).rejects('role_not_yours')
    inBoard.when('suspend', { user: 'jon', reason }, { ...admin, seen: board }).then(suspended)
    given(founded, added('jon'), suspended)
      .when('resume', { user: 'jon', reason }, { ...clerk, seen: board })
      .rejects('role_not_yours')
  })

  it('keeps one administrator', () => {
    given(founded).when('remove', { user: 'mira' }, admin).rejects('organization_needs_administrator')
    given(founded).when('suspend', { user: 'mira', reason }, admin).rejects('organization_needs_administrator')
    given(founded)
      .when('setRoles', { user: 'mira', roles: ['viewer'], reason }, admin)
      .rejects('organization_needs_administrator')
    given(founded, added('jon', 'organization-admin'), suspended)
      .when('remove', { user: 'mira' }, admin)
      .rejects('organization_needs_administrator')
  })

  it('has invitations that are accepted by those who were invited, in time', () => {
    const { data } = invited
    given(founded).when('invite', data, admin).then(invited)
    given(founded)
      .when('invite', { ...data, until: CONTEXT.at }, admin)
      .rejects('invitation_over')
    given(founded, invited).when('invite', data, admin).rejects('member_already')
    const nia = { actor: 'nia' }
    given(founded, invited)
      .when('accept', { user: 'nia' }, nia)
      .then({ type: 'InvitationAccepted', data: { user: 'nia', roles: ['viewer'] } })
    given(founded, invited).when('accept', { user: 'nia' }, { actor: 'jon' }).rejects('invitation_not_yours')
    given(founded, invited)
      .when('accept', { user: 'nia' }, { ...nia, at: UNTIL })
      .rejects('invitation_over')
    given(founded).when('accept', { user: 'nia' }, nia).rejects('invitation_not_yours')
    given(founded).when('accept', { user: 'mira' }, { actor: 'mira' }).changesNothing()
    given(founded, invited)
      .when('withdraw', { user: 'nia' }, admin)
      .then({ type: 'InvitationWithdrawn', data: { user: 'nia' } })
    given(founded, added('jon')).when('withdraw', { user: 'jon' }, admin).changesNothing()
  })

  it('suspends and resumes, each once', () => {
    given(founded, added('jon'), suspended).when('suspend', { user: 'jon', reason }, admin).changesNothing()
    given(founded, added('jon'), suspended)
      .when('resume', { user: 'jon', reason }, admin)
      .then({ type: 'MemberResumed', data: { user: 'jon', reason } })
    given(founded, added('jon')).when('resume', { user: 'jon', reason }, admin).changesNothing()
    given(founded).when('suspend', { user: 'jon', reason }, admin).rejects('member_unknown')
    given(founded).when('remove', { user: 'jon' }, admin).changesNothing()
  })

  it('counts right and has an administrator after any commands', () => {
    const user = fc.constantFrom('mira', 'jon', 'nia')
    const some = fc.subarray(['viewer', 'organization-admin', 'bookkeeper'])
    const step = fc.record({
      name: fc.constantFrom('add', 'invite', 'accept', 'withdraw', 'setRoles', 'suspend', 'resume', 'remove'),
      body: fc.record({ user, roles: some, reason: fc.constant(reason), until: fc.constant(UNTIL) }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let state: Organization = stateOf(organization, [founded])
        for (const { name, body } of steps) {
          const context = { ...CONTEXT, ...admin, actor: name === 'accept' ? body.user : 'mira' }
          try {
            const decide = organization.decide[name as 'add']
            for (const { type, data } of decide(state, body, context)) {
              state = organization.evolve[type](state, data as never, CONTEXT.at)
            }
          } catch (error) {
            if (!(error instanceof Rejection)) throw error
          }
          const people = membersOf(state.members)
          const active = people.filter(({ status }) => status === 'active')
          expect(state.count).to.equal(people.length)
          expect(state.administrators)
            .to.equal(active.filter(each => each.roles.includes('organization-admin')).length)
            .and.above(0)
        }
      }),
    )
  })
})
