import { pages } from '../../../projections/center/pages.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { title: 'How we print', links: [], tags: ['print'] }
const added = { type: 'PageAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: pages', () => {
  it('has a row for each page', async () => {
    const { given } = rowsFor(pages)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'PageRemoved', data: {} }).then()
  })
})
