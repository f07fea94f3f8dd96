import { createHash } from 'node:crypto'
import { canonicalJson } from '../../domain/kernel/json.ts'
import type { Verifier } from '../../projections/notary/note.ts'
import {
  AuditFault,
  EVENTS,
  type FileEntry,
  HASHES,
  MANIFEST,
  type Manifest,
  manifestSchema,
  ownFiles,
  SCHEMAS,
  SIGNATURE,
  sha256,
  skipsOf,
} from './bundle.ts'
import { type CheckedLine, checkCounts, type LineCheckOptions, lineChecker } from './line-check.ts'
import { type Line, LineSplitter } from './line-splitter.ts'
import { type SealOptions, sealChecker } from './seal.ts'
import { checkSignature } from './signature.ts'
import { type BundleSource, bytesOf, type Entry, othersAmong } from './source.ts'

/** The largest manifest that an export can have, and the largest signature. */
const MANIFEST_BYTES_MAX = 10_000_000
const SIGNATURE_BYTES_MAX = 1_000_000

export type CheckOptions = Omit<LineCheckOptions, 'org' | 'skips' | 'selection'> &
  SealOptions & {
    readonly onProgress?: (line: number, lines: number) => void
  }

/**
 * Reads the manifest of an export. Throws an `AuditFault` where it is not as it was written or, with keys, not signed
 * by one of them.
 */
export async function readManifest(
  source: BundleSource,
  { verifiers, older }: Omit<SealOptions, 'earlier'> = {},
): Promise<Manifest> {
  const entries = await source.entries().catch((error: Error): never => {
    throw new AuditFault('folder_unreadable', `${source.name} cannot be read: ${error.message}.`)
  })
  const has = (name: string) => entries.some(entry => entry.isFile && entry.name === name)
  if (!has(MANIFEST)) throw new AuditFault('manifest_missing', 'The export has no manifest.', { file: MANIFEST })
  const invalid = (why: string) => new AuditFault('manifest_invalid', `The manifest ${why}.`, { file: MANIFEST })
  if ((await source.size(MANIFEST)) > MANIFEST_BYTES_MAX) throw invalid('is too large')
  const bytes = await bytesOf(source, MANIFEST)
  const parsed = manifestSchema.safeDecode(parse(bytes.toString()) as never)
  if (!parsed.success) throw invalid('cannot be read as a manifest of this version')
  const { digest, ...manifest } = parsed.data
  const written = Buffer.from(`${canonicalJson(parsed.data)}\n`)
  if (sha256(canonicalJson(manifest)) !== digest || !written.equals(bytes)) {
    throw new AuditFault('manifest_changed', 'The manifest was changed.', { file: MANIFEST })
  }
  const needed = manifest.version < 5 ? [EVENTS, HASHES] : [EVENTS, HASHES, SCHEMAS]
  const unnamed = needed.find(name => !manifest.files.some(entry => entry.name === name))
  if (unnamed !== undefined) throw invalid(`does not name ${unnamed}`)
  const missing = manifest.files.find(({ name }) => !has(name))
  if (missing) throw new AuditFault('file_missing', `${missing.name} is missing.`, { file: missing.name })
  await mustBeSigned(source, { manifest, bytes, entries, verifiers, older })
  const [extra] = othersAmong(entries, ownFiles(manifest)).foreign
  if (extra !== undefined) throw new AuditFault('file_extra', `${extra} does not belong here.`, { file: extra })
  const twice = entries.find(({ name }, at) => entries.findIndex(other => other.name === name) < at)
  if (twice) throw new AuditFault('file_extra', `${twice.name} is there twice.`, { file: twice.name })
  return parsed.data
}

type Read = {
  readonly manifest: Omit<Manifest, 'digest'>
  readonly bytes: Buffer
  readonly entries: readonly Entry[]
  readonly verifiers: readonly Verifier[] | undefined
  readonly older: true | undefined
}

/** Keys take unsigned exports of before version 5 only by leave: a new export could be rewritten as one. */
async function mustBeSigned(source: BundleSource, { manifest, bytes, entries, verifiers, older }: Read): Promise<void> {
  const { version, signed, org } = manifest
  const missing = (why: string) => new AuditFault('signature_missing', why, { file: SIGNATURE })
  if (version < 5) {
    if (!verifiers || older) return
    const why = `Exports of version ${version} were not signed: only the sealed events of one can be trusted.`
    throw missing(`${why} Where it was made before there were signatures, take it with --older.`)
  }
  if (!signed && !verifiers) return
  if (!signed) throw missing('The export was made without a key: nobody has signed what it says of itself.')
  if (!entries.some(({ name, isFile }) => isFile && name === SIGNATURE)) throw missing('The signature is missing.')
  if (!verifiers) return
  const isLong = (await source.size(SIGNATURE)) > SIGNATURE_BYTES_MAX
  checkSignature(isLong ? '' : (await bytesOf(source, SIGNATURE)).toString(), org, bytes, verifiers)
}

/**
 * The events of an export, each checked before it is handed out, in one pass over files whose hashes were checked
 * before. Throws an `AuditFault` with the file and line of the first thing wrong.
 */
export async function* verifiedEvents(
  source: BundleSource,
  manifest: Manifest,
  options: CheckOptions,
): AsyncGenerator<CheckedLine> {
  await checkFiles(source, manifest)
  const checking = eventChecker(manifest, options)
  for await (const { bytes } of linesOf(source, EVENTS)) yield checking.check(bytes)
  checking.end()
}

