import { members } from '../../../projections/identity/members.ts'
import { organizations } from '../../../projections/identity/organizations.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const founded = { type: 'OrganizationFounded', data: { name: 'Bluebird', founder: 'mira' } }
const added = { type: 'MemberAdded', data: { user: 'jon', roles: ['viewer'], reason: 'Begins.' } }
const until = '2099-01-31T00:00:00.000Z'
const invited = { type: 'MemberInvited', data: { user: 'nia', roles: ['guest'], until } }
const of = (type: string, user = 'jon', more: object = {}) => ({ type, data: { user, ...more } })

describe('rows: organizations', () => {
  it('say what the organization is called, and what outsiders may do', () =>
    rowsFor(organizations)
      .given(
        founded,
        added,
        { type: 'OrganizationRenamed', data: { name: 'Blue' } },
        { type: 'OutsidersSet', data: { outsiders: 'refused' } },
      )
      .then({ name: 'Blue', founder: 'mira', outsiders: 'refused', revision: 3n }))
})

describe('rows: members', () => {
  const { given } = rowsFor(members)

  it('are the people with their roles', () =>
    given(founded, added, invited).then(
      { user: 'jon', roles: ['viewer'], status: 'active', reason: 'Begins.', revision: 1n },
      { user: 'mira', roles: ['organization-admin'], status: 'active', revision: 0n },
      { user: 'nia', roles: ['guest'], status: 'invited', until, revision: 2n },
    ))

  it('say how each stands, and why', () =>
    given(
      founded,
      added,
      of('MemberRolesSet', 'jon', { roles: ['team-lead'], before: ['viewer'], reason: 'Leads.' }),
      of('MemberSuspended', 'jon', { reason: 'Lost laptop.' }),
      invited,
      of('InvitationAccepted', 'nia', { roles: ['guest'] }),
      of('MemberRemoved', 'nia'),
    ).then(
      { user: 'jon', roles: ['team-lead'], status: 'suspended', reason: 'Lost laptop.' },
      { user: 'mira' },
      { user: 'nia', roles: ['guest'], status: 'removed', until: undefined, reason: undefined },
    ))

  it('come back', () =>
    given(founded, added, of('MemberSuspended'), of('MemberResumed'), invited, of('InvitationWithdrawn', 'nia')).then(
      { user: 'jon', status: 'active' },
      { user: 'mira' },
      { user: 'nia', status: 'removed' },
    ))
})
