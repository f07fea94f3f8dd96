import { sprints } from '../../../projections/center/sprints.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const dates = { start_date: '2026-11-16', end_date: '2026-11-27' }
const planned = { type: 'SprintPlanned', data: { name: 'Menu', goal: 'x', project: 'p', ...dates } }

describe('rows: sprints', () => {
  const { given } = rowsFor(sprints)

  it('follow the sprint until it is completed or removed', async () => {
    await given(planned).then({ name: 'Menu', goal: 'x', project: 'p', status: 'planned', ...dates })
    const changed = { type: 'SprintChanged', data: { goal: null, end_date: '2026-11-30', reason: 'x' } }
    await given(planned, changed).then({ name: 'Menu', goal: undefined, end_date: '2026-11-30' })
    const [start, end] = ['2026-11-16T08:00:00.000Z', '2026-11-27T16:00:00.000Z']
    const started = { type: 'SprintStarted', data: {}, at: start }
    const completed = { type: 'SprintCompleted', data: {}, at: end }
    await given(planned, started).then({ status: 'active', started_at: start })
    await given(planned, started, completed).then({ status: 'completed', started_at: start, completed_at: end })
    await given(planned, { type: 'SprintRemoved', data: {} }).then()
  })
})
