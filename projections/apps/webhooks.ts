import type { z } from 'zod'
import { events } from '../../domain/apps/webhook/messages.ts'
import { id, list, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'
import { changed } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('webhook'),
  status: oneOf('active', 'paused', 'disabled', 'removed'),
  url: text(2_000),
  description: text(500).optional(),
  types: list(text(255), 200).optional(),
  categories: list(text(64), 100).optional(),
  owner: text(128).meta({ description: 'who registered it: it is sent what they might read then' }),
  since: unsigned64.meta({ description: 'position after which its events begin' }),
  secret_rotated_at: timestamp.optional(),
  tested_at: timestamp.optional(),
  replayed_upto: unsigned64.optional().meta({
    description: 'position up to which deliveries that were parked were asked for again',
  }),
  revision: unsigned64,
  created_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  WebhookRegistered: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (_, { data: { secret: __, grants: ___, ...data }, metadata: { org, id, at }, position, revision }) => ({
      org,
      id,
      status: 'active',
      ...data,
      types: data.types && [...data.types],
      categories: data.categories && [...data.categories],
      since: position,
      revision,
      created_at: at,
      updated_at: at,
    }),
  },
  WebhookChanged: changed(({ url, description }, row) => ({
    url: url ?? row.url,
    description: description === undefined ? row.description : (description ?? undefined),
  })),
  WebhookSecretRotated: changed((_, __, at) => ({ secret_rotated_at: at })),
  WebhookPaused: changed(() => ({ status: 'paused' })),
  WebhookResumed: changed(() => ({ status: 'active' })),
  WebhookDisabled: changed(() => ({ status: 'disabled' })),
  WebhookTested: changed((_, __, at) => ({ tested_at: at })),
  WebhookReplayAsked: {
    keys: ({ metadata: { org, id } }) => [{ org, id }],
    fold: (row, event) => {
      const { data, metadata, revision, position } = event
      const before = existing(row, event)
      const upto = data.delivery === undefined ? position : before.replayed_upto
      return { ...before, replayed_upto: upto, revision, updated_at: metadata.at }
    },
  },
  WebhookRemoved: changed(() => ({ status: 'removed' })),
}

/** One row per webhook; its secret is in no row. */
export const webhooks = projection({
  name: 'webhooks',
  service: 'apps',
  version: 1,
  history: true,
  of: { webhook: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'webhook',
      many: 'webhooks',
      path: '/webhooks',
      permission: 'webhooks.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'owner', 'created_at'],
      groups: ['status', 'owner'],
      summary: { list: 'The webhooks of the organization.', get: 'A webhook.' },
    },
  ],
})
