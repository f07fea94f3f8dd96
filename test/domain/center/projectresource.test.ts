import { projectResource } from '../../../domain/center/projectresource/projectresource.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(projectResource)
const fields = { project: 'bakery', resource_type: 'person', resource_id: 'mira', allocation_percentage: 50 }
const added = { type: 'ProjectResourceAdded', data: { ...fields, owner: 'user-1' } } as const

describe('project resource', () => {
  it('is added with its fields, and removed', () => {
    given().when('add', fields).then(added)
    given(added).when('remove', {}).then({ type: 'ProjectResourceRemoved', data: {} })
  })
})
