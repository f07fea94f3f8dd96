import { digestTimers } from '../../../projections/hub/digest-timers.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: timers of digests', () => {
  const { given } = rowsFor(digestTimers)
  const [first, second] = ['2026-02-01T07:00:00.000Z', '2026-02-02T07:00:00.000Z'] as const
  const set = { type: 'InboxDigestSet', data: { every: 'day', hour: 8, zone: 'Europe/Berlin', next: first } }
  const due = { type: 'InboxDigestDue', data: { due: first, next: second } }
  const timer = (at: string) => ({ due_at: at, category: 'inbox', command: 'sendDigest', body: { due: at } })

  it('are set for the next time, and cleared where there is none', async () => {
    await given(set).then(timer(first))
    await given(set, due).then(timer(second))
    await given(set, { type: 'InboxDigestStopped', data: {} }).then()
  })
})
