import { offices } from '../../../projections/office/offices.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Mira', skills: ['ink'], preferences: {}, linked_accounts: [] }
const added = { type: 'OfficeAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'OfficeChanged', data: { skills: [] } }

describe('rows: offices', () => {
  const { given } = rowsFor(offices)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'OfficeRemoved', data: {} }).then()
  })
})
