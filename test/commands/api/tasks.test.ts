import { apiSpec } from '../../support/api-spec.ts'

const TASKS = '/kctr/tasks'
const TASK = `${TASKS}/thing-1`
const created = { type: 'TaskCreated', data: { name: 'Write', status: 'open', project: 'free word' } }
const project = { type: 'ProjectAdded', id: 'book', data: { name: 'Book', status: 'planned', owner: 'user-1' } }
const projectRemoved = { type: 'ProjectRemoved', id: 'book', data: {} }

describe('API: tasks', () => {
  const { given } = apiSpec()

  it('PATCH merges, DELETE removes, with a reason', async () => {
    await given(created)
      .when('PATCH', TASK, { name: 'Rewrite', project: null, dueOn: '2026-03-01', reason: 'Asked for' })
      .then(200, {
        type: 'TaskChanged',
        data: { name: 'Rewrite', project: null, dueOn: '2026-03-01', reason: 'Asked for' },
      })
    await given(created)
      .when('DELETE', TASK, { reason: 'A double' })
      .then(204, { type: 'TaskRemoved', data: { reason: 'A double' } })
    await given(created, ['DELETE', TASK])
      .when('PATCH', TASK, { name: 'X' })
      .then({ status: 422, code: 'task_removed' })
    await given(created)
      .when('PATCH', TASK, { name: null })
      .then({ status: 400, fields: ['name'] })
  })
  it('names a project that exists', async () => {
    await given(project).when('POST', TASKS, { name: 'X', project: 'book' }).answers(201)
    await given()
      .when('POST', TASKS, { name: 'X', project: 'book' })
      .then({ status: 422, code: 'reference_unknown', fields: ['project'] })
    await given(created, project, projectRemoved)
      .when('PATCH', TASK, { project: 'book' })
      .then({ status: 422, code: 'reference_removed', fields: ['project'] })
  })
  it('keeps a project of before projects were checked', async () => {
    await given(created)
      .when('PATCH', TASK, { project: 'free word', name: 'X' })
      .then(200, { type: 'TaskChanged', data: { name: 'X' } })
    await given(created).when('PUT', `${TASK}/status`, { status: 'doing' }).answers(200)
  })
})
