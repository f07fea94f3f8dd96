import { mail } from '../../../domain/hub/mail/mail.ts'
import { specFor } from '../../support/spec.ts'

const LATER = '2026-01-31T12:01:00.000Z'
const asked = { user: 'mira', notification: 'a.0', upTo: 7n }
const requested = { type: 'MailRequested', data: asked } as const
const failed = (attempt: number, dueAt?: string) =>
  ({ type: 'MailFailed', data: { attempt, failure: 'timeout', latencyMs: 12, ...(dueAt && { dueAt }) } }) as const
const sent = (attempt: number) => ({ type: 'MailSent', data: { attempt, latencyMs: 9 } }) as const
const omitted = { type: 'MailOmitted', data: { why: 'nothing_new' } } as const

describe('mail', () => {
  const { given } = specFor(mail)

  it('is requested once', () => {
    given().when('request', asked).then(requested)
    given(requested).when('request', asked).changesNothing()
  })
  it('takes each attempt once, and none after its end', () => {
    given(requested).when('fail', failed(1, LATER).data).then(failed(1, LATER))
    given(requested, failed(1, LATER)).when('succeed', sent(2).data).then(sent(2))
    given(requested, failed(1, LATER)).when('succeed', sent(1).data).changesNothing()
    given(requested, sent(1)).when('fail', failed(2).data).changesNothing()
    given(requested, failed(1)).when('succeed', sent(2).data).changesNothing()
  })
  it('is left out while it waits', () => {
    given(requested).when('omit', omitted.data).then(omitted)
    given(requested, sent(1)).when('omit', omitted.data).changesNothing()
    given(requested, omitted).when('succeed', sent(1).data).changesNothing()
  })
})
