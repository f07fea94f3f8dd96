import { objectives } from '../../../projections/center/objectives.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { plan: 'shop', title: 'People find us' }
const added = { type: 'ObjectiveAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: objectives', () => {
  it('has a row for each objective', async () => {
    const { given } = rowsFor(objectives)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'ObjectiveRemoved', data: {} }).then()
  })
})
