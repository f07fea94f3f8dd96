import { z } from 'zod'
import { administrationTypes } from '../../domain/audit/administration.ts'
import { column, id, list, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { eventData } from '../rows/event-data.ts'
import { type Handler, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  position: unsigned64,
  event_id: column(z.uuid(), 'uuid'),
  stream: text(255),
  revision: unsigned64,
  category: text(64),
  id: id('thing'),
  type: text(255),
  actor: text(128),
  on_behalf_of: text(128)
    .optional()
    .meta({ description: 'who caused what a process or a timer did: the caller at the beginning of its chain' }),
  roles: list(text(64), 100),
  command_id: column(z.uuid(), 'uuid'),
  correlation_id: text(255),
  causation_id: text(255).meta({
    description: 'the event that led to the command, of what a process or a timer did; else the command itself',
  }),
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
      on_behalf_of: metadata.behalf?.subject,
      roles: [...metadata.actor.roles],
      command_id: metadata.commandId,
      correlation_id: metadata.$correlationId,
      causation_id: metadata.$causationId,
      at: metadata.at,
      data: data as Readonly<Record<string, unknown>>,
      reason: (data as { readonly reason?: string }).reason,
    },
  ],
}

const walked = ['position', 'category', 'id', 'type', 'actor', 'on_behalf_of', 'roles', 'at'] as const
const groups = ['category', 'type', 'actor', 'at'] as const

/** One row for every domain event: who did what, when, why, by which command. */
export const auditLog = projection({
  name: 'audit_log',
  service: 'audit',
  version: 4,
  history: false,
  of: {},
  row,
  key: ['org', 'position'],
  // The events of a thing, and its last one up to a position: its revision (read-api/revision.ts). Ids come first,
  // because what differs early is sorted in half the time.
  // What one request led to: clients choose the value, and a tree takes equal ones as quickly as any others.
  indexes: [
    ['id', 'category', 'org', 'position'],
    ['correlation_id', 'org'],
  ],
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
      walked: ['correlation_id', ...walked],
      isOfEvents: true,
      groups,
      summary: {
        list: 'Every event of the organization: who did what, when, why, and what changed from what to what.',
      },
    },
    {
      one: 'administrative act',
      many: 'administrative acts',
      path: '/administration',
      permission: 'log.read',
      names: [],
      order: ['position'],
      where: { type: administrationTypes },
      walked,
      isOfEvents: true,
      groups,
      summary: {
        list:
          'What was done to rights, to the rules of money, to ways out of the system and personal data: the rows of ' +
          'the audit log whose types of events are declared to be administration.',
      },
    },
  ],
})
