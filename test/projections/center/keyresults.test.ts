import { keyResults } from '../../../projections/center/keyresults.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { objective: 'people', title: '120 visitors', start: 0, target: 120, projects: [] }
const added = { type: 'KeyResultAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: keyresults', () => {
  it('has a row for each key result', async () => {
    const { given } = rowsFor(keyResults)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'KeyResultRemoved', data: {} }).then()
  })
})
