/**
 * The bytes of files of items in a backup: one file for each digest, below `files/`, and `files.ndjson`, which says of
 * each line's organization and digest that they belong together. They are read after the events that name them, because
 * bytes are stored before their event, and restored before the events.
 *
 * They are sealed as the texts of events are (`seal-files.ts`), under a key of the backup: the first line of the list.
 * The list opens them where there is no master key, so that no person's file stands in a backup in the clear.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { type ErrorDetail, KogiError } from '../../domain/kernel/errors.ts'
import { ORG_ID } from '../../domain/kernel/schema.ts'
import type { Line } from '../embedded/event-store/care/transfer.ts'
import type { FileStore } from '../files/store.ts'
import type { MasterKeys } from '../master-keys.ts'
import { FILES, FOLDER, type Manifest, type Part } from './format.ts'
import { PartWriter } from './part-writer.ts'
import {
  type FileKey,
  fileKeySchema,
  newFileKey,
  openedBytes,
  openFileKey,
  SEALED_MORE_BYTES,
  sealedBytes,
} from './seal-files.ts'
import { syncFolder } from './sync.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const fileSchema = z.strictObject({
  /** It becomes a part of a path. */
  org: z.string().regex(ORG_ID),
  sha256: digest,
  bytes: z.int().min(0),
  /** SHA-256 of the sealed bytes, which is checked without a key. */
  sealed: digest,
})
type FileLine = z.infer<typeof fileSchema>
type Named = Omit<FileLine, 'sealed'>

const placeOf = (folder: string, { sha256 }: Pick<FileLine, 'sha256'>) =>
  path.join(folder, FOLDER, sha256.slice(0, 2), sha256)

/** Files that events of a log name, by organization and digest. */
export type NamedFiles = Map<string, Named>

/** Notes the file that an event names, where it names one. */
export function noteFile({ type, data, metadata }: Line, named: NamedFiles): void {
  if (type !== 'FileAdded' && type !== 'FileVersionAdded') return
  const { sha256, size } = JSON.parse(data ?? '{}') as { sha256: string; size: string }
  const { org } = JSON.parse(metadata ?? '{}') as { org: string }
  named.set(`${org}/${sha256}`, { org, sha256, bytes: Number(size) })
}

type Written = { readonly part: Part; readonly itemFiles: NonNullable<Manifest['itemFiles']> }

/** Writes the bytes of the files; one that is not there any more, or has other bytes, is counted as missing. */
export async function writeFiles(
  draft: string,
  store: Pick<FileStore, 'read'>,
  named: NamedFiles,
  masters: MasterKeys,
  signal?: AbortSignal,
): Promise<Written> {
  const writer = await PartWriter.open(draft, FILES)
  const missing: string[] = []
  const made = new Map<string, string>()
  const { key, line } = await newFileKey(masters)
  let bytes = 0
  try {
    if (named.size > 0) await writer.line(JSON.stringify(line))
    for (const [name, file] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
      signal?.throwIfAborted()
      const known = made.get(file.sha256)
      const sealed = known ?? (await copy(store, key, file, placeOf(draft, file), signal))
      if (sealed === undefined) {
        missing.push(name)
        continue
      }
      if (known === undefined) bytes += file.bytes
      made.set(file.sha256, sealed)
      await writer.line(JSON.stringify({ ...file, sealed }))
    }
    if (made.size > 0) await syncFolders(draft)
    return { part: await writer.finish(), itemFiles: { all: named.size, bytes, missing } }
  } catch (error) {
    await writer.close().catch(() => {})
    throw error
  }
}

/** Copies one file and says what its sealed bytes are; nothing is left where its bytes are not there or are others. */
async function copy(
  store: Pick<FileStore, 'read'>,
  key: Buffer,
  file: Named,
  place: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const stream = await store.read(file.org, file.sha256)
  if (!stream) return undefined
  await mkdir(path.dirname(place), { recursive: true, mode: 0o700 })
  const target = await open(place, 'wx', 0o600)
  const [hash, sealed] = [createHash('sha256'), createHash('sha256')]
  const plain = async function* () {
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    for await (const chunk of sealedBytes(key, file.sha256, plain())) {
      sealed.update(chunk)
      await target.appendFile(chunk)
    }
    await target.sync()
  } finally {
    await target.close()
  }
  if (hash.digest('hex') === file.sha256) return sealed.digest('hex')
  await rm(place)
  return undefined
}

