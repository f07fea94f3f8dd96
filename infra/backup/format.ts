/** What a backup is: a folder of files, and a manifest, written last, that counts and digests them. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'

/** Number of the form that this code writes, and the newest that it reads. One of the form 1 has no files of items. */
export const FORMAT = 2
const FORMATS: readonly unknown[] = [1, FORMAT]

export const MANIFEST = 'manifest.json'
/** One event a line, in the order of the log, in the form of `kogi store export`. */
export const EVENTS = 'events.ndjson'
/** One key of a data subject a line. */
export const KEYS = 'keys.ndjson'
/** The settings of the process that made the backup, without those that may hold a password. */
export const SETTINGS = 'settings.json'
/** One file of an item a line: organization, digest and bytes. */
export const FILES = 'files.ndjson'
/** Folder of the bytes of files, each under its digest. */
export const FOLDER = 'files'
/** The files of a backup beside its manifest, those that every backup has first. */
const PARTS = [EVENTS, KEYS, SETTINGS, FILES] as const
/** All files of a backup, and the folder in it. */
export const OWN_FILES: readonly string[] = [MANIFEST, ...PARTS, FOLDER]

const count = z.int().min(0)
const position = z.string().regex(/^\d{1,19}$/)

const part = z.strictObject({
  name: z.enum(PARTS),
  bytes: count,
  lines: count,
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})

const manifestSchema = z.strictObject({
  format: z.literal([1, FORMAT]),
  kogi: z.string(),
  node: z.string(),
  madeAt: z.string(),
  /** `embedded`: the store that comes with Kogi, whose positions another embedded store can take over. */
  store: z.enum(['embedded', 'named']),
  /** The backup holds every event up to this position of the log, and none behind it. */
  position,
  /** Position of the last domain event in it, `0` where there is none. */
  lastDomainPosition: position,
  events: z.strictObject({ domain: count, refusals: count, skips: count, derived: count, other: count }),
  keys: z.strictObject({
    all: count,
    /** Keys whose secret was destroyed: what they sealed stays unreadable. */
    erased: count,
    /** Ids of keys that events name and that the database of the keys did not have. */
    missing: z.array(z.string()),
  }),
  /** Files of items that events name. */
  itemFiles: z
    .strictObject({
      all: count,
      bytes: count,
      /** `<organization>/<digest>` of those whose bytes were not there, or were others. */
      missing: z.array(z.string()),
    })
    .optional(),
  /** Names of the migrations of the database of the keys, in the order in which they ran. */
  keysMigrations: z.array(z.string()),
  /** The newest schema number of each event type. */
  schemas: z.record(z.string(), z.int().min(1)),
  /** The version of each projection, as the code that made the backup had it. */
  projections: z.record(z.string(), z.int().min(1)),
  files: z
    .array(part)
    .min(PARTS.length - 1)
    .max(PARTS.length),
})

export type Manifest = z.infer<typeof manifestSchema>
export type Part = z.infer<typeof part>
export type EventKind = keyof Manifest['events']

/** The text of a manifest, with the digest of its canonical form as the last field. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify({ ...manifest, sha256: digestOf(manifest) }, null, 2)}\n`
}

/** Reads the manifest of a folder; throws `no_backup`, `backup_damaged` or `backup_unknown`. */
export async function readManifest(folder: string): Promise<Manifest> {
  const text = await readFile(path.join(folder, MANIFEST), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
    throw new KogiError('no_backup', `${folder} holds no whole backup: it has no ${MANIFEST}, which is written last.`)
  })
  const read = jsonOf(text)
  if (typeof read !== 'object' || read === null || !('sha256' in read))
    throw damagedManifest('it is no JSON of a manifest')
  const { sha256, ...rest } = read
  if (sha256 !== digestOf(rest)) throw damagedManifest('it does not match its own SHA-256')
  const { format } = rest as { format?: unknown }
  if (!FORMATS.includes(format)) {
    throw new KogiError(
      'backup_unknown',
      `The backup has format ${format}, and this Kogi reads formats up to ${FORMAT}.`,
    )
  }
  const parsed = manifestSchema.safeParse(rest)
  if (!parsed.success) throw damagedManifest(z.prettifyError(parsed.error))
  const isWhole = format === 1 || (parsed.data.itemFiles && parsed.data.files.some(({ name }) => name === FILES))
  if (!isWhole) throw damagedManifest(`it does not name ${FILES}`)
  if (text !== manifestText(parsed.data)) throw damagedManifest('it has other bytes than were written')
  return parsed.data
}

const damagedManifest = (why: string) =>
  new KogiError('backup_damaged', 'The backup is damaged.', [{ field: MANIFEST, message: why }])

const digestOf = (manifest: object) => createHash('sha256').update(canonicalJson(manifest)).digest('hex')

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Kinds of streams by their names; `prefixes` are those of the domain's streams. */
export function kindOf(stream: string, prefixes: readonly string[]): EventKind {
  if (isDerived(stream)) return 'derived'
  if (prefixes.some(prefix => stream.startsWith(prefix))) return 'domain'
  if (stream.startsWith('refusal-')) return 'refusals'
  if (stream.startsWith(SKIPS_PREFIX)) return 'skips'
  return 'other'
}

/** Streams that hold the decisions of operators to go past an event. */
export const SKIPS_PREFIX = 'projection-'

/** Whether a stream holds what the write path makes again from the events: snapshots and blocks of command ids. */
export const isDerived = (stream: string): boolean => /^(\$\$)?[^-]*_(snapshot|commands)-/.test(stream)

/** Whether a stream is the event store's own; the metadata of other streams (`$$<stream>`) is not. */
export const isSystem = (stream: string): boolean => /^\$(?!\$[^$])/.test(stream)
