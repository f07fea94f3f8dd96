/**
 * The check of an export on several threads. Each of them has the lines of some streams, which are checked line by line
 * there; what must hold among all lines is looked at here. This finds out whether all holds: what is wrong, and where
 * first, says the check in one piece.
 */
import { createHash } from 'node:crypto'
import { EVENTS, type Manifest } from './bundle.ts'
import { type Counted, checkCounts } from './line-check.ts'
import { LineSplitter } from './line-splitter.ts'
import type { Part, PartEnd, partChecker } from './part-check.ts'
import { type SealOptions, sealChecker } from './seal.ts'
import type { BundleSource } from './source.ts'
import { isFileSame, mustBeSkipped } from './verify.ts'

/** Lines one behind the other, without line ends, and where each of them ends. */
export type Lines = { readonly bytes: Uint8Array<ArrayBuffer>; readonly ends: Uint32Array<ArrayBuffer> }

/** Another thread, which gets lines in their order. It rejects where one of them is wrong. */
export type Thread = {
  readonly check: (lines: Lines) => Promise<Part>
  readonly end: () => Promise<PartEnd>
}

type Parts = { readonly own: ReturnType<typeof partChecker>; readonly others: readonly Thread[] }
type Options = SealOptions & { readonly onProgress?: (line: number, lines: number) => void }

/** Bytes of lines whose check has not ended, at most: this thread goes on while others begin. */
const WAITING_MAX = 32_000_000
/** What this thread does of each line, whoever checks it, as a part of checking it. */
const OF_EACH = 0.12
const LEAF_BYTES = 32

/** What the parts of an export hold; `undefined` where something is wrong, or its check could not be made. */
export async function checkApart(
  source: BundleSource,
  manifest: Manifest,
  options: Options,
  parts: Parts,
): Promise<readonly PartEnd[] | undefined> {
  try {
    return await checked(source, manifest, options, parts)
  } catch {
    // The check in one piece comes upon the same fault, and says which it is.
    return undefined
  }
}

async function checked(source: BundleSource, manifest: Manifest, options: Options, { own, others }: Parts) {
  const { files } = manifest
  for (const entry of files) if (entry.name !== EVENTS && !(await isFileSame(source, entry))) return undefined
  const events = files.find(({ name }) => name === EVENTS)!
  const together = togetherChecker(manifest, options)
  const sharing = new Sharing(others.length + 1)
  const lines = new LineSplitter(({ bytes }) => sharing.add(bytes))
  const hash = createHash('sha256')
  const waiting: { readonly added: Promise<void>; readonly bytes: number }[] = []
  let open = 0
  let size = 0
  let last = Promise.resolve()
  const turn = async (bytes: number) => {
    const { owners, shares } = sharing.take()
    const answers = others.map(async (other, n) => {
      const share = shares[n + 1]!
      return share.length === 0 ? NOTHING : other.check(join(share))
    })
    const all = Promise.all(answers)
    all.catch(() => {})
    const mine = own.check(shares[0]!)
    last = last.then(async () => together.add(owners, [mine, ...(await all)]))
    last.catch(() => {})
    waiting.push({ added: last, bytes })
    for (open += bytes; open > WAITING_MAX; ) {
      const first = waiting.shift()!
      await first.added
      open -= first.bytes
    }
  }
  for await (const piece of source.open(EVENTS)) {
    hash.update(piece)
    size += piece.length
    lines.push(piece, EVENTS)
    await turn(piece.length)
  }
  lines.end()
  await turn(0)
  await last
  if (size !== events.bytes || hash.digest('hex') !== events.sha256) return undefined
  const ends = [own.end(), ...(await Promise.all(others.map(other => other.end())))]
  together.end(ends.map(({ counted }) => counted))
  return ends
}

const NOTHING: Part = { positions: new BigUint64Array(), commands: new Uint32Array(), leaves: new Uint8Array() }

function join(lines: readonly Buffer[]): Lines {
  const ends = new Uint32Array(lines.length)
  let size = 0
  for (let at = 0; at < lines.length; at += 1) {
    size += lines[at]!.length
    ends[at] = size
  }
  const bytes = new Uint8Array(size)
  for (let at = 0; at < lines.length; at += 1) bytes.set(lines[at]!, ends[at]! - lines[at]!.length)
  return { bytes, ends }
}

