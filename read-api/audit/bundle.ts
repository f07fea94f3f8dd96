/**
 * The form of an audit export: a folder of files. `events.ndjson` holds one event a line, as RFC 8785 canonical JSON of
 * what the log stores (never upcast); `events.sha256` the SHA-256 of each of those lines, so that a change is found by
 * its line; `schemas.json` the JSON Schema of each type of event. `manifest.json` says what they hold and which of them
 * operators decided to skip, with the SHA-256 of every file, and its own, and the checkpoint that the notary has signed
 * of the org's events; `manifest.note` is its signature. An export of a selection has the other events of the org as
 * well, each as its header: all but the data, of which the SHA-256 stands there.
 */
import { hash as digest } from 'node:crypto'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { canonicalJson, type Json } from '../../domain/kernel/json.ts'
import { id, text, timestamp, unsigned64, uuid } from '../../domain/kernel/schema.ts'
import { digestOf, type EventHeader } from '../../projections/notary/leaf.ts'
import type { Skips } from '../../projections/rows/fold.ts'
import { selectionSchema } from './selection.ts'

export const MANIFEST = 'manifest.json'
export const EVENTS = 'events.ndjson'
export const HASHES = 'events.sha256'
export const SCHEMAS = 'schemas.json'
export const SIGNATURE = 'manifest.note'

/** The files of an export, as its manifest names them. */
export const ownFiles = ({ files, signed }: Pick<Manifest, 'files' | 'signed'>): readonly string[] => [
  MANIFEST,
  ...(signed ? [SIGNATURE] : []),
  ...files.map(({ name }) => name),
]

/**
 * Grows when the form changes: a reader refuses a version that it does not know. Version 1 had no skips, version 2 no
 * checkpoint; before version 5 there was no signature and nothing but the events and their hashes, and one of a
 * selection was of version 4, all others of 3. An export with a cosigned checkpoint is of version 6.
 */
export const FORMAT = { format: 'kogi-audit-export', version: 5 } as const
/** The version of an export that has a cosigned checkpoint. */
export const COSIGNED_VERSION = 6

/** Names of files: none leads out of the folder. */
const FILE = /^([a-z0-9_-]+\/)?[a-z0-9_-]+(\.[a-z0-9]+)+$/
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const count = z.int().min(0)

/** An operator's decision that a projection goes past one event: replays go past it too. */
export const skipSchema = z.strictObject({
  projection: text(64),
  position: unsigned64,
  reason: text(10_000),
  actor: text(255),
  at: timestamp,
})
export type SkipEntry = z.output<typeof skipSchema>

const manifestShape = z.strictObject({
  format: z.literal(FORMAT.format),
  version: z.literal([1, 2, 3, 4, FORMAT.version, COSIGNED_VERSION]),
  org: id('org'),
  made_at: timestamp,
  /** Positions of the org's first and last event, and up to where the log was read. */
  range: z.strictObject({ first: unsigned64, last: unsigned64, head: unsigned64 }),
  events: count,
  /** What the events were selected by, and how many others the org has: their headers are there. */
  selection: selectionSchema.optional(),
  left_out: count.optional(),
  types: z.record(z.string(), count),
  categories: z.record(z.string(), count),
  /** Ordered by position and projection, each of an event of the export, or of one that a selection leaves out. */
  skips: z.array(skipSchema).optional(),
  /** The last signed checkpoint of the org's part of the log; null where it had none. */
  checkpoint: text(100_000).nullable().optional(),
  /** The last checkpoint of the org that witnesses have cosigned, with their cosignatures; absent where it has none. */
  cosigned: text(100_000).optional(),
  /** Whether a signature stands beside the manifest: none where the log has no keys. */
  signed: z.boolean().optional(),
  /** The version of Kogi that made it, and of each read model that rows follow by from the events. */
  code: text(100).optional(),
  projections: z.array(z.strictObject({ name: text(64), version: z.int().min(1) })).optional(),
  files: z.array(z.strictObject({ name: z.string().regex(FILE), bytes: count, lines: count.optional(), sha256: hash })),
  /** SHA-256 of the canonical manifest without this field. */
  digest: hash,
})
export const manifestSchema = manifestShape.refine(manifest => {
  const {
    version,
    skips,
    checkpoint,
    cosigned,
    selection,
    left_out: leftOut,
    signed,
    code,
    projections,
    files,
  } = manifest
  if ((checkpoint !== undefined) !== version >= 3) return false
  if (cosigned === undefined ? version === COSIGNED_VERSION : version < FORMAT.version) return false
  const isSelected = version >= FORMAT.version ? selection !== undefined : version === 4
  if ((selection !== undefined) !== isSelected || (leftOut !== undefined) !== isSelected) return false
  if ([signed, code, projections].some(part => (part !== undefined) !== version >= FORMAT.version)) return false
  const names = new Set(files.map(({ name }) => name))
  if (version < FORMAT.version && files.some(({ name }) => name !== EVENTS && name !== HASHES)) return false
  if (names.size !== files.length || names.has(MANIFEST) || names.has(SIGNATURE)) return false
  return version === 1 ? skips === undefined : skips !== undefined && inOrder(skips)
})
export type Manifest = z.output<typeof manifestShape>
export type FileEntry = Manifest['files'][number]

