import type { z } from 'zod'
import { events } from '../../domain/identity/keybook/messages.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'

const { key, name, owner, scopes, generation, expiresAt, reason } = events.ApiKeyMade.shape

const row = object({
  org: id('org'),
  id: key,
  name,
  owner,
  scopes,
  status: oneOf('active', 'revoked'),
  generation,
  expires_at: expiresAt,
  earlier_until: timestamp.optional().meta({ description: 'until when the secret before the last rotation counts' }),
  made_at: timestamp,
  reason: reason.meta({ description: 'why it is as it is' }),
  revision: unsigned64.meta({ description: 'revision of the list of keys that made it so' }),
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  ApiKeyMade: {
    keys: ({ data: { key }, metadata: { org } }) => [{ org, id: key }],
    fold: (_, { data: { key, expiresAt, ...data }, metadata: { org, at }, revision }) => ({
      ...data,
      org,
      id: key,
      status: 'active',
      expires_at: expiresAt,
      made_at: at,
      revision,
      updated_at: at,
    }),
  },
  ApiKeyRotated: {
    keys: ({ data: { key }, metadata: { org } }) => [{ org, id: key }],
    fold: (row, event) => {
      const { data, metadata, revision } = event
      const { generation, earlierUntil, reason } = data
      const before = existing(row, event)
      return { ...before, generation, earlier_until: earlierUntil, reason, revision, updated_at: metadata.at }
    },
  },
  ApiKeyRevoked: {
    keys: ({ data: { key }, metadata: { org } }) => [{ org, id: key }],
    fold: (row, event) => {
      const { data, metadata, revision } = event
      return { ...existing(row, event), status: 'revoked', reason: data.reason, revision, updated_at: metadata.at }
    },
  },
}

/** One row per API key: whose it is, and what it allows. The keys themselves are nowhere. */
export const apiKeys = projection({
  name: 'api_keys',
  service: 'identity',
  version: 1,
  history: true,
  of: { keybook: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'API key',
      many: 'API keys',
      path: '/api-keys',
      permission: 'keys.read',
      names: [],
      order: ['id'],
      filters: ['owner', 'expires_at'],
      walked: ['status'],
      groups: ['status', 'owner'],
      summary: { list: 'The API keys of the organization: whose they are, what they allow and until when.' },
    },
  ],
})
