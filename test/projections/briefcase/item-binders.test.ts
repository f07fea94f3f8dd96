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

  it('knows when each of its content was put in, wherever that stands later', async () => {
    const [first, second] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z']
    const [item, file] = [
      { content_type: 'item', content_id: 'item-1' },
      { content_type: 'file', content_id: 'file-1' },
    ]
    const changed = { type: 'BinderChanged', data: { content: [file, item] }, at: second }
    const renamed = { type: 'BinderChanged', data: { name: 'Other' }, at: '2026-01-03T00:00:00.000Z' }
    await given({ ...added, at: first }, changed, renamed).then({ content_added_at: [second, first] })
    const emptied = { type: 'BinderChanged', data: { content: [] }, at: second }
    await given({ ...added, at: first }, emptied).then({ content_added_at: [] })
  })
})
