import { item } from '../../../domain/briefcase/item/item.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(item)
const added = {
  type: 'ItemAdded',
  data: { type: 'app', status: 'draft', lifecycle: 'standard', name: 'Clock', metadata: {}, owner: 'user-1' },
} as const
const secret = { type: 'ItemPrivacySet', data: { privacy: 'private' } } as const
const jon = { actor: 'jon' }

describe('the privacy of an item', () => {
  it('is said when it is added, or later', () => {
    given()
      .when('add', { name: 'Clock', type: 'app', privacy: 'private' })
      .then({ ...added, data: { ...added.data, privacy: 'private' } })
    given(added).when('setPrivacy', { privacy: 'private' }).then(secret)
    given(added, secret).when('setPrivacy', { privacy: 'private' }).then()
  })
  it('is set by its owners alone', () =>
    given(added).when('setPrivacy', { privacy: 'private' }, jon).rejects('item_not_yours'))
  it('keeps others from changing it, but for its editors', () => {
    given(added, secret).when('update', { name: 'X' }, jon).rejects('item_not_yours')
    given(added, secret, { type: 'ItemShared', data: { kind: 'user', with: 'jon', role: 'editor' } })
      .when('update', { name: 'X' }, jon)
      .then({ type: 'ItemUpdated', data: { name: 'X' } })
  })
  it('begins anew with an item that is added anew', () =>
    given(added, secret, { type: 'ItemArchived', data: {} }, added)
      .when('update', { name: 'X' }, jon)
      .then({ type: 'ItemUpdated', data: { name: 'X' } }))
})
