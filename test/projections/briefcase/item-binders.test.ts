import { itemBinders } from '../../../projections/briefcase/item-binders.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = {
  type: 'BinderAdded',
  data: {
    ...{ name: 'For the bank', workspace: 'workspace-1', content: [{ content_type: 'item', content_id: 'item-1' }] },
    owner: 'mira',
  },
}

describe('rows: binders', () => {
  const { given } = rowsFor(itemBinders)

  it('follows the changes, and goes with the thing', async () => {
    await given(added, { type: 'BinderChanged', data: { name: 'Other' } }).then({
      id: 'thing-1',
      name: 'Other',
      owner: 'mira',
    })
    await given(added, { type: 'BinderRemoved', data: {} }).then()
  })
})
