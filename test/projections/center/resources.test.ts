import { resources } from '../../../projections/center/resources.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const fields = { project: 'bakery', resource_type: 'person', resource_id: 'mira', allocation_percentage: 50 }
const added = { type: 'ProjectResourceAdded', data: { ...fields, owner: 'user-1' } }

describe('rows: resources', () => {
  it('has a row for each project resource', async () => {
    const { given } = rowsFor(resources)
    await given(added).then({ id: 'thing-1', ...fields })
    await given(added, { type: 'ProjectResourceRemoved', data: {} }).then()
  })
})
