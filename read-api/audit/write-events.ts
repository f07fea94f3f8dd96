/** Writes the events of an org into the files of an export, and goes on where it was ended in between. */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { categoryOf } from '../../domain/kernel/codec.ts'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { canonicalJson } from '../../domain/kernel/json.ts'
import {
  AuditFault,
  bySkip,
  EVENTS,
  type FileEntry,
  HASHES,
  headerLineOf,
  lineOf,
  type Manifest,
  type SkipEntry,
  sha256,
} from './bundle.ts'
import { LineFile, type Written } from './line-file.ts'
import { isSelected, type Selection } from './selection.ts'

/** How much is gathered before it is written. */
const BUFFER_BYTES = 1 << 18
/** How often it is noted how far an export has come. */
const NOTE_MS = 2_000

export type EventOptions = {
  /** The domain events of the log behind a position, in order, of every org, in lists. */
  readonly events: (after: bigint) => AsyncIterable<readonly StoredEvent[]>
  /** Up to which position `events` goes. */
  readonly head: bigint
  readonly org: string
  /** What operators decided to skip, of every org. */
  readonly skips: readonly SkipEntry[]
  /** Which of its events: all of them, where nothing is said. */
  readonly selection?: Selection | undefined
  /** Called with the position that was read last and the events written by then. */
  readonly onProgress?: ((position: bigint, events: number) => void | Promise<void>) | undefined
  /** A file that says how far the export has come, from which it goes on. */
  readonly note?: string | undefined
  readonly noteMs?: number
}

/** What the files of events hold, as their manifest says it. */
export type EventContent = Pick<
  Manifest,
  'range' | 'events' | 'selection' | 'left_out' | 'types' | 'categories' | 'skips'
> & { readonly files: readonly FileEntry[] }

type Standing = {
  readonly position: string
  readonly files: readonly [events: Written, hashes: Written]
  readonly first: string | null
  readonly last: string
  readonly selected: number
  readonly types: readonly (readonly [string, number])[]
  readonly categories: readonly (readonly [string, number])[]
  readonly skipped: readonly string[]
  /** Digest of the skips that were decided by then. */
  readonly decided: string
}

/** Throws `org_empty` where the log holds nothing of the org: a misspelt name must not look like an empty history. */
export async function writeEvents(folder: string, options: EventOptions): Promise<EventContent> {
  const { events, org, head, skips, selection, onProgress, note, noteMs = NOTE_MS } = options
  const { lines, hashes, before } = await begin(folder, note, digestOfSkips(skips))
  const types = new Map(before?.types)
  const categories = new Map(before?.categories)
  const skipped = new Set(skips.map(({ position }) => position))
  const own = new Set(before?.skipped.map(BigInt))
  let first = typeof before?.first === 'string' ? BigInt(before.first) : undefined
  let last = BigInt(before?.last ?? 0)
  let selected = before?.selected ?? 0
  let noted = performance.now()
  try {
    for await (const batch of events(BigInt(before?.position ?? 0))) {
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
      if (!read) continue
      if (note !== undefined && performance.now() - noted >= noteMs) {
        const standing: Standing = {
          position: String(read.position),
          files: [await lines.keep(), await hashes.keep()],
          first: first === undefined ? null : String(first),
          last: String(last),
          selected,
          types: [...types],
          categories: [...categories],
          skipped: [...own].map(String),
          decided: digestOfSkips(skips),
        }
        await writeFile(`${note}.new`, JSON.stringify(standing))
        await rename(`${note}.new`, note)
        noted = performance.now()
      }
      await onProgress?.(read.position, selected)
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

const digestOfSkips = (skips: readonly SkipEntry[]) => sha256(canonicalJson([...skips].sort(bySkip)))

/**
 * Opens the files where they were left; anew, where nothing says how far they are, they are not as they were, or
 * operators have decided on skips since.
 */
async function begin(folder: string, note: string | undefined, decided: string) {
  const text = note === undefined ? undefined : await readFile(note, 'utf8').catch(() => undefined)
  if (text !== undefined) {
    try {
      const before = JSON.parse(text) as Standing
      if (before.decided !== decided) throw new RangeError('other events are skipped now')
      const lines = await LineFile.goOn(folder, EVENTS, before.files[0])
      const hashes = await LineFile.goOn(folder, HASHES, before.files[1])
      return { lines, hashes, before }
    } catch {
      // A note that was cut short by the end of the machine is none, nor is one of other skips.
    }
  }
  return { lines: await LineFile.create(folder, EVENTS), hashes: await LineFile.create(folder, HASHES) }
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1)
