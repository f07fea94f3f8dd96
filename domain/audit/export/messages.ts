/** The storage and wire contract of audit exports: add, never rename. */
import { id, integer, list, object, oneOf, refined, text, timestamp, unsigned64 } from '../../kernel/schema.ts'
import { subjectName } from '../../record/subject.ts'
import { CATEGORIES } from './categories.ts'

const exportId = id('export')
/** `summary` is a path of the list of exports. */
const newId = refined(exportId, name => name !== 'summary', 'must not be summary, which is a path of the list')
const count = integer(0, 2 ** 31 - 1)

/** An event is selected where it fits every part that is there, and one of its values. */
const parts = {
  categories: list(oneOf(...CATEGORIES), 1_000, 1)
    .optional()
    .meta({ description: 'only events of these kinds of things' }),
  streams: list(text(255), 1_000, 1).optional().meta({ description: 'only events of these streams of the log' }),
  actors: list(subjectName, 1_000, 1).optional().meta({ description: 'only events that these users caused' }),
  subjects: list(subjectName, 1_000, 1)
    .optional()
    .meta({ description: 'only events that hold sealed data of these persons' }),
  from: timestamp.optional().meta({ description: 'only events from this instant on' }),
  to: timestamp.optional().meta({ description: 'only events before this instant' }),
  from_position: unsigned64.optional().meta({ description: 'only events from this position of the log on' }),
  up_to_position: unsigned64.optional().meta({ description: 'only events up to this position, and with it' }),
}
export const selection = object(parts)

/** The legal basis of a disclosure: of article 6 (1) of the GDPR, in its order, and the law of other places. */
const basis = oneOf(
  'consent',
  'contract',
  'legal_obligation',
  'vital_interests',
  'public_task',
  'legitimate_interests',
  'other_law',
).meta({
  description:
    'the legal basis: of article 6 (1) of the GDPR (a) `consent`, (b) `contract`, (c) `legal_obligation`, ' +
    '(d) `vital_interests`, (e) `public_task`, (f) `legitimate_interests`; or `other_law`, which the reason names',
})
const disclosure = object({
  export: exportId,
  disclosure: id('disclosure'),
  recipient: text(200).meta({ description: 'who gets the opened texts: a name and an office, kept for ever' }),
  basis,
  reason: text(1000).meta({ description: 'why, for the audit log, which keeps it for ever' }),
})

export const events = {
  ExportRequested: object({ export: exportId, selection: selection.optional() }),
  ExportProgressed: object({ export: exportId, events: count, position: unsigned64, head: unsigned64 }),
  ExportCompleted: object({
    export: exportId,
    events: count,
    leftOut: count.optional(),
    notReadable: text(1000).optional().meta({ description: 'why it has no page, no tables and no cover for people' }),
    bytes: unsigned64,
    sha256: text(64).meta({ description: 'SHA-256 of the archive' }),
    head: unsigned64,
  }),
  ExportFailed: object({ export: exportId, code: text(64), reason: text(1000) }),
  ExportRemoved: object({ export: exportId }),
  SealedFieldsDisclosed: disclosure,
} as const

export const commands = {
  request: object({ export: newId.optional(), ...parts }).meta({
    examples: [{ export: 'wallets-2026', categories: ['wallet', 'transfer'], from: '2026-01-01T00:00:00.000Z' }],
  }),
  progress: events.ExportProgressed,
  complete: events.ExportCompleted,
  fail: events.ExportFailed,
  remove: object({ export: exportId }),
  disclose: disclosure.extend({ disclosure: id('disclosure').optional() }).meta({
    examples: [
      {
        export: 'wallets-2026',
        recipient: 'Ada Stern, tax office of Leipzig',
        basis: 'legal_obligation',
        reason: 'Audit order 2026-7.',
      },
    ],
  }),
} as const

export const rejections = [
  'export_exists',
  'export_unknown',
  'export_not_completed',
  'export_period_empty',
  'exports_running',
  'disclosure_exists',
  'disclosures_too_many',
] as const
