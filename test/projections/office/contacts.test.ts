import { contacts } from '../../../projections/office/contacts.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const SEALED = {
  key: '11111111-1111-4111-8111-111111111111',
  nonce: 'n'.repeat(16),
  text: 't'.repeat(30),
  digest: 'd'.repeat(43),
}
const plain = { book: 'clients', kind: 'individual', groups: ['engines'], name: SEALED }
const added = { type: 'ContactAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'ContactChanged', data: { groups: [] } }

describe('rows: contacts', () => {
  const { given } = rowsFor(contacts)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'ContactRemoved', data: {} }).then()
  })
})
