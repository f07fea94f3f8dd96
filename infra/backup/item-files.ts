/**
 * The bytes of files of items in a backup: one file for each digest, below `files/`, and `files.ndjson`, which says of
 * each line's organization and digest that they belong together. They are read after the events that name them, because
 * bytes are stored before their event, and restored before the events.
 */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { type ErrorDetail, KogiError } from '../../domain/kernel/errors.ts'
import type { Line } from '../embedded/event-store/care/transfer.ts'
import type { FileStore } from '../files/folder.ts'
import { FILES, FOLDER, type Manifest, type Part } from './format.ts'
import { PartWriter } from './part-writer.ts'
import { syncFolder } from './sync.ts'

const fileSchema = z.strictObject({
  org: z.string().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0),
})
type FileLine = z.infer<typeof fileSchema>

const placeOf = (folder: string, { sha256 }: Pick<FileLine, 'sha256'>) =>
  path.join(folder, FOLDER, sha256.slice(0, 2), sha256)

/** Files that events of a log name, by organization and digest. */
export type NamedFiles = Map<string, FileLine>

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
  signal?: AbortSignal,
): Promise<Written> {
  const writer = await PartWriter.open(draft, FILES)
  const missing: string[] = []
  const made = new Set<string>()
  let bytes = 0
  try {
    for (const [name, file] of [...named].sort(([a], [b]) => (a < b ? -1 : 1))) {
      signal?.throwIfAborted()
      if (!made.has(file.sha256) && !(await copy(store, file, placeOf(draft, file), signal))) {
        missing.push(name)
        continue
      }
      if (!made.has(file.sha256)) bytes += file.bytes
      made.add(file.sha256)
      await writer.line(JSON.stringify(file))
    }
    if (made.size > 0) await syncFolders(draft)
    return { part: await writer.finish(), itemFiles: { all: named.size, bytes, missing } }
  } catch (error) {
    await writer.close().catch(() => {})
    throw error
  }
}

/** Copies one file; `false`, and nothing is left, where its bytes are not there or are others. */
async function copy(store: Pick<FileStore, 'read'>, file: FileLine, place: string, signal?: AbortSignal) {
  const stream = await store.read(file.org, file.sha256)
  if (!stream) return false
  await mkdir(path.dirname(place), { recursive: true, mode: 0o700 })
  const target = await open(place, 'wx', 0o600)
  const hash = createHash('sha256')
  try {
    for await (const chunk of stream) {
      signal?.throwIfAborted()
      hash.update(chunk)
      await target.appendFile(chunk)
    }
    await target.sync()
  } finally {
    await target.close()
  }
  if (hash.digest('hex') === file.sha256) return true
  await rm(place)
  return false
}

async function syncFolders(draft: string): Promise<void> {
  const folder = path.join(draft, FOLDER)
  for (const name of await readdir(folder)) await syncFolder(path.join(folder, name))
  await syncFolder(folder)
}

/** The lines of `files.ndjson`, each checked. */
async function* linesOf(folder: string): AsyncGenerator<FileLine> {
  const input = createReadStream(path.join(folder, FILES))
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    yield fileSchema.parse(JSON.parse(line))
  }
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

async function faultOf(place: string, { bytes, sha256 }: FileLine, onBytes?: (bytes: number) => void) {
  const found = await stat(place).catch(() => undefined)
  if (found === undefined) return 'is missing'
  if (found.size !== bytes) return `has ${found.size} bytes, and ${bytes} were written`
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(place) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    onBytes?.(chunk.length)
  }
  return hash.digest('hex') === sha256 ? undefined : 'does not match its SHA-256'
}

/** Puts the files of a verified backup into a store, and returns how many. Doing it again changes nothing. */
export async function restoreFiles(
  folder: string,
  store: Pick<FileStore, 'put'>,
  signal?: AbortSignal,
): Promise<number> {
  let written = 0
  for await (const file of linesOf(folder)) {
    signal?.throwIfAborted()
    const stored = await store.put(file.org, createReadStream(placeOf(folder, file)))
    if (stored.sha256 !== file.sha256) {
      const details = [{ field: path.relative(folder, placeOf(folder, file)), message: 'has changed meanwhile' }]
      throw new KogiError('backup_damaged', 'The backup is not what was written.', details)
    }
    written++
  }
  return written
}
