import { contactBook } from '../../../domain/office/contactbook/contactbook.ts'
import { specFor } from '../../support/spec.ts'

const plain = { name: 'Clients', kind: 'personal', shared_with: ['team design'] }
const added = { type: 'ContactBookAdded', data: { ...plain, owner: 'user-1' } }
const renamed = { type: 'ContactBookChanged', data: { name: 'Friends' } }

describe('contact book', () => {
  const { given } = specFor(contactBook)

  it('is changed by its owner, whom it is shared with, and administrators while it is personal', () => {
    given().when('add', plain).then(added)
    given(added).when('change', { name: 'Friends' }).then(renamed)
    given(added).when('change', { name: 'Friends' }, { actor: 'eve' }).rejects('contactbook_not_yours')
    given(added)
      .when('remove', {}, { actor: 'eve', teams: ['print'] })
      .rejects('contactbook_not_yours')
    given(added)
      .when('change', { name: 'Friends' }, { actor: 'ben', teams: ['design'] })
      .then(renamed)
    given(added)
      .when('change', { name: 'Friends' }, { actor: 'eve', permissions: ['office.*'] })
      .then(renamed)
    const behalf = { subject: 'eve', roles: [] }
    given(added).when('change', { name: 'Friends' }, { actor: 'process:x', behalf }).rejects('contactbook_not_yours')
  })

  it('is changed by anybody once it is of the organization', () => {
    const opened = { type: 'ContactBookChanged', data: { kind: 'organizational' } }
    given(added, opened).when('change', { name: 'Friends' }, { actor: 'eve' }).then(renamed)
  })
})
