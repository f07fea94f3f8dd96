import type { z } from 'zod'
import { events } from '../../domain/audit/accessrequest/messages.ts'
import { date, id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const { subject, right, channel, handler } = events.AccessRequestReceived.shape
const { reason } = events.AccessRequestRefused.shape

const row = object({
  org: id('org'),
  id: id('access request'),
  subject,
  right,
  channel,
  handler,
  status: oneOf('received', 'extended', 'answered', 'refused'),
  received_on: date,
  due_on: date.meta({ description: 'the day by which it must be answered' }),
  extension_reason: reason.optional(),
  reminded_at: timestamp.optional().meta({ description: 'when its handler was reminded last' }),
  ended_at: timestamp.optional().meta({ description: 'when it was answered or refused' }),
  note: events.AccessRequestAnswered.shape.note,
  reason: reason.optional().meta({ description: 'why it was refused' }),
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  AccessRequestReceived: made(({ receivedOn, dueOn, ...data }) => ({
    ...data,
    status: 'received',
    received_on: receivedOn,
    due_on: dueOn,
  })),
  AccessRequestExtended: changed(({ dueOn, reason }) => ({
    status: 'extended',
    due_on: dueOn,
    extension_reason: reason,
  })),
  AccessRequestReminded: changed((_, __, at) => ({ reminded_at: at })),
  AccessRequestAnswered: changed(({ note }, _, at) => ({ status: 'answered', ended_at: at, note })),
  AccessRequestRefused: changed(({ reason }, _, at) => ({ status: 'refused', ended_at: at, reason })),
}

/** One row for each request of a person about their data: by when it is due, and how it ended. */
export const accessRequests = projection({
  name: 'access_requests',
  service: 'audit',
  version: 1,
  history: true,
  of: { accessrequest: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'access request',
      many: 'access requests',
      path: '/access-requests',
      permission: 'access-requests.read',
      names: ['id'],
      order: ['id'],
      filters: ['subject', 'due_on', 'handler', 'ended_at'],
      walked: ['status', 'right'],
      groups: ['status', 'right', 'due_on'],
      summary: {
        list: 'What persons have asked about their data, by when it is due, and how it ended.',
        get: 'A request of a person about their data, by its id.',
      },
    },
  ],
})
