import { briefcase } from '../../../domain/briefcase/briefcase/briefcase.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(briefcase)
const added = { type: 'BriefcaseAdded', data: { name: 'Studio', owner: 'user-1' } }

describe('briefcase', () => {
  it('belongs to its adder', () => given().when('add', { name: 'Studio' }).then(added))
  it('is added once', () => given(added).when('add', { name: 'Studio' }).rejects('briefcase_already_added'))
  it('states only what changes', () => {
    given(added)
      .when('change', { description: 'All of it.' })
      .then({ type: 'BriefcaseChanged', data: { description: 'All of it.' } })
    given(added).when('change', { name: 'Studio' }).changesNothing()
  })
})
