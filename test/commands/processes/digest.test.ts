import { digestProcess } from '../../../commands/processes/hub/digest.ts'
import { processSpec } from '../../support/process-spec.ts'

describe('the process of digests', () => {
  const { given } = processSpec(digestProcess)
  const daily = { every: 'day', hour: 8, zone: 'Europe/Berlin' }
  const due = {
    type: 'InboxDigestDue',
    data: { due: '2026-02-01T07:00:00.000Z', next: '2026-02-02T07:00:00.000Z' },
  } as const

  it('requests a mail of all that came up to the event', () =>
    given({ type: 'InboxOpened', data: {} }, { type: 'InboxDigestSet', data: { ...daily, next: due.data.due } })
      .when(due)
      .then(['mail.request', '00000000-0000-4000-8000-000000000002', { user: 'thing-1', upTo: 2n }]))
})
