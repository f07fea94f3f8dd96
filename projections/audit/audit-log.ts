import type { z } from 'zod'
import { id, list, object, text, timestamp, unsigned64, uuid } from '../../domain/kernel/schema.ts'
import { eventData } from '../rows/event-data.ts'
import { type Handler, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  position: unsigned64,
  event_id: uuid,
  stream: text(255),
  revision: unsigned64,
  category: text(64),
  id: id('thing'),
  type: text(255),
  actor: text(128),
  roles: list(text(64), 100),
  command_id: uuid,
  correlation_id: text(255),
  at: timestamp,
  data: eventData,
  reason: text(1000).optional().meta({ description: 'why, where the caller said so' }),
})

const every: Handler<z.output<typeof row>, unknown> = {
  append: ({ type, eventId, stream, category, revision, position, metadata, data }) => [
    {
      org: metadata.org,
      position,
      event_id: eventId,
      stream,
      revision,
      category,
      id: metadata.id,
      type,
      actor: metadata.actor.subject,
      roles: [...metadata.actor.roles],
      command_id: metadata.commandId,
      correlation_id: metadata.$correlationId,
      at: metadata.at,
      data: data as Readonly<Record<string, unknown>>,
      reason: (data as { readonly reason?: string }).reason,
    },
  ],
}

/** One row for every domain event: who did what, when, why, by which command. */
export const auditLog = projection({
  name: 'audit_log',
  service: 'audit',
  version: 2,
  history: false,
  of: {},
  row,
  key: ['org', 'position'],
  // The events of a thing, and its last one up to a position: its revision (read-api/revision.ts).
  indexes: [['org', 'category', 'id', 'position']],
  on: {},
  every,
  reads: [
    {
      one: 'audit record',
      many: 'audit records',
      path: '/audit-log',
      permission: 'log.read',
      names: [],
      order: ['position'],
      filters: ['correlation_id'],
      walked: ['category', 'id', 'type', 'actor', 'at'],
      isOfEvents: true,
      groups: ['category', 'type', 'actor', 'at'],
      summary: {
        list: 'Every event of the organization: who did what, when, why, and what changed from what to what.',
      },
    },
  ],
})
