import { taskComments, timeEntries } from '../../../projections/center/task-parts.ts'
import { tasks } from '../../../projections/center/tasks.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const ID = '00000000-0000-5000-8000-000000000001'
const created = { type: 'TaskCreated', data: { name: 'Write', status: 'open', estimatedHours: 2.5, labels: ['x'] } }
const worked = { entry: ID, user: 'ann', minutes: 90, workedOn: '2026-01-30', rate: 6000n, currency: 'EUR' }
const logged = { type: 'TimeLogged', data: worked }
const to = { entry: ID, wallet: 'w', account: 'main', counterparty: 'external:work', kind: 'credit' }
const asked = { type: 'TimePostingRequested', data: { ...to, amount: 9000n, currency: 'EUR', description: 'x' } }

describe('rows: parts of tasks', () => {
  it('have the time that was worked, and how far it is posted', async () => {
    const { given } = rowsFor(timeEntries)
    await given(created, logged).then({ task: 'thing-1', user: 'ann', minutes: 90, rate: 6000n, status: 'open' })
    const corrected = {
      type: 'TimeCorrected',
      data: { entry: ID, minutes: 60, workedOn: '2026-01-29', minutesBefore: 90 },
    }
    await given(created, logged, corrected).then({ minutes: 60, worked_on: '2026-01-29', rate: undefined })
    await given(created, logged, asked).then({ status: 'requested', amount: 9000n, wallet: 'w' })
    await given(created, logged, asked, { type: 'TimePosted', data: { entry: ID } }).then({ status: 'posted' })
    const refused = { type: 'TimePostingRefused', data: { entry: ID, code: 'wallet_closed', reason: 'x' } }
    await given(created, logged, asked, refused).then({ status: 'refused', code: 'wallet_closed' })
    await given(created, logged, { type: 'TimeRemoved', data: { entry: ID, minutes: 90 } }).then()
  })

  it('have the comments', async () => {
    const { given } = rowsFor(taskComments)
    const commented = { type: 'TaskCommented', data: { comment: ID, author: 'ann', text: 'Good.' } }
    await given(created, commented).then({ task: 'thing-1', author: 'ann', text: 'Good.' })
    await given(created, commented, { type: 'TaskCommentChanged', data: { comment: ID, text: 'x' } }).then({
      text: 'x',
    })
    await given(created, commented, { type: 'TaskCommentRemoved', data: { comment: ID } }).then()
  })

  it('are counted in the row of the task', async () => {
    const { given } = rowsFor(tasks)
    const item = { item: 'a', text: 'Read', done: true }
    const set = { type: 'TaskChecklistSet', data: { items: [item] } }
    const moved = { type: 'TaskMovedToSprint', data: { from: null, to: 's1' } }
    await given(created, logged, set, moved).then({
      minutes: 90,
      actual_hours: 1.5,
      estimated_hours: 2.5,
      labels: ['x'],
      checklist: [item],
      sprint: 's1',
      stage: 'todo',
    })
    const more = { ...logged, data: { ...worked, entry: ID.replace('1', '2'), minutes: 20 } }
    await given(created, logged, more).then({ minutes: 110, actual_hours: 1.83 })
    await given(created, logged, { type: 'TimeRemoved', data: { entry: ID, minutes: 90 } }).then({
      minutes: 0,
      actual_hours: undefined,
    })
  })
})
