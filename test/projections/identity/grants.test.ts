import { delegations } from '../../../projections/identity/delegations.ts'
import { grants } from '../../../projections/identity/grants.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const until = '2099-01-31T00:00:00.000Z'
const thing = { category: 'project', thing: 'menu' }
const shared = (grant: string) => ({
  type: 'ThingShared',
  data: { grant, ...thing, kind: 'team', with: 'kitchen', role: 'editor', until },
})
const lent = {
  type: 'RolesDelegated',
  data: { delegation: 'd-1', from: 'mira', to: 'jon', roles: ['team-lead'], until, reason: 'Away.' },
}

describe('rows: grants', () => {
  it('are what is shared, until it ends', () =>
    rowsFor(grants)
      .given(shared('g-1'), shared('g-2'), { type: 'ThingUnshared', data: { grant: 'g-1', ...thing } }, lent)
      .then({ id: 'g-2', ...thing, kind: 'team', with: 'kitchen', role: 'editor', until, revision: 1n }))
})

describe('rows: delegations', () => {
  it('are what was lent, until it ends', async () => {
    const { given } = rowsFor(delegations)
    await given(shared('g-1'), lent).then({ id: 'd-1', from: 'mira', to: 'jon', roles: ['team-lead'], until })
    await given(lent, { type: 'DelegationEnded', data: { delegation: 'd-1', to: 'jon' } }).then()
  })
})
