import type { events } from '../../../domain/center/task/messages.ts'
import { task } from '../../../domain/center/task/task.ts'
import type { Workflow } from '../../../domain/center/workflow/statuses.ts'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(task)
type Made = Extract<Fact, { type: 'TaskCreated' }>['data']
const created = (more: Partial<Made> = {}): Fact => ({
  type: 'TaskCreated',
  data: { name: 'Write', status: 'open', ...more },
})
const moved = (from: string, to: string): Fact => ({ type: 'TaskStatusChanged', data: { from, to } })
const changed = (data: Extract<Fact, { type: 'TaskChanged' }>['data']): Fact => ({ type: 'TaskChanged', data })

describe('the workflow of a task', () => {
  const seen = { status: 'present', owner: 'ann', fields: { task_workflow: 'task' } }
  const inProject = created({ project: 'book', workflow: 'task', stage: 'todo' })

  it('is copied from the project', () => {
    given().when('create', { name: 'Write', status: 'open', project: 'book' }, { seen }).then(inProject)
    given()
      .when('create', { name: 'Write', status: 'waiting', project: 'book' }, { seen })
      .rejects('task_status_not_allowed')
    const free = { ...seen, fields: { task_workflow: 'free' } }
    given()
      .when('create', { name: 'Write', status: 'waiting', project: 'book' }, { seen: free })
      .then(created({ project: 'book', status: 'waiting' }))
    given()
      .when('create', { name: 'Write', status: 'waiting', project: 'old' }, { seen: { ...seen, fields: {} } })
      .then(created({ project: 'old', status: 'waiting' }))
  })
  it('lets a status follow another one, or says which may', () => {
    const to = (status: string) => given(inProject).when('changeStatus', { status })
    to('in_progress').then({
      type: 'TaskStatusChanged',
      data: { from: 'open', to: 'in_progress', stage: 'doing' },
    })
    to('review').rejects('task_status_not_allowed')
    to('unheard').rejects('task_status_not_allowed')
    given(inProject)
      .when('complete', {})
      .then({ type: 'TaskCompleted', data: { from: 'open' } })
    given(inProject, moved('open', 'cancelled')).when('complete', {}).rejects('task_status_not_allowed')
  })
  it('changes with the project', () => {
    given(created())
      .when('change', { project: 'book' }, { seen })
      .then(changed({ project: 'book', workflow: 'task' }))
    given(created({ status: 'waiting' }))
      .when('change', { project: 'book' }, { seen })
      .rejects('task_status_not_allowed')
    given(inProject)
      .when('change', { project: null })
      .then(changed({ project: null, workflow: null }))
    given(inProject, changed({ project: null, workflow: null }))
      .when('changeStatus', { status: 'any word' })
      .then(moved('open', 'any word'))
  })
  it('comes to the workflow that its project has now, where that knows its status', () => {
    const own: Workflow = { name: 'own', statuses: [{ name: 'open', stage: 'doing', next: [] }] }
    const seen = { status: 'present', owner: 'ann', fields: { task_workflow: own } }
    const inProject = created({ project: 'book', workflow: 'task', stage: 'todo' })
    given(inProject)
      .when('change', { project: 'book' }, { seen })
      .then(changed({ workflow: own }))
    given(inProject, moved('open', 'review')).when('change', { project: 'book' }, { seen }).changesNothing()
    given(inProject, changed({ workflow: own }))
      .when('change', { project: 'book' }, { seen })
      .changesNothing()
  })
})
