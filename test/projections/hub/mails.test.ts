import { mails } from '../../../projections/hub/mails.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

describe('rows: mails', () => {
  const { given } = rowsFor(mails)
  const requested = { type: 'MailRequested', data: { user: 'mira', upTo: 7n } }
  const failed = (attempt: number, dueAt?: string) => ({
    type: 'MailFailed',
    data: { attempt, failure: 'timeout', latencyMs: 5, ...(dueAt && { dueAt }) },
  })

  it('say when a mail is tried again, and how it ended', async () => {
    const waiting = { user: 'mira', up_to: 7n, status: 'waiting', attempts: 0, due_at: CONTEXT.at }
    await given(requested).then(waiting)
    const later = '2026-01-31T12:01:00.000Z'
    await given(requested, failed(1, later)).then({
      status: 'waiting',
      attempts: 1,
      last_failure: 'timeout',
      due_at: later,
    })
    await given(requested, failed(1)).then({ status: 'parked', attempts: 1, due_at: undefined })
    await given(requested, { type: 'MailSent', data: { attempt: 1, latencyMs: 5 } }).then({
      status: 'sent',
      attempts: 1,
    })
    await given(requested, { type: 'MailOmitted', data: { why: 'no_address' } }).then({
      status: 'omitted',
      last_failure: 'no_address',
      due_at: undefined,
    })
  })
})
