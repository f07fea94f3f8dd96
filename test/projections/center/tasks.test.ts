import { tasks } from '../../../projections/center/tasks.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const completedAt = '2026-03-01T00:00:04.000Z'
const completed = [
  { type: 'TaskCreated', data: { name: 'Brief', status: 'open', assignee: 'mira', dueOn: '2026-04-01' } },
  { type: 'TaskAssigned', data: { from: 'mira', to: null } },
  { type: 'TaskMovedToTeam', data: { from: null, to: 'office' } },
  { type: 'TaskStatusChanged', data: { from: 'open', to: 'sent' } },
  { type: 'TaskCompleted', data: { from: 'sent' }, at: completedAt },
]

describe('rows: tasks', () => {
  const { given } = rowsFor(tasks)

  it('counts the changes of a task, and knows when it was completed', () =>
    given(...completed).then({
      id: 'thing-1',
      status: 'completed',
      assignee: undefined,
      team: 'office',
      due_on: '2026-04-01',
      status_changes: 2n,
      reassignments: 1n,
      team_changes: 1n,
      completed_at: completedAt,
    }))
  it('forgets when it was completed once it is reopened', () =>
    given(...completed, { type: 'TaskStatusChanged', data: { from: 'completed', to: 'open' } }).then({
      status: 'open',
      status_changes: 3n,
      completed_at: undefined,
    }))
  it('is in the stage that its workflow has for its status, which cancelled work never was done in', () => {
    const own = { name: 'own', statuses: [{ name: 'open', stage: 'done', next: [] }] }
    const made = { type: 'TaskCreated', data: { name: 'Brief', status: 'open', workflow: 'task', stage: 'todo' } }
    const moved = { type: 'TaskChanged', data: { project: 'p', workflow: own }, at: completedAt }
    given(made).then({ stage: 'todo', completed_at: undefined })
    given(made, moved).then({ stage: 'done', started_at: completedAt, completed_at: completedAt })
    given(made, moved, { type: 'TaskChanged', data: { workflow: null } }).then({
      stage: 'todo',
      completed_at: undefined,
    })
    const cancelled = { from: 'open', to: 'cancelled', stage: 'done' }
    given(made, { type: 'TaskStatusChanged', data: cancelled }).then({
      stage: 'cancelled',
      started_at: undefined,
      completed_at: undefined,
    })
    for (const [status, stage] of [
      ['Cancelled', 'cancelled'],
      ['Rejected by the client', 'cancelled'],
      ["won't fix", 'cancelled'],
      ['Closed', 'done'],
    ] as const) {
      given({ type: 'TaskCreated', data: { name: 'Brief', status } }).then({ status, stage })
    }
  })
  it('is corrected field by field, and goes with its task', () => {
    const corrected = { name: 'Briefs', description: 'Two.', dueOn: null, priority: 'high', reason: 'x' }
    const made = { type: 'TaskCreated', data: { name: 'Brief', status: 'open', type: 'text', dueOn: '2026-04-01' } }
    const changes = [
      { type: 'TaskChanged', data: corrected },
      { type: 'TaskChanged', data: { description: null, project: 'book' } },
    ]
    given(made, ...changes).then({
      name: 'Briefs',
      description: undefined,
      type: 'text',
      priority: 'high',
      project: 'book',
      due_on: undefined,
      revision: 2n,
    })
    given(made, ...changes, { type: 'TaskRemoved', data: {} }).then()
  })
})
