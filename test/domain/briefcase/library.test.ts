import { library } from '../../../domain/briefcase/library/library.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(library)
const body = { name: 'Type', library_type: 'fonts' }
const added = { type: 'LibraryAdded', data: { ...body, owner: 'user-1' } }

describe('library', () => {
  it('is added once, and belongs to its adder', () => {
    given().when('add', body).then(added)
    given(added).when('add', body).rejects('library_already_added')
  })
  it('states only what changes', () => {
    given(added)
      .when('change', { name: 'Other' })
      .then({ type: 'LibraryChanged', data: { name: 'Other' } })
    given(added).when('change', { name: body.name }).changesNothing()
  })
})
