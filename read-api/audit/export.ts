import { createHash, type Hash, randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { categoryOf } from '../../domain/kernel/codec.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import {
  AuditFault,
  bySkip,
  EVENTS,
  type FileEntry,
  FORMAT,
  HASHES,
  headerLineOf,
  lineOf,
  MANIFEST,
  manifestText,
  OWN_FILES,
  SELECTED_FORMAT,
  type SkipEntry,
  sha256,
} from './bundle.ts'
import { othersIn } from './left-files.ts'
import { isSelected, type Selection } from './selection.ts'

/** How much is gathered before it is written. */
const BUFFER_BYTES = 1 << 18

export type ExportOptions = {
  /** The domain events of the log in order, of every org, in lists. */
  readonly events: AsyncIterable<readonly StoredEvent[]>
  /** Up to which position `events` goes. */
  readonly head: bigint
  readonly org: string
  /** The last signed checkpoint of the org, read before `head` was: all of its events are in the export. */
  readonly checkpoint: string | undefined
  /** What operators decided to skip, of every org. */
  readonly skips: readonly SkipEntry[]
  /** Which of its events: all of them, where nothing is said. */
  readonly selection?: Selection | undefined
  /** The folder to make: it appears whole or not at all. */
  readonly out: string
  /** Whether a folder that is already there may be replaced. */
  readonly force?: boolean
  readonly now: () => string
  readonly onProgress?: (position: bigint, events: number) => void
}

export type Exported = {
  readonly folder: string
  readonly events: number
  /** Events of the org that are not selected; their headers are there. */
  readonly leftOut?: number
  readonly bytes: number
  readonly head: bigint
}

/**
 * Streams the events of an org into a new folder. Throws `output_exists` rather than overwrite, and `org_empty` where
 * the log holds nothing of the org: a misspelt name must not look like an empty history.
 */
export async function exportOrg(options: ExportOptions): Promise<Exported> {
  const { org, head, now, checkpoint = null, force = false } = options
  const out = path.resolve(options.out)
  const exists = await stat(out).then(
    () => true,
    () => false,
  )
  if (exists && !force)
    throw new AuditFault('output_exists', `${options.out} exists; choose another folder or --force.`)
  if (exists) await mustBeExport(out, options.out)
  const draft = `${out}.partial-${randomBytes(4).toString('hex')}`
  await mkdir(draft, { recursive: true })
  try {
    const { files, ...content } = await writeEvents(draft, options)
    const format = content.selection === undefined ? FORMAT : SELECTED_FORMAT
    const manifest = manifestText({ ...format, org, made_at: now(), checkpoint, ...content, files })
    const file = await open(path.join(draft, MANIFEST), 'wx')
    await file.writeFile(manifest)
    await file.sync()
    await file.close()
    await publish(draft, out, exists)
    const bytes = files.reduce((sum, entry) => sum + entry.bytes, manifest.length)
    const leftOut = content.left_out
    return { folder: options.out, events: content.events, ...(leftOut !== undefined && { leftOut }), bytes, head }
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}

async function writeEvents(folder: string, { events, org, head, skips, selection, onProgress }: ExportOptions) {
  const lines = await LineFile.create(folder, EVENTS)
  const hashes = await LineFile.create(folder, HASHES)
  const types = new Map<string, number>()
  const categories = new Map<string, number>()
  const skipped = new Set(skips.map(({ position }) => position))
  const own = new Set<bigint>()
  let first: bigint | undefined
  let last = 0n
  let selected = 0
  try {
    for await (const batch of events) {
      for (const event of batch) {
        if (event.metadata?.org !== org) continue
        if (event.position <= last) throw new RangeError(`the log went back from ${last} to ${event.position}`)
        const isIn = selection === undefined || isSelected(selection, event)
        const line = isIn ? lineOf(event) : headerLineOf(event)
        const pending = lines.add(line) + hashes.add(sha256(line))
        if (pending > BUFFER_BYTES) await Promise.all([lines.flush(), hashes.flush()])
        first ??= event.position
        last = event.position
        if (skipped.has(event.position)) own.add(event.position)
        if (!isIn) continue
        selected += 1
        count(types, event.type)
        count(categories, categoryOf(event.stream))
      }
      const read = batch.at(-1)
      if (read) onProgress?.(read.position, lines.lines)
    }
    const files = [await lines.end(), await hashes.end()]
    if (first === undefined) throw new AuditFault('org_empty', `The log holds no event of the org ${org}.`)
    const counts = { types: Object.fromEntries(types), categories: Object.fromEntries(categories) }
    const decided = skips.filter(({ position }) => own.has(position)).sort(bySkip)
    const chosen = selection && { selection, left_out: lines.lines - selected }
    return { range: { first, last, head }, events: selected, ...chosen, ...counts, skips: decided, files }
  } finally {
    await Promise.all([lines.close(), hashes.close()])
  }
}

/** Replacing takes everything in a folder along: it must be an export, and nothing else may be in it. */
async function mustBeExport(folder: string, named: string): Promise<void> {
  const { foreign } = await othersIn(folder, OWN_FILES).catch(() => ({ foreign: [] }))
  const hasManifest = await stat(path.join(folder, MANIFEST)).then(
    () => true,
    () => false,
  )
  if (hasManifest && foreign.length === 0) return
  const why = foreign[0] === undefined ? `has no ${MANIFEST}` : `holds ${foreign[0]}`
  throw new AuditFault('output_not_an_export', `${named} ${why}; only an export is replaced, choose another folder.`)
}

/** Puts the finished folder in its place. The one it replaces is moved aside first, so that its name is never half. */
async function publish(draft: string, out: string, exists: boolean): Promise<void> {
  const aside = `${draft}.replaced`
  if (exists) await rename(out, aside)
  await rename(draft, out)
  if (exists) await rm(aside, { recursive: true, force: true })
}

/** A file written line by line, hashed as it grows. */
class LineFile {
  lines = 0
  readonly #name: string
  readonly #file: FileHandle
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0
  #pending = ''
  #open = true

  private constructor(name: string, file: FileHandle) {
    this.#name = name
    this.#file = file
  }

  static async create(folder: string, name: string): Promise<LineFile> {
    return new LineFile(name, await open(path.join(folder, name), 'wx'))
  }

  /** Adds a line; returns how much waits to be written. */
  add(line: string): number {
    this.lines += 1
    this.#pending += `${line}\n`
    return this.#pending.length
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    this.#bytes += bytes.length
    this.#hash.update(bytes)
    await this.#file.write(bytes)
  }

  async end(): Promise<FileEntry> {
    await this.flush()
    await this.#file.sync()
    return { name: this.#name, bytes: this.#bytes, lines: this.lines, sha256: this.#hash.digest('hex') }
  }

  async close(): Promise<void> {
    if (this.#open) await this.#file.close()
    this.#open = false
  }
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