/** The lines of `Lines`, as they were joined. */
export function linesIn({ bytes, ends }: Lines): Buffer[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from(ends, (end, at) => all.subarray(at === 0 ? 0 : ends[at - 1], end))
}

/** What stands before the stream of a canonical line; its type alone comes behind that. */
const STREAM = Buffer.from(',"stream":"')
const QUOTE = 34

/** Shares lines among threads, this one first: all of a stream go to the same one, which had the least to do then. */
class Sharing {
  readonly #owners = new Map<string, number>()
  /** Bytes of lines that each thread was given. */
  readonly #given: number[]
  #turn: number[] = []
  #shares: Buffer[][]

  constructor(threads: number) {
    this.#given = new Array(threads).fill(0)
    this.#shares = this.#given.map(() => [])
  }

  add(line: Buffer): void {
    const at = line.lastIndexOf(STREAM) + STREAM.length
    const stream = line.toString('latin1', at, line.indexOf(QUOTE, at))
    let owner = this.#owners.get(stream)
    if (owner === undefined) {
      owner = this.#given.indexOf(Math.min(...this.#given))
      this.#owners.set(stream, owner)
    }
    this.#turn.push(owner)
    this.#shares[owner]!.push(line)
    this.#given[owner]! += line.length
    this.#given[0]! += line.length * OF_EACH
  }

  /** The owner of each line that was added since, and the lines of each. */
  take() {
    const [owners, shares] = [this.#turn, this.#shares]
    this.#turn = []
    this.#shares = this.#given.map(() => [])
    return { owners, shares }
  }
}

/** What must hold among all lines: their order, the trees that were signed, and that no command takes effect twice. */
function togetherChecker(manifest: Manifest, options: Options) {
  const { skips, events, left_out: leftOut = 0 } = manifest
  const seal = sealChecker(manifest, options)
  const skipped = new Set(skips?.map(({ position }) => position))
  const commands: Uint32Array[] = []
  let line = 0
  let first: bigint | undefined
  let last = -1n
  return {
    add(owners: readonly number[], parts: readonly Part[]): void {
      const next = parts.map(() => 0)
      for (const owner of owners) {
        const { positions, leaves } = parts[owner]!
        const at = next[owner]!++
        const position = positions[at]!
        if (position <= last) throw new RangeError(`${position} comes after ${last}`)
        first ??= position
        last = position
        line += 1
        if (skipped.size > 0) skipped.delete(position)
        if (seal.wantsLeaves) seal.add(Buffer.from(leaves.buffer, at * LEAF_BYTES, LEAF_BYTES), line)
      }
      for (const part of parts) commands.push(part.commands)
      options.onProgress?.(line, events + leftOut)
    },
    end(counted: readonly Counted[]): void {
      checkCounts(manifest, { ...sumOf(counted), first, last })
      seal.end()
      mustBeSkipped(skipped)
      mustDiffer(commands)
    },
  }
}

function sumOf(parts: readonly Counted[]): Omit<Counted, 'first' | 'last'> {
  const added = (of: (part: Counted) => Readonly<Record<string, number>>) => {
    const sums: Record<string, number> = {}
    for (const part of parts)
      for (const [name, count] of Object.entries(of(part))) sums[name] = (sums[name] ?? 0) + count
    return sums
  }
  return {
    types: added(({ types }) => types),
    categories: added(({ categories }) => categories),
    events: parts.reduce((sum, { events }) => sum + events, 0),
    left_out: parts[0]!.left_out === undefined ? undefined : parts.reduce((sum, part) => sum + part.left_out!, 0),
  }
}

/** Throws where two commands have the same id. */
function mustDiffer(parts: readonly Uint32Array[]): void {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  const sorted = new BigUint64Array(all.buffer).sort()
  for (let n = 1; n < sorted.length; n += 1) {
    if (sorted[n] === sorted[n - 1] && sorted[n] !== 0n) throw new RangeError('a command takes effect again')
  }
}
