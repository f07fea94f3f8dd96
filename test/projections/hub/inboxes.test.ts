import { inboxes } from '../../../projections/hub/inboxes.ts'
import { rowsFor } from '../../support/rows-spec.ts'

describe('rows: inboxes', () => {
  const { given } = rowsFor(inboxes)
  const opened = { type: 'InboxOpened', data: {} }
  const preferred = (kind: string, wanted: boolean) => ({
    type: 'NotificationPreferenceChanged',
    data: { kind, channel: 'in_app', wanted },
  })

  it('know up to where all is read, and what was said last of each kind', () =>
    given(
      opened,
      { type: 'NotificationRead', data: { notification: 'a.0' } },
      { type: 'NotificationsRead', data: { upTo: 7n } },
      preferred('mentioned', false),
      preferred('task_assigned', false),
      preferred('mentioned', true),
    ).then({
      read_to: 7n,
      preferences: [
        { kind: 'task_assigned', channel: 'in_app', wanted: false },
        { kind: 'mentioned', channel: 'in_app', wanted: true },
      ],
      revision: 5n,
    }))
})
