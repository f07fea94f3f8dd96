/** The last line of an export, which proves that the export is whole. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'

/** What the last line says of all lines before it. */
type End = {
  readonly events: number
  /** Digest of the lines, each with its line feed, in hexadecimal digits. */
  readonly sha256: string
}

/** Counts and digests the lines of an export as they are written or read. */
export class ExportEnd {
  readonly #hash = createHash('sha256')
  #events = 0

  /** Counts a line, given without its line feed. */
  add(line: string): void {
    this.#events++
    this.#hash.update(line).update('\n')
  }

  /** The last line without its line feed; may be called once. */
  line(): string {
    const end: End = { events: this.#events, sha256: this.#hash.digest('hex') }
    return JSON.stringify(end)
  }
}

/** The lines of a file without their line feeds. */
export function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
}

/**
 * Reads a whole export and returns how many events it has; throws when it is cut or changed. An export of a version
 * that wrote no last line is taken when it `isOpenEnded`: whether it is whole cannot be known.
 */
export async function checkExport(file: string, isOpenEnded = false): Promise<number> {
  const expected = new ExportEnd()
  let count = -1
  let last: string | undefined
  for await (const line of linesOf(file)) {
    if (last !== undefined) expected.add(last)
    last = line
    count++
  }
  const end = last === undefined ? undefined : endOf(last)
  if (end === undefined && isOpenEnded) return count + 1
  if (end === undefined) throw new Error(`${file} has no last line with "events" and "sha256": it is cut off`)
  if (end.events !== count)
    throw new Error(`${file} has ${count} events, and its last line says ${end.events}: it is not what was exported`)
  if (last !== expected.line())
    throw new Error(`${file} does not match the SHA-256 in its last line: it is not what was exported`)
  return count
}

function endOf(line: string): End | undefined {
  try {
    const end = JSON.parse(line) as Partial<End> | null
    return typeof end?.events === 'number' && typeof end.sha256 === 'string' ? (end as End) : undefined
  } catch {
    return undefined
  }
}
