import type { z } from 'zod'
import { WEEKDAYS } from '../../domain/hub/inbox/email.ts'
import { events } from '../../domain/hub/inbox/messages.ts'
import {
  boolean,
  column,
  id,
  integer,
  list,
  object,
  oneOf,
  sealed,
  text,
  timestamp,
  unsigned64,
} from '../../domain/kernel/schema.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const preference = object({ kind: text(64), channel: text(64), wanted: boolean })

const row = object({
  org: id('org'),
  id: id('user'),
  read_to: unsigned64.meta({ description: 'all notifications up to this position are read' }),
  preferences: list(preference, 1_000).meta({ description: 'what was said of kinds; all else is wanted' }),
  email: sealed.optional(),
  email_since: unsigned64.optional().meta({ description: 'position after which notifications are e-mailed' }),
  digest: column(
    object({
      every: oneOf('day', 'week'),
      weekday: oneOf(...WEEKDAYS).optional(),
      hour: integer(0, 23),
      zone: text(64),
      next: timestamp,
    }),
    'jsonb',
  ).optional(),
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  InboxOpened: made(() => ({ read_to: 0n, preferences: [] })),
  NotificationRead: changed(() => ({})),
  NotificationsRead: changed(({ upTo }) => ({ read_to: upTo })),
  NotificationPreferenceChanged: changed((preference, { preferences }) => ({
    preferences: [
      ...preferences.filter(({ kind, channel }) => kind !== preference.kind || channel !== preference.channel),
      preference,
    ],
  })),
  InboxEmailSet: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (row, event) => {
      const { data, position, revision, metadata } = event
      const before = existing(row, event)
      const since = before.email_since ?? position
      return { ...before, email: data.email, email_since: since, revision, updated_at: metadata.at }
    },
  },
  InboxEmailRemoved: changed(() => ({ email: undefined, email_since: undefined })),
  InboxDigestSet: changed(digest => ({ digest })),
  InboxDigestStopped: changed(() => ({ digest: undefined })),
  InboxDigestDue: changed(({ next }, { digest }) => ({ digest: digest && { ...digest, next } })),
}

/** One row per inbox: up to where its user has read everything, and which notifications they want. */
export const inboxes = projection({
  name: 'inboxes',
  service: 'hub',
  version: 2,
  history: true,
  of: { inbox: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'inbox',
      many: 'inboxes',
      path: '/inboxes',
      permission: 'inboxes.read',
      names: ['id'],
      order: ['id'],
      summary: { list: 'The inboxes of all users, for administrators.', get: 'The inbox of a user.' },
    },
  ],
})
