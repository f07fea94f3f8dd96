import { projects } from '../../../projections/center/projects.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const added = { type: 'ProjectAdded', data: { name: 'Bridge', status: 'planned', owner: 'user-1' } }

describe('rows: projects', () => {
  const { given } = rowsFor(projects)

  it('has a row for a project', () => given(added).then({ id: 'thing-1', name: 'Bridge', status: 'planned' }))
  it('follows its changes until it is removed', async () => {
    const changed = { type: 'ProjectChanged', data: { status: 'active', ends_on: '2026-12-31' } }
    await given(added, changed).then({ status: 'active', ends_on: '2026-12-31', name: 'Bridge' })
    await given(added, changed, { type: 'ProjectRemoved', data: {} }).then()
  })
})
