import { office } from '../../../domain/office/office/office.ts'
import { specFor } from '../../support/spec.ts'

const plain = { name: 'Mira', skills: [], preferences: {}, linked_accounts: [] }
const added = { type: 'OfficeAdded', data: { ...plain, owner: 'user-1' } }

describe('office', () => {
  const { given } = specFor(office)

  it('is added, merges preferences, and is removed', () => {
    given().when('add', plain).then(added)
    given(added)
      .when('change', { preferences: { locale: 'de' } })
      .then({ type: 'OfficeChanged', data: { preferences: { locale: 'de' } } })
    given(added).when('add', plain).rejects('office_already_added')
    given(added).when('remove', {}).then({ type: 'OfficeRemoved', data: {} })
  })
})
