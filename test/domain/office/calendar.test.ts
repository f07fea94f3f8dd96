import { calendar } from '../../../domain/office/calendar/calendar.ts'
import { specFor } from '../../support/spec.ts'

const plain = { name: 'Clients', kind: 'personal', shared_with: ['team design'] }
const added = { type: 'CalendarAdded', data: { ...plain, owner: 'user-1' } }
const renamed = { type: 'CalendarChanged', data: { name: 'Friends' } }

describe('calendar', () => {
  const { given } = specFor(calendar)

  it('is changed by its owner, whom it is shared with, and administrators while it is personal', () => {
    given().when('add', plain).then(added)
    given(added).when('change', { name: 'Friends' }).then(renamed)
    given(added).when('change', { name: 'Friends' }, { actor: 'eve' }).rejects('calendar_not_yours')
    given(added)
      .when('remove', {}, { actor: 'eve', teams: ['print'] })
      .rejects('calendar_not_yours')
    given(added)
      .when('change', { name: 'Friends' }, { actor: 'ben', teams: ['design'] })
      .then(renamed)
    given(added)
      .when('change', { name: 'Friends' }, { actor: 'eve', permissions: ['office.*'] })
      .then(renamed)
    const behalf = { subject: 'eve', roles: [] }
    given(added).when('change', { name: 'Friends' }, { actor: 'process:x', behalf }).rejects('calendar_not_yours')
  })

  it('is changed by anybody once it is of the organization', () => {
    const opened = { type: 'CalendarChanged', data: { kind: 'team' } }
    given(added, opened).when('change', { name: 'Friends' }, { actor: 'eve' }).then(renamed)
  })
})
