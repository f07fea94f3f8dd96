import { project } from '../../../domain/center/project/project.ts'
import { specFor } from '../../support/spec.ts'

const free = { workflow: 'free', task_workflow: 'free' } as const
const added = { type: 'ProjectAdded', data: { name: 'Bridge', status: 'planned', owner: 'user-1' } } as const

describe('project', () => {
  const { given } = specFor(project)

  it('is added as planned', () =>
    given()
      .when('add', { name: 'Bridge', status: 'planned' })
      .then({ ...added, data: { ...added.data, ...free } }))
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

  describe('workflow', () => {
    const made = (data: object) => ({ type: 'ProjectAdded', data: { ...added.data, ...data } }) as const
    const software = { type: 'software', workflow: 'software', task_workflow: 'development' } as const
    const own = {
      name: 'exhibition',
      statuses: [
        { name: 'idea', stage: 'todo', next: ['open'] },
        { name: 'open', stage: 'doing', next: ['idea'] },
      ],
    } as const

    it('is that of the type, with one for the tasks', () =>
      given().when('add', { name: 'Bridge', status: 'planned', type: 'software' }).then(made(software)))
    it('is copied from the template, which may know other first statuses', () => {
      const seen = { status: 'present', owner: 'ann', fields: { name: 'Show', workflow: own } }
      given()
        .when('add', { name: 'Bridge', status: 'planned', template: 'show' }, { seen })
        .then(made({ template: 'show', workflow: own, task_workflow: 'free', status: 'idea' }))
      given()
        .when('add', { name: 'Bridge', status: 'closed', template: 'show' }, { seen })
        .rejects('project_status_not_allowed')
    })
    it('lets a status follow another one, or says which may', () => {
      const to = (status: string) => given(made(software)).when('change', { status })
      to('design').then({ type: 'ProjectChanged', data: { status: 'design' } })
      to('released').rejects('project_status_not_allowed')
      given(made(software)).when('change', { status: 'completed' }).rejects('project_status_not_allowed')
      given(made(software), { type: 'ProjectChanged', data: { status: 'completed' } })
        .when('replace', { name: 'Bridge', status: 'planned', type: 'software' })
        .rejects('project_status_not_allowed')
    })
    it('changes to one that knows the status, or that of the same request', () => {
      given(added)
        .when('change', { workflow: 'software' })
        .then({ type: 'ProjectChanged', data: { workflow: 'software' } })
      given(added, { type: 'ProjectChanged', data: { status: 'any word' } })
        .when('change', { workflow: 'software' })
        .rejects('project_status_not_allowed')
      given(added, { type: 'ProjectChanged', data: { status: 'any word' } })
        .when('change', { workflow: 'software', status: 'design' })
        .then({ type: 'ProjectChanged', data: { workflow: 'software', status: 'design' } })
    })
    it('stays when the project is replaced, and takes any words where it is free', () => {
      given(made(software)).when('replace', { name: 'Bridge', status: 'planned', type: 'software' }).changesNothing()
      given(made({ ...software, workflow: 'free' }))
        .when('change', { status: 'whatever' })
        .then({ type: 'ProjectChanged', data: { status: 'whatever' } })
      given(added)
        .when('change', { status: 'any word' })
        .then({ type: 'ProjectChanged', data: { status: 'any word' } })
      given(made(software))
        .when('change', { workflow: 'free', status: 'any word' })
        .then({ type: 'ProjectChanged', data: { workflow: 'free', status: 'any word' } })
    })
  })
})
