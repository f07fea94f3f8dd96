import { itemShares } from '../../../projections/briefcase/item-shares.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const shared = (grantee: string, role: string, kind = 'user') => ({
  type: 'ItemShared',
  data: { kind, with: grantee, role },
})

describe('rows: item shares', () => {
  const { given } = rowsFor(itemShares)

  it('has a row for each user and team, with the role that was given last', () =>
    given(shared('jon', 'reader'), shared('jon', 'reader', 'team'), shared('jon', 'editor')).then(
      { item: 'thing-1', kind: 'team', with: 'jon', role: 'reader' },
      { kind: 'user', with: 'jon', role: 'editor' },
    ))
  it('loses it with the share', () =>
    given(shared('jon', 'reader'), { type: 'ItemUnshared', data: { kind: 'user', with: 'jon' } }).then())
})
