import { taskTimers } from '../../../projections/center/task-timers.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: timers of tasks', () => {
  const { given } = rowsFor(taskTimers)
  const created = (dueOn?: string) => ({
    type: 'TaskCreated',
    data: { name: 'Menu', status: 'open', ...(dueOn && { dueOn }) },
  })
  const changed = (data: object) => ({ type: 'TaskChanged', data })
  const timer = (dueOn: string) => ({
    due_at: `${dueOn}T00:00:00.000Z`,
    category: 'task',
    command: 'noteDue',
    body: { due_on: dueOn },
  })

  it('are set for the day that a task is due on, unless it has begun', async () => {
    await given(created('2026-02-01')).then(timer('2026-02-01'))
    await given(created('2026-01-31')).then()
    await given(created()).then()
  })

  it('follow the day, and nothing else of the task', async () => {
    await given(created('2026-02-01'), changed({ dueOn: '2026-03-01' })).then(timer('2026-03-01'))
    await given(created('2026-02-01'), changed({ name: 'Cards' })).then(timer('2026-02-01'))
    await given(created('2026-02-01'), changed({ dueOn: null })).then()
    await given(created('2026-02-01'), { type: 'TaskRemoved', data: {} }).then()
    await given(created('2026-02-01'), { type: 'TaskDue', data: { dueOn: '2026-02-01', assignee: null } }).then()
  })
})