async function syncFolders(draft: string): Promise<void> {
  const folder = path.join(draft, FOLDER)
  for (const name of await readdir(folder)) await syncFolder(path.join(folder, name))
  await syncFolder(folder)
}

/**
 * The lines of `files.ndjson`, each checked: files, with the line of the key that opens them. Throws `backup_damaged`
 * for a line of another form, which digests do not rule out: who writes a backup writes its manifest.
 */
async function* linesOf(folder: string): AsyncGenerator<FileLine & { readonly key: FileKey }> {
  const input = createReadStream(path.join(folder, FILES))
  let key: FileKey | undefined
  let number = 0
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (key) yield { ...checked(fileSchema, line, number), key }
    else key = checked(fileKeySchema, line, number)
  }
}

function checked<T>(schema: z.ZodType<T>, line: string, number: number): T {
  try {
    return schema.parse(JSON.parse(line))
  } catch {
    const message = `line ${number} has not the form of ${number === 1 ? 'the key' : 'a file'}`
    throw new KogiError('backup_damaged', 'The backup is not what was written.', [{ field: FILES, message }])
  }
}

/** Name of the master key that the key of a backup's files is wrapped under; `null` where there is none. */
export async function fileMasterOf(folder: string): Promise<string | null> {
  for await (const { key } of linesOf(folder)) return key.master
  return null
}

/** What is wrong with the files of a backup whose list is what was written. */
export async function fileFaults(folder: string, onBytes?: (bytes: number) => void): Promise<readonly ErrorDetail[]> {
  const problems: ErrorDetail[] = []
  const seen = new Set<string>()
  for await (const file of linesOf(folder)) {
    if (seen.has(file.sha256)) continue
    seen.add(file.sha256)
    const message = await faultOf(placeOf(folder, file), file, onBytes)
    if (message !== undefined) problems.push({ field: path.relative(folder, placeOf(folder, file)), message })
  }
  for (const name of await readdir(path.join(folder, FOLDER), { recursive: true }).catch(() => [])) {
    const sha256 = path.basename(name)
    const isOwn = seen.has(sha256) && name === path.join(sha256.slice(0, 2), sha256)
    if (isOwn || (await stat(path.join(folder, FOLDER, name))).isDirectory()) continue
    problems.push({ field: path.join(FOLDER, name), message: `is not in ${FILES}` })
  }
  return problems
}

async function faultOf(place: string, { bytes, sealed }: FileLine, onBytes?: (bytes: number) => void) {
  const found = await stat(place).catch(() => undefined)
  if (found === undefined) return 'is missing'
  const written = bytes + SEALED_MORE_BYTES
  if (found.size !== written) return `has ${found.size} bytes, and ${written} were written`
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(place) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    onBytes?.(chunk.length)
  }
  return hash.digest('hex') === sealed ? undefined : 'does not match its SHA-256'
}

/** Puts the files of a verified backup into a store, and returns how many. Doing it again changes nothing. */
export async function restoreFiles(
  folder: string,
  store: Pick<FileStore, 'put'>,
  masters: MasterKeys,
  signal?: AbortSignal,
): Promise<number> {
  let written = 0
  let key: Promise<Buffer> | undefined
  for await (const file of linesOf(folder)) {
    signal?.throwIfAborted()
    key ??= openFileKey(masters, file.key)
    const bytes = openedBytes(await key, file, placeOf(folder, file))
    const stored = await store.put(file.org, bytes)
    if (stored.sha256 !== file.sha256) {
      const details = [{ field: path.relative(folder, placeOf(folder, file)), message: 'has changed meanwhile' }]
      throw new KogiError('backup_damaged', 'The backup is not what was written.', details)
    }
    written++
  }
  return written
}
