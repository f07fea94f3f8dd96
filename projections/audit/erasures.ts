import type { z } from 'zod'
import { events } from '../../domain/audit/erasure/messages.ts'
import { id, object, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { existing, type Handlers, projection } from '../rows/projection.ts'

const { SubjectErased: erased, ErasureCompleted: completed } = events

const row = object({
  org: id('org'),
  subject: erased.shape.subject,
  basis: erased.shape.basis,
  reason: erased.shape.reason,
  erased_by: subjectName,
  erased_at: timestamp,
  keys: completed.shape.keys.optional(),
  files: completed.shape.files.optional(),
  completed_at: timestamp
    .optional()
    .meta({ description: 'when the key and the files were gone; before, it is under way' }),
  revision: unsigned64,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  SubjectErased: {
    keys: ({ data, metadata: { org } }) => [{ org, subject: data.subject }],
    fold: (_, { data, metadata: { org, actor, at }, revision }) => ({
      org,
      ...data,
      erased_by: actor.subject,
      erased_at: at,
      revision,
    }),
  },
  ErasureCompleted: {
    keys: ({ data, metadata: { org } }) => [{ org, subject: data.subject }],
    fold: (row, event) => ({
      ...existing(row, event),
      keys: event.data.keys,
      files: event.data.files,
      completed_at: event.metadata.at,
      revision: event.revision,
    }),
  },
  LegalHoldPlaced: null,
  LegalHoldLifted: null,
}

/** One row for each person whose data was erased: the receipt of the erasure. */
export const erasures = projection({
  name: 'erasures',
  service: 'audit',
  version: 1,
  history: true,
  of: { erasure: events },
  row,
  key: ['org', 'subject'],
  isOfOthers: true,
  on,
  reads: [
    {
      one: 'erasure',
      many: 'erasures',
      path: '/erasures',
      permission: 'erasures.read',
      names: [],
      order: ['subject'],
      filters: ['subject', 'erased_at'],
      walked: ['basis', 'erased_by'],
      groups: ['basis', 'erased_by', 'erased_at'],
      summary: { list: 'Whose personal data was erased, by whom and why, and when it was done: the receipts.' },
    },
  ],
})
