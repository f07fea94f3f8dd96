import type { z } from 'zod'
import { events, selection } from '../../domain/audit/export/messages.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { column, id, list, object, oneOf, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { subjectName } from '../../domain/record/subject.ts'
import { existing, type Handler, type Handlers, projection } from '../rows/projection.ts'

const { ExportCompleted: completed, ExportFailed: failed, ExportProgressed: progressed } = events
const { disclosure, recipient, basis, reason } = events.SealedFieldsDisclosed.shape

const row = object({
  org: id('org'),
  id: id('export'),
  state: oneOf('requested', 'running', 'completed', 'failed'),
  selection: column(selection, 'jsonb')
    .optional()
    .meta({ description: 'what its events are selected by; absent where it has all events of the organization' }),
  events: progressed.shape.events.optional().meta({ description: 'events that are written, by the last word of it' }),
  position: unsigned64.optional().meta({ description: 'position up to which the log was read' }),
  head: unsigned64.optional().meta({ description: 'position of the last event that it is about' }),
  left_out: completed.shape.leftOut.meta({ description: 'events that are not selected: their headers are there' }),
  not_readable: completed.shape.notReadable,
  bytes: unsigned64.optional().meta({ description: 'bytes of the archive' }),
  sha256: completed.shape.sha256.optional(),
  code: failed.shape.code.optional().meta({ description: 'why it failed' }),
  reason: failed.shape.reason.optional(),
  disclosures: list(
    object({ disclosure, recipient, basis, reason, disclosed_by: subjectName, disclosed_at: timestamp }),
    10_000,
  ).meta({ description: 'for whom its sealed fields were opened' }),
  requested_by: subjectName,
  requested_at: timestamp,
  ended_at: timestamp.optional(),
  revision: unsigned64,
})
type Row = z.output<typeof row>

/** Changes the row of the export that an event names; `null` removes it. */
const changed = <D extends { readonly export: string }>(
  fields: (event: DomainEvent<string, D>, row: Row) => Partial<Row> | null,
): Handler<Row, D> => ({
  keys: ({ data, metadata: { org } }) => [{ org, id: data.export }],
  fold(row, event) {
    const more = fields(event, existing(row, event))
    return more && { ...existing(row, event), ...more, revision: event.revision }
  },
})

const on: Handlers<Row, typeof events> = {
  ExportRequested: {
    keys: ({ data, metadata: { org } }) => [{ org, id: data.export }],
    fold: (_, { data, metadata: { org, actor, at }, revision }) => ({
      org,
      id: data.export,
      state: 'requested',
      selection: data.selection,
      disclosures: [],
      requested_by: actor.subject,
      requested_at: at,
      revision,
    }),
  },
  ExportProgressed: changed(({ data: { events, position, head } }) => ({ state: 'running', events, position, head })),
  ExportCompleted: changed(({ data: { leftOut, notReadable, ...data }, metadata: { at } }) => ({
    state: 'completed',
    events: data.events,
    left_out: leftOut,
    not_readable: notReadable,
    bytes: data.bytes,
    sha256: data.sha256,
    position: data.head,
    head: data.head,
    ended_at: at,
  })),
  ExportFailed: changed(({ data: { code, reason }, metadata: { at } }) => ({
    state: 'failed',
    code,
    reason,
    ended_at: at,
  })),
  ExportRemoved: changed(() => null),
  SealedFieldsDisclosed: changed(({ data: { export: _, ...data }, metadata: { actor, at } }, { disclosures }) => ({
    disclosures: [...disclosures, { ...data, disclosed_by: actor.subject, disclosed_at: at }],
  })),
}

/** One row for each export that auditors ordered: how far it is, what it holds, and for whom it was opened. */
export const auditExports = projection({
  name: 'audit_exports',
  service: 'audit',
  version: 2,
  history: true,
  of: { export: events },
  row,
  key: ['org', 'id'],
  isOfOthers: true,
  indexes: [['state', 'requested_at']],
  on,
  reads: [
    {
      one: 'audit export',
      many: 'audit exports',
      path: '/audit/exports',
      permission: 'exports.read',
      names: ['id'],
      order: ['id'],
      filters: ['requested_at'],
      walked: ['state', 'requested_by'],
      groups: ['state', 'requested_by'],
      summary: {
        list: 'The audit exports of the organization, each with how far it is.',
        get: 'An audit export: how far it is, what it holds, and for whom its sealed fields were opened.',
      },
    },
  ],
})
