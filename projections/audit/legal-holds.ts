import type { z } from 'zod'
import { events } from '../../domain/audit/erasure/messages.ts'
import { id, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'

const { LegalHoldPlaced: placed, LegalHoldLifted: lifted } = events

const row = object({
  org: id('org'),
  subject: placed.shape.subject,
  matter: placed.shape.matter,
  status: oneOf('placed', 'lifted'),
  reason: placed.shape.reason,
  placed_by: subjectName,
  placed_at: timestamp,
  lifted_by: subjectName.optional(),
  lifted_at: timestamp.optional(),
  lifted_because: lifted.shape.reason.optional(),
  revision: unsigned64,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  SubjectErased: null,
  ErasureCompleted: null,
  LegalHoldPlaced: {
    keys: ({ data, metadata: { org } }) => [{ org, subject: data.subject, matter: data.matter }],
    fold: (_, { data, metadata: { org, actor, at }, revision }) => ({
      org,
      ...data,
      status: 'placed' as const,
      placed_by: actor.subject,
      placed_at: at,
      revision,
    }),
  },
  LegalHoldLifted: {
    keys: ({ data, metadata: { org } }) => [{ org, subject: data.subject, matter: data.matter }],
    fold: (before, event) => ({
      ...existing(before, event),
      status: 'lifted' as const,
      lifted_by: event.metadata.actor.subject,
      lifted_at: event.metadata.at,
      lifted_because: event.data.reason,
      revision: event.revision,
    }),
  },
}

/** One row for each matter that a person's data is or was held for. */
export const legalHolds = projection({
  name: 'legal_holds',
  service: 'audit',
  version: 1,
  history: true,
  of: { erasure: events },
  row,
  key: ['org', 'subject', 'matter'],
  isOfOthers: true,
  on,
  reads: [
    {
      one: 'legal hold',
      many: 'legal holds',
      path: '/legal-holds',
      permission: 'legal-holds.read',
      names: [],
      order: ['subject', 'matter'],
      filters: ['subject', 'placed_at'],
      walked: ['matter', 'status', 'placed_by'],
      groups: ['status', 'matter', 'placed_at'],
      summary: { list: 'Whose data is or was under legal hold, for what, by whom and until when.' },
    },
  ],
})
