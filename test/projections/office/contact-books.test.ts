import { contactBooks } from '../../../projections/office/contact-books.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Clients', kind: 'personal', shared_with: ['team design'] }
const added = { type: 'ContactBookAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'ContactBookChanged', data: { kind: 'organizational' } }

describe('rows: contact books', () => {
  const { given } = rowsFor(contactBooks)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'ContactBookRemoved', data: {} }).then()
  })

  it('say who may read them while they are personal', async () => {
    await given(added).then({ privacy: 'private', readers: ['user user-1', 'team design'] })
    await given(added, changed).then({ privacy: 'organization' })
  })
})
