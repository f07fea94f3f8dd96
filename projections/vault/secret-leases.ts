import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/vault/secret/messages.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'

const { lease, version, holder, until, purpose } = events.SecretLeased.shape

const row = object({
  org: id('org'),
  id: lease,
  secret: id('secret'),
  version,
  holder: holder.meta({ description: 'who read it' }),
  purpose,
  at: timestamp.meta({ description: 'when it was shown' }),
  until,
  ended_at: timestamp
    .optional()
    .meta({ description: 'when the holder, or an administrator, has ended it, or what it is of' }),
  revision: unsigned64.meta({ description: 'revision of the secret that made it so' }),
  updated_at: timestamp,
})

type Row = z.output<typeof row>
type Of<D> = DomainEvent<string, D>

const keys = ({ data, metadata: { org } }: Of<{ readonly lease: string }>) => [{ org, id: data.lease }]

/** The event changes the rows that it has keys of. */
const changed =
  <D>(changes: (event: Of<D>) => Partial<Row>) =>
  (row: Row | undefined, event: Of<D>): Row => {
    const { metadata, revision } = event
    return { ...existing(row, event), ...changes(event), revision, updated_at: metadata.at }
  }

/** The event ends leases before their time. */
const ends = {
  keys: ({ data, metadata: { org } }: Of<{ readonly leases?: readonly string[] | undefined }>) =>
    (data.leases ?? []).map(id => ({ org, id })),
  fold: changed(({ metadata }) => ({ ended_at: metadata.at })),
}

const on: Handlers<Row, typeof events> = {
  SecretCreated: null,
  SecretChanged: null,
  SecretRotated: null,
  SecretRotationDue: null,
  SecretLeased: {
    keys,
    fold: (_, { data, metadata: { org, id, at }, revision }) => {
      const { lease, version, holder, until, purpose } = data
      return { org, id: lease, secret: id, version, holder, purpose, at, until, revision, updated_at: at }
    },
  },
  SecretLeaseRenewed: { keys, fold: changed(({ data }) => ({ until: data.until })) },
  SecretLeaseEnded: { keys, fold: changed(({ metadata }) => ({ ended_at: metadata.at })) },
  SecretVersionDestroyed: ends,
  SecretRemoved: ends,
}

/** One row for each lease of a secret: who read which version, when and what for. */
export const secretLeases = projection({
  name: 'secret_leases',
  service: 'vault',
  version: 1,
  history: true,
  of: { secret: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'secret lease',
      many: 'secret leases',
      path: '/secret-leases',
      permission: 'leases.read',
      names: [],
      order: ['at', 'id'],
      filters: ['secret', 'holder', 'until'],
      groups: ['secret', 'holder'],
      summary: { list: 'Who read which secret, when, what for and until when: the access log of the vault.' },
    },
  ],
})
