import { project } from '../../../domain/center/project/project.ts'
import { specFor } from '../../support/spec.ts'

const added = { type: 'ProjectAdded', data: { name: 'Bridge', status: 'planned', owner: 'user-1' } } as const

describe('project', () => {
  const { given } = specFor(project)

  it('is added as planned', () => given().when('add', { name: 'Bridge', status: 'planned' }).then(added))
  it('is changed field by field', () =>
    given(added)
      .when('change', { status: 'active', ends_on: '2026-12-31' })
      .then({ type: 'ProjectChanged', data: { status: 'active', ends_on: '2026-12-31' } }))
  it('is removed once', () => {
    const removed = { type: 'ProjectRemoved', data: {} } as const
    given(added).when('remove', {}).then(removed)
    given(added, removed).when('remove', {}).changesNothing()
    given(added, removed).when('replace', { name: 'X', status: 'planned' }).rejects('project_removed')
  })
})