/** The same, without a turn of the event loop for each event: `each` gets the events. */
export async function verifyEvents(
  source: BundleSource,
  manifest: Manifest,
  options: CheckOptions,
  each: (event: CheckedLine) => void,
): Promise<void> {
  await checkFiles(source, manifest)
  const checking = eventChecker(manifest, options)
  const lines = new LineSplitter(({ bytes }) => each(checking.check(bytes)))
  for await (const bytes of source.open(EVENTS)) lines.push(bytes, EVENTS)
  lines.end()
  checking.end()
}

function eventChecker(manifest: Manifest, options: CheckOptions) {
  const { org, selection, skips, events, left_out: leftOut = 0 } = manifest
  const checker = lineChecker({ ...options, org, skips: skipsOf(manifest), selection })
  const seal = sealChecker(manifest, options)
  const skipped = new Set(skips?.map(({ position }) => position))
  const lines = events + leftOut
  let line = 0
  return {
    check(bytes: Buffer): CheckedLine {
      line += 1
      const checked = checker.check(bytes, line)
      if (skipped.size > 0) skipped.delete(checked.position)
      if (seal.wantsLeaves) seal.add(checked.leaf(), line)
      if (line % 1_000 === 0) options.onProgress?.(line, lines)
      return checked
    },
    /** To be called after the last line. */
    end(): void {
      checkCounts(manifest, checker.end())
      seal.end()
      mustBeSkipped(skipped)
      options.onProgress?.(line, lines)
    },
  }
}

/** Throws where the manifest has skips of events that the export does not have. */
export function mustBeSkipped(unseen: ReadonlySet<bigint>): void {
  const [unknown] = unseen
  if (unknown === undefined) return
  throw new AuditFault('skip_unknown', `No event of the export has the skipped position ${unknown}.`, {
    file: MANIFEST,
  })
}

async function checkFiles(source: BundleSource, { files }: Manifest): Promise<void> {
  const entryOf = (name: string) => files.find(entry => entry.name === name)!
  const same = (entry: FileEntry) => isFileSame(source, entry)
  const [events, hashes] = [entryOf(EVENTS), entryOf(HASHES)]
  const eventsAreSame = await same(events)
  if (!eventsAreSame || !(await same(hashes))) {
    // The file whose hash is right shows what the other file held.
    const made = await linesThrough(source, EVENTS, sha256)
    const stated = await linesThrough(source, HASHES, bytes => bytes.toString('latin1'))
    const [wrong, found, expected] = eventsAreSame ? [hashes, stated, made] : [events, made, stated]
    const shorter = (await source.size(wrong.name)) < wrong.bytes
    throw difference(wrong.name, { expected: expected.lines, found: found.lines, shorter, ended: found.ended })
  }
  for (const entry of files) {
    if (entry === events || entry === hashes || (await same(entry))) continue
    throw new AuditFault('file_changed', `${entry.name} was changed.`, { file: entry.name })
  }
}

/** Whether a file is what the manifest says of it. */
export const isFileSame = async (source: BundleSource, { name, bytes, sha256 }: FileEntry): Promise<boolean> =>
  (await source.size(name)) === bytes && (await fileHash(source, name)) === sha256

type Comparison = {
  readonly expected: readonly string[]
  readonly found: readonly string[]
  /** Whether the file is shorter than it was, and whether its last line has its end. */
  readonly shorter: boolean
  readonly ended: boolean
}

/** Names the first difference between the lines that a file has and those that it was written with. */
function difference(name: string, { expected, found, shorter, ended }: Comparison): AuditFault {
  const at = found.findIndex((line, index) => line !== expected[index])
  const index = at < 0 ? Math.min(found.length, expected.length) : at
  const [mine, due] = [found[index], expected[index]]
  // A line that lacks nothing but its end is still that line.
  const line = mine === undefined && !ended ? index : index + 1
  const fault = (code: ConstructorParameters<typeof AuditFault>[0], message: string) =>
    new AuditFault(code, message, { file: name, line })
  if (mine === undefined && due === undefined) {
    if (ended) return new AuditFault('file_changed', `${name} was changed.`, { file: name })
    return fault('tail_truncated', 'The end of the last line is missing.')
  }
  const cut = mine === undefined || (index === found.length - 1 && !ended && found.length <= expected.length)
  if (shorter && cut) return fault('tail_truncated', `The file ends here, ${expected.length - index} lines too early.`)
  const times = (list: readonly string[], line: string | undefined) => list.filter(other => other === line).length
  if (times(expected, mine) > 0) {
    if (times(found, mine) > times(expected, mine)) return fault('line_duplicated', 'The line is there twice.')
    if (times(found, due) > 0) return fault('line_reordered', 'The line belongs elsewhere.')
    return fault('line_missing', 'A line before this one is missing.')
  }
  if (due === undefined || times(found, due) > 0) return fault('line_inserted', 'The line does not belong here.')
  return fault('line_changed', 'The line was changed.')
}

async function fileHash(source: BundleSource, name: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of source.open(name)) hash.update(chunk)
  return hash.digest('hex')
}

async function linesThrough(source: BundleSource, name: string, form: (bytes: Buffer) => string) {
  const lines: string[] = []
  let ended = true
  for await (const line of linesOf(source, name)) {
    lines.push(form(line.bytes))
    ended = line.ended
  }
  return { lines, ended }
}

/** The lines of a file as bytes; the last one may lack its end. */
export async function* linesOf(source: BundleSource, name: string): AsyncGenerator<Line> {
  let found: Line[] = []
  const lines = new LineSplitter(line => found.push(line))
  for await (const bytes of source.open(name)) {
    lines.push(bytes, name)
    yield* found
    found = []
  }
  lines.end()
  yield* found
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
