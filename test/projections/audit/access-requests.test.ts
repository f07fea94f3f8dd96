import { accessRequestTimers } from '../../../projections/audit/access-request-timers.ts'
import { accessRequests } from '../../../projections/audit/access-requests.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const asked = { subject: 'mira', right: 'access', handler: 'ana' }
const received = {
  type: 'AccessRequestReceived',
  data: { ...asked, receivedOn: '2026-01-31', dueOn: '2026-03-02' },
}
const extended = { type: 'AccessRequestExtended', data: { dueOn: '2026-04-30', reason: 'Paper.' } }
const reminded = (dueOn: string, isLast: boolean) => ({
  type: 'AccessRequestReminded',
  data: { dueOn, handler: 'ana', isLast },
})
const answered = { type: 'AccessRequestAnswered', data: { note: 'Sent.' } }
const refused = { type: 'AccessRequestRefused', data: { reason: 'Asked twice.' } }

describe('rows: access requests', () => {
  it('say what was asked, by when it is due, and how it ended', async () => {
    const { given } = rowsFor(accessRequests)
    await given(received).then({ ...asked, status: 'received', received_on: '2026-01-31', due_on: '2026-03-02' })
    await given(received, extended).then({ status: 'extended', due_on: '2026-04-30', extension_reason: 'Paper.' })
    await given(received, answered).then({ status: 'answered', note: 'Sent.' })
    await given(received, extended, refused).then({ status: 'refused', reason: 'Asked twice.', due_on: '2026-04-30' })
  })

  it('remind a week before they are due, and on the day', async () => {
    const { given } = rowsFor(accessRequestTimers)
    const remind = { category: 'accessrequest', command: 'remind' }
    const timer = (day: string, due_on: string, is_last: boolean) => ({
      ...remind,
      due_at: `${day}T00:00:00.000Z`,
      body: { due_on, is_last },
    })
    await given(received).then(timer('2026-02-23', '2026-03-02', false))
    await given(received, reminded('2026-03-02', false)).then(timer('2026-03-02', '2026-03-02', true))
    await given(received, reminded('2026-03-02', false), extended).then(timer('2026-04-23', '2026-04-30', false))
    await given(received, reminded('2026-03-02', true)).then()
    await given(received, answered).then()
    await given(received, refused).then()
  })
})
