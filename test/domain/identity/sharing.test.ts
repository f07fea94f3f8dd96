import { organization } from '../../../domain/identity/organization/organization.ts'
import { sharing } from '../../../domain/identity/sharing/sharing.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

const { given } = specFor(sharing)
const reason = 'So it is.'
const UNTIL = '2026-03-01T00:00:00.000Z'
const body = { category: 'project', thing: 'menu', kind: 'user', with: 'jon', role: 'reader', reason } as const
const shared = (more: object = {}) =>
  ({ type: 'ThingShared', data: { grant: 'made-0', ...body, ...more } }) as {
    type: 'ThingShared'
    data: typeof body & { grant: string }
  }
const admin = { actor: 'mira', permissions: ['identity.*'] }
const members = stateOf(organization, [
  { type: 'OrganizationFounded', data: { name: 'x', founder: 'mira' } },
  { type: 'MemberAdded', data: { user: 'jon', roles: ['viewer'] } },
])
const admins: string[] = ['organization-admin']
const lent = {
  type: 'RolesDelegated',
  data: { delegation: 'made-0', from: 'mira', to: 'jon', roles: admins, until: UNTIL, reason },
} as const
const lend = { to: 'jon', roles: ['organization-admin'], until: UNTIL, reason }

describe('sharing', () => {
  it('of a thing is for administrators and for its owners', () => {
    given().when('share', body, admin).then(shared())
    given().when('share', body, { actor: 'jon' }).rejects('thing_not_yours')
    const owner = shared({ with: 'pia', role: 'owner' })
    given(owner)
      .when('share', { ...body, grant: 'g' }, { actor: 'pia' })
      .then(shared({ grant: 'g' }))
    const teamOwns = shared({ kind: 'team', with: 'kitchen', role: 'owner', until: UNTIL })
    const pia = { actor: 'pia', teams: ['kitchen'] }
    given(teamOwns)
      .when('share', { ...body, grant: 'g' }, pia)
      .then(shared({ grant: 'g' }))
    given(teamOwns)
      .when('share', body, { ...pia, at: UNTIL })
      .rejects('thing_not_yours')
    given(owner)
      .when('share', { ...body, thing: 'other' }, { actor: 'pia' })
      .rejects('thing_not_yours')
  })

  it('with the same person is once at a time', () => {
    given(shared())
      .when('share', { ...body, grant: 'g' }, admin)
      .rejects('thing_already_shared')
    given(shared({ until: '2026-01-01T00:00:00.000Z' }))
      .when('share', { ...body, grant: 'g' }, admin)
      .then(shared({ grant: 'g' }))
    given(shared())
      .when('share', { ...body, with: 'pia' }, admin)
      .rejects('grant_exists')
    given()
      .when('share', { ...body, until: CONTEXT.at }, admin)
      .rejects('sharing_over')
  })

  it('ends by owners, administrators, and by the one whom it is with', () => {
    const ended = { type: 'ThingUnshared', data: { grant: 'made-0', category: 'project', thing: 'menu' } } as const
    given(shared()).when('unshare', { grant: 'made-0' }, admin).then(ended)
    given(shared()).when('unshare', { grant: 'made-0' }, { actor: 'jon' }).then(ended)
    given(shared()).when('unshare', { grant: 'made-0' }, { actor: 'pia' }).rejects('thing_not_yours')
    given().when('unshare', { grant: 'made-0' }, admin).changesNothing()
  })

  it('of roles is of those that one was given, to others, until a time to come', () => {
    const mira = { actor: 'mira', seen: members }
    given().when('delegate', lend, mira).then(lent)
    given()
      .when('delegate', { ...lend, roles: ['team-lead'] }, mira)
      .rejects('delegation_not_yours')
    given()
      .when('delegate', { ...lend, to: 'mira' }, mira)
      .rejects('delegation_not_yours')
    given()
      .when('delegate', { ...lend, until: CONTEXT.at }, mira)
      .rejects('sharing_over')
    given(lent).when('delegate', lend, mira).rejects('delegation_exists')
    // What was lent to somebody is not theirs to lend.
    given(lent)
      .when('delegate', { ...lend, to: 'pia', delegation: 'd' }, { actor: 'jon', seen: members })
      .rejects('delegation_not_yours')
  })

  it('passes on nothing that the scopes of the caller leave out', () => {
    const scoped = ['identity.delegations.write', 'identity.grants.write']
    const narrowed = { actor: 'mira', permissions: scoped, scoped, seen: members }
    const whole = { actor: 'mira', permissions: ['identity.*'], scoped: ['identity.*'], seen: members }
    given().when('delegate', lend, narrowed).rejects('delegation_not_yours')
    given().when('delegate', lend, whole).then(lent)
    const owner = shared({ with: 'mira', role: 'owner' })
    const again = { ...body, grant: 'g' }
    given(owner).when('share', again, narrowed).rejects('thing_not_yours')
    given(owner)
      .when('share', again, whole)
      .then(shared({ grant: 'g' }))
  })

  it('of roles ends by either of both, or by an administrator', () => {
    const ended = { type: 'DelegationEnded', data: { delegation: 'made-0', to: 'jon' } } as const
    for (const context of [{ actor: 'mira' }, { actor: 'jon' }, { ...admin, actor: 'kim' }]) {
      given(lent).when('endDelegation', { delegation: 'made-0' }, context).then(ended)
    }
    given(lent).when('endDelegation', { delegation: 'made-0' }, { actor: 'pia' }).rejects('delegation_not_yours')
    given().when('endDelegation', { delegation: 'made-0' }).changesNothing()
  })
})
