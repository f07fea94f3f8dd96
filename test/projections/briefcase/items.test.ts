import { items } from '../../../projections/briefcase/items.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = {
  type: 'ItemAdded',
  data: { type: 'asset', status: 'draft', name: 'Map', metadata: { a: 1 }, owner: 'mira' },
}
const updated = (data: object) => ({ type: 'ItemUpdated', data })
const archived = { type: 'ItemArchived', data: {} }
const later = '2026-03-01T00:00:02.000Z'

describe('rows: items', () => {
  const { given } = rowsFor(items)

  it('follows the changes of an item, and keeps what a change does not name', () =>
    given(added, updated({ description: 'Old' }), updated({ name: 'Chart' }), {
      type: 'ItemStatusChanged',
      data: { from: 'draft', to: 'sold' },
    }).then({
      id: 'thing-1',
      name: 'Chart',
      description: 'Old',
      status: 'sold',
      state: 'active',
      metadata: { a: 1 },
      revision: 3n,
    }))
  it('loses a description that is taken away', () =>
    given(added, updated({ description: 'x' }), updated({ description: null })).then({ description: undefined }))
  it('keeps an archived item', () => given(added, archived).then({ state: 'archived', name: 'Map' }))
  it('begins anew when the item is added again', () =>
    given(added, archived, {
      type: 'ItemAdded',
      data: { type: 'asset', status: 'new', name: 'Map II', metadata: {}, owner: 'jo' },
      at: later,
    }).then({ state: 'active', name: 'Map II', status: 'new', owner: 'jo', metadata: {}, added_at: later }))
  it('says when and why it is archived, until it is restored', async () => {
    const given_ = [added, { type: 'ItemArchived', data: { reason: 'Sold' }, at: later }]
    await given(...given_).then({ state: 'archived', archived_at: later, archive_reason: 'Sold' })
    await given(...given_, { type: 'ItemRestored', data: {} }).then({
      state: 'active',
      archived_at: undefined,
      archive_reason: undefined,
    })
  })
  it('names its readers: its owner, and whom it is shared with', async () => {
    const share = (type: string, kind: string, grantee: string) => ({
      type,
      data: { kind, with: grantee, ...(type === 'ItemShared' && { role: 'reader' }) },
    })
    const shared = [share('ItemShared', 'user', 'jon'), share('ItemShared', 'team', 'design')]
    await given(added, ...shared).then({ privacy: 'organization', readers: ['user mira', 'user jon', 'team design'] })
    const less = [share('ItemUnshared', 'user', 'jon'), share('ItemShared', 'user', 'mira')]
    const gone = share('ItemUnshared', 'user', 'mira')
    await given(added, ...shared, ...less, gone, { type: 'ItemPrivacySet', data: { privacy: 'private' } }).then({
      privacy: 'private',
      readers: ['user mira', 'team design'],
    })
  })
  it('is impossible before the item is added', () => given(archived).isImpossible())
})
