import { calendars } from '../../../projections/office/calendars.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const plain = { name: 'Printing', kind: 'personal', shared_with: [] }
const added = { type: 'CalendarAdded', data: { ...plain, owner: 'user-1' } }
const changed = { type: 'CalendarChanged', data: { kind: 'team' } }

describe('rows: calendars', () => {
  const { given } = rowsFor(calendars)

  it('are the fields of each, until it is removed', async () => {
    await given(added).then({ id: 'thing-1', ...plain, owner: 'user-1' })
    await given(added, changed).then({ ...plain, ...changed.data })
    await given(added, { type: 'CalendarRemoved', data: {} }).then()
  })

  it('say who may read them while they are personal', async () => {
    await given(added).then({ privacy: 'private', readers: ['user user-1'] })
    await given(added, changed).then({ privacy: 'organization' })
  })
})
