import { apiSpec } from '../../support/api-spec.ts'

const ITEM = '/kbfc/items/thing-1'
const metadata = { colour: 'red', size: { x: 1, y: 2 } }
const added = {
  type: 'ItemAdded',
  data: { type: 'asset', status: 'draft', name: 'Map', metadata, owner: 'user-1' },
}

describe('API: items', () => {
  const { given } = apiSpec()

  it('PATCH merges metadata as RFC 7396 says', () =>
    given(added)
      .when('PATCH', ITEM, { metadata: { colour: null, size: { y: 3 }, place: 'Brest' } })
      .then(200, { type: 'ItemUpdated', data: { metadata: { size: { x: 1, y: 3 }, place: 'Brest' } } }))
  it('PATCH with null empties the metadata', () =>
    given(added)
      .when('PATCH', ITEM, { metadata: null })
      .then(200, { type: 'ItemUpdated', data: { metadata: {} } }))
  it('PATCH makes no event where the metadata is so already', () =>
    given(added)
      .when('PATCH', ITEM, { metadata: { size: { y: 2 }, place: null } })
      .then({ status: 200, data: { events: [], revision: '0' } }))
  it('PATCH never grows the metadata beyond what can be stored', () =>
    given(added)
      .when('PATCH', ITEM, { metadata: { list: Array(996).fill(1) } })
      .then({ status: 422, code: 'item_metadata_too_large' }))
  it('PATCH changes the type and the status too, with a reason', () =>
    given(added)
      .when('PATCH', ITEM, { type: 'app', status: 'live', name: 'Map', reason: 'Launched' })
      .then(
        200,
        { type: 'ItemUpdated', data: { type: 'app', reason: 'Launched' } },
        { type: 'ItemStatusChanged', data: { from: 'draft', to: 'live', reason: 'Launched' } },
      ))
})
