import { itemTemplates } from '../../../projections/briefcase/item-templates.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = {
  type: 'ItemTemplateAdded',
  data: { ...{ title: 'Website', type: 'project', status: 'draft', metadata: {}, tags: ['web'] }, owner: 'mira' },
}

describe('rows: item templates', () => {
  const { given } = rowsFor(itemTemplates)

  it('follows the changes, and goes with the thing', async () => {
    await given(added, { type: 'ItemTemplateChanged', data: { title: 'Other' } }).then({
      id: 'thing-1',
      title: 'Other',
      owner: 'mira',
    })
    await given(added, { type: 'ItemTemplateRemoved', data: {} }).then()
  })
})
