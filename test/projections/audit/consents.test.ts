import { consentTimers } from '../../../projections/audit/consent-timers.ts'
import { consents } from '../../../projections/audit/consents.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const what = { subject: 'mira', purpose: 'newsletter' }
const end = '2027-01-31T00:00:00.000Z'
const given_ = { type: 'ConsentGiven', data: { ...what, expiresAt: end } }
const withdrawn = { type: 'ConsentWithdrawn', data: { reason: 'Asked.' } }
const expired = { type: 'ConsentExpired', data: { expiresAt: end } }

describe('rows: consents', () => {
  it('say to what, and how they ended', async () => {
    const { given } = rowsFor(consents)
    await given(given_).then({ ...what, status: 'given', expires_at: end, ended_at: undefined })
    await given(given_, withdrawn).then({ ...what, status: 'withdrawn', reason: 'Asked.' })
    await given(given_, expired).then({ ...what, status: 'expired' })
  })

  it('have a timer for as long as they hold, if they end', async () => {
    const { given } = rowsFor(consentTimers)
    await given(given_).then({ due_at: end, category: 'consent', command: 'expire', body: { expires_at: end } })
    await given({ type: 'ConsentGiven', data: what }).then()
    await given(given_, withdrawn).then()
    await given(given_, expired).then()
  })
})