/** Orders skips by position, then by projection. */
export const bySkip = (a: SkipEntry, b: SkipEntry): number =>
  a.position !== b.position ? (a.position < b.position ? -1 : 1) : a.projection < b.projection ? -1 : 1

const inOrder = (skips: readonly SkipEntry[]): boolean =>
  skips.every((skip, at) => {
    const before = skips[at - 1]
    const same = before?.position === skip.position && before.projection === skip.projection
    return before === undefined || (!same && bySkip(before, skip) < 0)
  })

/** The positions that a manifest says to skip, by the projection's name. */
export function skipsOf({ skips = [] }: Manifest): Skips {
  const positions = new Map<string, Set<bigint>>()
  for (const { projection, position } of skips) {
    positions.set(projection, (positions.get(projection) ?? new Set()).add(position))
  }
  return positions
}

const who = z.strictObject({ subject: text(255), roles: z.array(z.string()), teams: z.array(z.string()).optional() })

/** The metadata that Kogi gives an event. It may grow fields. */
export const metadataSchema = z.looseObject({
  $correlationId: text(255),
  $causationId: text(255),
  commandId: uuid,
  fingerprint: hash,
  org: id('org'),
  id: id('thing'),
  actor: who,
  behalf: who.optional(),
  subjects: z.array(z.string()),
  at: timestamp,
  schema: z.int().min(1),
})

/**
 * The wire form of a line of `events.ndjson`, which is closed. Other programs may have written to the log: data and
 * metadata of any form may stand there, and whether they are those of an event of Kogi is another question.
 */
export const lineSchema = z.strictObject({
  stream: text(255).regex(/^[a-z_]+-./),
  revision: unsigned64,
  position: unsigned64,
  id: uuid,
  type: text(255),
  metadata: z.looseObject({ org: id('org') }),
  data: z.json(),
})

/** The wire form of the line of an event that is left out of a selection. */
export const headerSchema = lineSchema.omit({ data: true }).extend({ data_sha256: hash })

/** What is wrong with an export, with the file and the line where that shows. Codes are stable and append-only. */
export class AuditFault extends KogiError {
  readonly file: string | undefined
  readonly line: number | undefined

  constructor(code: AuditCode, message: string, place: { file?: string; line?: number } = {}) {
    super(code, message)
    this.file = place.file
    this.line = place.line
  }
}

export const auditCodes = [
  'output_exists',
  'output_not_an_export',
  'org_empty',
  'folder_unreadable',
  'manifest_missing',
  'manifest_invalid',
  'manifest_changed',
  'manifest_mismatch',
  'file_missing',
  'file_extra',
  'file_changed',
  'line_changed',
  'line_inserted',
  'line_missing',
  'line_duplicated',
  'line_reordered',
  'tail_truncated',
  'line_not_canonical',
  'line_invalid',
  'event_unknown',
  'foreign_org',
  'revision_gap',
  'stream_misnamed',
  'event_id_wrong',
  'command_repeated',
  'live_behind',
  'live_ahead',
  'live_differs',
  'skip_unknown',
  'live_skips_differ',
  'seal_missing',
  'seal_untrusted',
  'seal_broken',
  'selection_incomplete',
  'selection_exceeded',
  'selection_not_whole',
  'signature_missing',
  'signature_wrong',
  'entry_unbalanced',
  'rules_broken',
  'witnesses_missing',
] as const
export type AuditCode = (typeof auditCodes)[number]

export const sha256 = (bytes: string | Uint8Array): string => digest('sha256', bytes)

/** An event as its line, without the end of the line. */
export const lineOf = ({ stream, revision, position, eventId, type, metadata, data }: StoredEvent): string =>
  canonicalJson({ stream, revision, position, id: eventId, type, metadata, data })

/** An event without its data as its line. */
export const headerLineOf = ({ stream, revision, position, eventId, type, metadata, data }: StoredEvent): string =>
  canonicalJson({ stream, revision, position, id: eventId, type, metadata, data_sha256: digestOf(data) })

/** The event of a parsed line that `lineSchema` accepts. */
export function eventOf(line: Json): StoredEvent {
  const { stream, type, id, revision, position, metadata, data } = line as unknown as z.input<typeof lineSchema>
  const event = { type, data, metadata, eventId: id, stream, revision: BigInt(revision), position: BigInt(position) }
  return event as unknown as StoredEvent
}

/** An event that is left out of a selection. */
export type LeftOut = { readonly header: EventHeader; readonly dataSha256: string }

/** The event of a parsed line that `headerSchema` accepts. */
export function leftOutOf(line: Json): LeftOut {
  const { data_sha256: dataSha256, ...rest } = line as unknown as z.input<typeof headerSchema>
  const { data: _, ...header } = eventOf({ ...rest, data: null } as Json)
  return { header, dataSha256 }
}

/** The text of a manifest: canonical, with its own digest. */
export function manifestText(manifest: Omit<Manifest, 'digest'>): string {
  return `${canonicalJson({ ...manifest, digest: sha256(canonicalJson(manifest)) })}\n`
}
