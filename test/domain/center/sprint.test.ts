import { sprint } from '../../../domain/center/sprint/sprint.ts'
import { specFor } from '../../support/spec.ts'

const { given } = specFor(sprint)
const dates = { start_date: '2026-11-16', end_date: '2026-11-27' }
const planned = { type: 'SprintPlanned', data: { name: 'Menu', ...dates } } as const
const started = { type: 'SprintStarted', data: {} } as const
const completed = { type: 'SprintCompleted', data: {} } as const

describe('sprint', () => {
  it('is planned, started and completed, in this order', () => {
    given()
      .when('plan', { name: 'Menu', ...dates })
      .then(planned)
    given(planned).when('complete', {}).rejects('sprint_not_active')
    given(planned).when('start', {}).then(started)
    given(planned, started).when('start', {}).changesNothing()
    given(planned, started).when('complete', {}).then(completed)
    given(planned, started, completed).when('complete', {}).changesNothing()
    given(planned, started, completed).when('start', {}).rejects('sprint_completed')
    given(planned)
      .when('plan', { name: 'Menu', ...dates })
      .rejects('sprint_already_planned')
  })

  it('is changed until it is completed, and ends after it starts', () => {
    given(planned, started)
      .when('change', { goal: 'x', end_date: '2026-11-30' })
      .then({ type: 'SprintChanged', data: { goal: 'x', end_date: '2026-11-30' } })
    given(planned, started).when('change', { name: 'Menu', goal: null }).changesNothing()
    given(planned).when('change', { end_date: '2026-11-15' }).rejects('sprint_dates_reversed')
    given()
      .when('plan', { name: 'Menu', start_date: '2026-11-16', end_date: '2026-11-15' })
      .rejects('sprint_dates_reversed')
    given(planned, started, completed).when('change', { name: 'x' }).rejects('sprint_completed')
  })

  it('is removed while it is planned, and planned again', () => {
    const removed = { type: 'SprintRemoved', data: {} } as const
    given(planned).when('remove', {}).then(removed)
    given(planned, removed).when('remove', {}).changesNothing()
    given(planned, removed).when('start', {}).rejects('sprint_removed')
    given(planned, removed)
      .when('plan', { name: 'Menu', ...dates })
      .then(planned)
    given(planned, started).when('remove', {}).rejects('sprint_not_planned')
  })
})
