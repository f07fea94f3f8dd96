import type { z } from 'zod'
import { events } from '../../domain/hub/mail/messages.ts'
import { id, integer, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('mail'),
  user: id('user'),
  notification: text(64).optional().meta({ description: 'the one that it tells of; none for a digest' }),
  up_to: unsigned64.meta({ description: 'position of the last notification that it can tell of' }),
  status: oneOf('waiting', 'sent', 'parked', 'omitted'),
  attempts: integer(0, 1_000_000),
  last_failure: text(64).optional(),
  due_at: timestamp.optional(),
  revision: unsigned64,
  requested_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  MailRequested: made(({ upTo, ...asked }, at) => ({
    ...asked,
    up_to: upTo,
    status: 'waiting',
    attempts: 0,
    due_at: at,
    requested_at: at,
  })),
  MailSent: changed(({ attempt }) => ({ status: 'sent', attempts: attempt, due_at: undefined })),
  MailFailed: changed(({ attempt, failure, dueAt }) => ({
    status: dueAt === undefined ? 'parked' : 'waiting',
    attempts: attempt,
    last_failure: failure,
    due_at: dueAt,
  })),
  MailOmitted: changed(({ why }) => ({ status: 'omitted', last_failure: why, due_at: undefined })),
}

/** One row per e-mail: what the mailer works through. Its address and its text are in no row. */
export const mails = projection({
  name: 'mails',
  service: 'hub',
  version: 1,
  history: true,
  of: { mail: events },
  row,
  key: ['org', 'id'],
  indexes: [
    ['status', 'due_at'],
    ['org', 'user', 'up_to'],
  ],
  on,
  reads: [
    {
      one: 'mail',
      many: 'mails',
      path: '/mails',
      permission: 'mails.read',
      names: ['id'],
      order: ['id'],
      filters: ['user', 'status', 'last_failure', 'requested_at'],
      groups: ['user', 'status', 'last_failure', 'requested_at'],
      summary: { list: 'The e-mails about notifications, for administrators.', get: 'An e-mail.' },
    },
  ],
})
