import { itemtemplate } from '../../../domain/briefcase/itemtemplate/itemtemplate.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(itemtemplate)
const body = { title: 'Website', type: 'project', status: 'draft', metadata: {}, tags: ['web'] }
const added = { type: 'ItemTemplateAdded', data: { ...body, owner: 'user-1' } }

describe('item template', () => {
  it('is added once, and belongs to its adder', () => {
    given().when('add', body).then(added)
    given(added).when('add', body).rejects('itemtemplate_already_added')
  })
  it('states only what changes', () => {
    given(added)
      .when('change', { title: 'Other' })
      .then({ type: 'ItemTemplateChanged', data: { title: 'Other' } })
    given(added).when('change', { title: body.title }).changesNothing()
  })
})
