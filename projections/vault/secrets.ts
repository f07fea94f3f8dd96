import type { z } from 'zod'
import { id, integer, list, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { reason } from '../../domain/record/reason.ts'
import { events, secretId, VERSIONS_MAX } from '../../domain/vault/secret/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const { environment, name, description, owner, rotateDays, readers, version, dueAt } = events.SecretCreated.shape

const row = object({
  org: id('org'),
  id: secretId,
  environment,
  name,
  description,
  owner,
  rotate_days: rotateDays,
  readers,
  status: oneOf('kept', 'removed'),
  version: version.meta({ description: 'the latest' }),
  versions: list(integer(1, 1_000_000), VERSIONS_MAX).meta({ description: 'those whose values are kept' }),
  rotated_at: timestamp.meta({ description: 'when the latest version came' }),
  due_at: dueAt.meta({ description: 'when its owner is reminded next to rotate it' }),
  reminded_at: timestamp.optional().meta({ description: 'when its owner was reminded last' }),
  reason: reason.optional().meta({ description: 'why it is as it is' }),
  revision: unsigned64,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  SecretCreated: made(({ rotateDays, dueAt, value: _, version, ...data }, at) => ({
    ...data,
    rotate_days: rotateDays,
    status: 'kept',
    version,
    versions: [version],
    rotated_at: at,
    due_at: dueAt,
  })),
  SecretChanged: changed(({ description, owner, rotateDays, readers, dueAt, reason }, row) => ({
    description: description === undefined ? row.description : (description ?? undefined),
    owner: owner ?? row.owner,
    rotate_days: rotateDays === undefined ? row.rotate_days : (rotateDays ?? undefined),
    readers: readers === undefined ? row.readers : (readers ?? undefined),
    due_at: dueAt,
    reason,
  })),
  SecretRotated: changed(({ version, dueAt, reason }, { versions }, at) => ({
    version,
    versions: [...versions, version],
    rotated_at: at,
    due_at: dueAt,
    reason,
  })),
  SecretRotationDue: changed(({ nextAt }, _, at) => ({ due_at: nextAt, reminded_at: at })),
  SecretLeased: null,
  SecretLeaseRenewed: null,
  SecretLeaseEnded: null,
  SecretVersionDestroyed: changed(({ version, reason }, { versions }) => ({
    versions: versions.filter(each => each !== version),
    reason,
  })),
  SecretRemoved: changed(({ reason }) => ({ status: 'removed', versions: [], due_at: undefined, reason })),
}

/** One row for each secret: what is known of it. Values are nowhere here. */
export const secrets = projection({
  name: 'secrets',
  service: 'vault',
  version: 1,
  history: true,
  of: { secret: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'secret',
      many: 'secrets',
      path: '/secrets',
      permission: 'secrets.read',
      names: ['id'],
      order: ['id'],
      filters: ['environment', 'name', 'owner', 'due_at'],
      walked: ['status'],
      groups: ['environment', 'status', 'owner'],
      summary: {
        list: 'The secrets of the organization: for which environment, whose, and when they should be rotated.',
        get: 'One secret, without its value: that is shown by leases alone.',
      },
    },
  ],
})
