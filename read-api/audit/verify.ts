import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { canonicalJson } from '../../domain/kernel/json.ts'
import {
  AuditFault,
  EVENTS,
  type FileEntry,
  HASHES,
  MANIFEST,
  type Manifest,
  manifestSchema,
  OWN_FILES,
  sha256,
  skipsOf,
} from './bundle.ts'
import { othersIn } from './left-files.ts'
import { type CheckedLine, type LineCheckOptions, lineChecker } from './line-check.ts'
import { type SealOptions, sealChecker } from './seal.ts'

/** The largest manifest that an export can have. */
const MANIFEST_BYTES_MAX = 10_000_000
/** The longest line that an export can have: an event is at most a few megabytes. */
const LINE_BYTES_MAX = 64_000_000

export type CheckOptions = Omit<LineCheckOptions, 'org' | 'skips' | 'selection'> &
  SealOptions & {
    readonly onProgress?: (line: number, lines: number) => void
  }
type Line = { readonly bytes: Buffer; readonly ended: boolean }

/** Reads the manifest of an export. Throws an `AuditFault` where it is not as it was written. */
export async function readManifest(folder: string): Promise<Manifest> {
  const names = await readdir(folder).catch(error => {
    throw new AuditFault('folder_unreadable', `${folder} cannot be read: ${(error as Error).message}.`)
  })
  if (!names.includes(MANIFEST))
    throw new AuditFault('manifest_missing', 'The export has no manifest.', { file: MANIFEST })
  const file = path.join(folder, MANIFEST)
  const invalid = (why: string) => new AuditFault('manifest_invalid', `The manifest ${why}.`, { file: MANIFEST })
  const { size } = await stat(file)
  if (size > MANIFEST_BYTES_MAX) throw invalid('is too large')
  const bytes = await readFile(file)
  const parsed = manifestSchema.safeDecode(parse(bytes.toString()) as never)
  if (!parsed.success) throw invalid('cannot be read as a manifest of this version')
  const { digest, ...manifest } = parsed.data
  const written = Buffer.from(`${canonicalJson(parsed.data)}\n`)
  if (sha256(canonicalJson(manifest)) !== digest || !written.equals(bytes)) {
    throw new AuditFault('manifest_changed', 'The manifest was changed.', { file: MANIFEST })
  }
  const known = [EVENTS, HASHES]
  for (const name of known) {
    if (!manifest.files.some(entry => entry.name === name)) throw invalid(`does not name ${name}`)
    if (!names.includes(name)) throw new AuditFault('file_missing', `${name} is missing.`, { file: name })
  }
  const [extra] = (await othersIn(folder, OWN_FILES)).foreign
  if (extra !== undefined) throw new AuditFault('file_extra', `${extra} does not belong here.`, { file: extra })
  return parsed.data
}

/**
 * The events of an export, each checked before it is handed out, in one pass over files whose hashes were checked
 * before. Throws an `AuditFault` with the file and line of the first thing wrong.
 */
export async function* verifiedEvents(
  folder: string,
  manifest: Manifest,
  options: CheckOptions,
): AsyncGenerator<CheckedLine> {
  await checkFiles(folder, manifest)
  const checker = lineChecker({
    ...options,
    org: manifest.org,
    skips: skipsOf(manifest),
    selection: manifest.selection,
  })
  const seal = sealChecker(manifest, options)
  const skipped = new Set(manifest.skips?.map(({ position }) => position))
  const lines = manifest.events + (manifest.left_out ?? 0)
  let line = 0
  for await (const { bytes } of linesOf(path.join(folder, EVENTS))) {
    line += 1
    const checked = checker.check(bytes.toString(), line)
    skipped.delete(checked.position)
    seal.add(checked.line, line)
    if (line % 1_000 === 0) options.onProgress?.(line, lines)
    yield checked
  }
  checker.end(manifest)
  seal.end()
  const [unknown] = skipped
  if (unknown !== undefined) {
    throw new AuditFault('skip_unknown', `No event of the export has the skipped position ${unknown}.`, {
      file: MANIFEST,
    })
  }
  options.onProgress?.(line, lines)
}

async function checkFiles(folder: string, { files }: Manifest): Promise<void> {
  const entryOf = (name: string) => files.find(entry => entry.name === name)!
  const sizeOf = async (name: string) => (await stat(path.join(folder, name))).size
  const same = async ({ name, bytes, sha256 }: FileEntry) =>
    (await sizeOf(name)) === bytes && (await fileHash(path.join(folder, name))) === sha256
  const [events, hashes] = [entryOf(EVENTS), entryOf(HASHES)]
  const eventsAreSame = await same(events)
  if (eventsAreSame && (await same(hashes))) return
  // The file whose hash is right shows what the other file held.
  const made = await linesThrough(path.join(folder, EVENTS), sha256)
  const stated = await linesThrough(path.join(folder, HASHES), bytes => bytes.toString('latin1'))
  const [wrong, found, expected] = eventsAreSame ? [hashes, stated, made] : [events, made, stated]
  const shorter = (await sizeOf(wrong.name)) < wrong.bytes
  throw difference(wrong.name, { expected: expected.lines, found: found.lines, shorter, ended: found.ended })
}

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

async function fileHash(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

async function linesThrough(file: string, form: (bytes: Buffer) => string) {
  const lines: string[] = []
  let ended = true
  for await (const line of linesOf(file)) {
    lines.push(form(line.bytes))
    ended = line.ended
  }
  return { lines, ended }
}

/** The lines of a file as bytes; the last one may lack its end. */
async function* linesOf(file: string): AsyncGenerator<Line> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 }) as AsyncIterable<Buffer>) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end))
      yield { bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts), ended: true }
      parts.length = 0
      size = 0
      from = end + 1
    }
    if (from < chunk.length) parts.push(chunk.subarray(from))
    size += chunk.length - from
    if (size > LINE_BYTES_MAX)
      throw new AuditFault('line_invalid', 'A line is too long.', { file: path.basename(file) })
  }
  if (parts.length > 0) yield { bytes: Buffer.concat(parts), ended: false }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
