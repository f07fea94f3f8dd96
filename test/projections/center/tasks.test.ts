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
})
