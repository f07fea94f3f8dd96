import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type FrameView, frameEnd, newFrameView, parseFrame } from './frame.ts'
import { HEAD_SIZE, type Head, readHead, writeHead } from './head.ts'
import { nameKey, positionKey, readPositionKey, readRunKey, readUint64, runKey, writeUint64 } from './keys.ts'

/**
 * The tables on disk (one LMDB environment):
 *
 * | table     | key                        | value                                                          |
 * |-----------|----------------------------|----------------------------------------------------------------|
 * | `log`     | position of a first event  | a block: checksum, count, then frames in `$all` order          |
 * | `runs`    | stream number, revision    | where in which block a run of that stream's events stands      |
 * | `streams` | stream name                | its head: number, last revision, limits                        |
 * | `facts`   | `state`                    | format, next position, next stream number                      |
 */

export const FORMAT = 1
export const FILE = 'events.mdb'
export const BLOCK_HEADER = 8
/** Large enough to be copied cheaply by the dozen, small enough to fetch one event from: four LMDB pages. */
export const BLOCK_SIZE = 16_384 - 16

/** A block being filled, or as read. */
export interface Block {
  /** Position of its first event, and its key. */
  readonly position: number
  readonly bytes: Buffer
}

export interface Run {
  readonly revision: number
  readonly block: number
  readonly offset: number
  readonly count: number
}

export interface StagedRun extends Run {
  readonly stream: number
}

/** One transaction's worth of changes. */
export interface Changes {
  readonly blocks: readonly Block[]
  readonly runs: readonly StagedRun[]
  readonly heads: ReadonlyMap<string, Head>
  readonly state: State
}

export interface State {
  readonly nextPosition: number
  readonly nextStream: number
}

type Table = Database<Buffer, Buffer>

const RUN_SIZE = 16
const STATE_KEY = Buffer.from('state')
const BLOCKS_PER_PAGE = 16
const HEADS_PER_TRANSACTION = 10_000

/** The LMDB environment. Reads see what is durable and nothing else: a transaction becomes visible after its sync. */
export class Store {
  state: State
  private closing: Promise<void> | undefined
  private readonly root: RootDatabase<Buffer, Buffer>
  private readonly log: Table
  private readonly runs: Table
  private readonly streams: Table
  private readonly facts: Table

  constructor(folder: string, { noSync, path = join(folder, FILE) }: { noSync: boolean; path?: string }) {
    mkdirSync(folder, { recursive: true })
    this.root = open<Buffer, Buffer>({
      path,
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 8,
      noSync,
      // The sync is part of the commit, on LMDB's writer thread: a reader must not see what a power cut can take back.
      overlappingSync: false,
      // Transactions are put together here; the binding's own batches would reject promises that nobody holds.
      eventTurnBatching: false,
    })
    const table = (name: string): Table => this.root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' })
    this.log = table('log')
    this.runs = table('runs')
    this.streams = table('streams')
    this.facts = table('facts')
    this.state = this.readState()
  }

  get isEmpty(): boolean {
    return this.state.nextPosition === 0
  }

  head(name: string): Head | undefined {
    const value = this.streams.get(nameKey(name))
    return value && readHead(asBuffer(value))
  }

  /** Resolves when the changes are on disk, all of them; rejects when none is. */
  async commit(changes: Changes): Promise<void> {
    try {
      await this.root.batch(() => this.put(changes))
    } catch (error) {
      throw await reasonOf(error)
    }
    this.state = changes.state
  }

  /** What the disk says, after a commit that failed. */
  reload(): State {
    this.root.resetReadTxn()
    this.state = this.readState()
    return this.state
  }

  /** Up to `limit` blocks in log order, beginning with the one at or behind `position`. */
  blocksFrom(position: number, limit: number): Block[] {
    return this.blocks({ start: positionKey(position), limit })
  }

  /** Up to `limit` blocks against log order, beginning with the last one that starts at or before `position`. */
  blocksBackFrom(position: number, limit: number): Block[] {
    return this.blocks({ start: positionKey(position), limit, reverse: true })
  }

  block(position: number): Block | undefined {
    const value = this.log.get(positionKey(position))
    return value && { position, bytes: asBuffer(value) }
  }

  /** Runs of a stream forwards, beginning with the one that holds `revision`. */
  runsFrom(stream: number, revision: number, limit: number): Run[] {
    const [floor] = this.runsBackFrom(stream, revision, 1)
    const start = runKey(stream, floor?.revision ?? revision)
    return this.readRuns({ start, end: runKey(stream + 1, 0), limit })
  }

  /** Runs of a stream backwards, beginning with the one that holds `revision`. */
  runsBackFrom(stream: number, revision: number, limit: number): Run[] {
    return this.readRuns({ start: runKey(stream, revision), end: runKey(stream, 0), limit, reverse: true })
  }

  /** The event of a stream at a revision, as the view of a frame; undefined when there is none. */
  event(stream: number, revision: number): FrameView | undefined {
    const [run] = this.runsBackFrom(stream, revision, 1)
    if (run === undefined || revision - run.revision >= run.count) return undefined
    const block = this.block(run.block)
    if (block === undefined) return undefined
    let at = run.offset
    for (let skip = revision - run.revision; skip > 0; skip--) at = frameEnd(block.bytes, at)
    return parseFrame(block.bytes, at, newFrameView())
  }

  /** Every block in log order, the ones before the beginning of `$all` too. */
  *allBlocks(): Generator<Block> {
    for (let from = 0; ; ) {
      const page = this.blocksFrom(from, BLOCKS_PER_PAGE)
      yield* page
      if (page.length === 0) return
      from = page.at(-1)!.position + 1
    }
  }

  /** Takes over the heads of another store as they are, a transaction at a time. */
  async takeHeads(source: Store): Promise<void> {
    let batch: { key: Buffer; value: Buffer }[] = []
    const put = () => this.root.batch(() => batch.map(({ key, value }) => this.streams.put(key, value)))
    for (const { key, value } of source.streams.getRange({})) {
      batch.push({ key: asBuffer(key), value: asBuffer(value) })
      if (batch.length < HEADS_PER_TRANSACTION) continue
      await put()
      batch = []
    }
    await put()
  }

  /** Closing twice is allowed. */
  close(): Promise<void> {
    this.closing ??= this.root.close()
    return this.closing
  }

  private put(changes: Changes): void {
    for (const block of changes.blocks) void this.log.put(positionKey(block.position), block.bytes)
    const values = Buffer.allocUnsafeSlow(changes.runs.length * RUN_SIZE + changes.heads.size * HEAD_SIZE + STATE_SIZE)
    let at = 0
    for (const run of changes.runs) {
      const value = values.subarray(at, at + RUN_SIZE)
      writeRun(value, run)
      void this.runs.put(runKey(run.stream, run.revision), value)
      at += RUN_SIZE
    }
    for (const [name, head] of changes.heads) {
      const value = values.subarray(at, at + HEAD_SIZE)
      writeHead(value, head)
      void this.streams.put(nameKey(name), value)
      at += HEAD_SIZE
    }
    const state = values.subarray(at)
    state.writeUInt32BE(FORMAT, 0)
    writeUint64(state, 4, changes.state.nextPosition)
    state.writeUInt32BE(changes.state.nextStream, 12)
    void this.facts.put(STATE_KEY, state)
  }

  private readState(): State {
    const value = this.facts.get(STATE_KEY)
    if (value === undefined) return { nextPosition: 0, nextStream: 1 }
    const bytes = asBuffer(value)
    const format = bytes.readUInt32BE(0)
    if (format !== FORMAT) throw new Error(`The event store has format ${format}; this version reads ${FORMAT}`)
    return { nextPosition: readUint64(bytes, 4), nextStream: bytes.readUInt32BE(12) }
  }

  private blocks(range: { start: Buffer; limit: number; reverse?: boolean }): Block[] {
    const found: Block[] = []
    for (const { key, value } of this.log.getRange(range))
      found.push({ position: readPositionKey(key), bytes: asBuffer(value) })
    return found
  }

  private readRuns(range: { start: Buffer; end: Buffer; limit: number; reverse?: boolean }): Run[] {
    const stream = range.start.readUInt32BE(0)
    const found: Run[] = []
    for (const { key, value } of this.runs.getRange({ ...range, inclusiveEnd: range.reverse === true })) {
      const { stream: owner, revision } = readRunKey(key)
      if (owner === stream) found.push(readRun(asBuffer(value), revision))
    }
    return found
  }
}

const STATE_SIZE = 16

/** What the binding says of a failed commit stands in a promise of its own. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  return commitError ? commitError.catch((reason: unknown) => reason) : error
}

function writeRun(out: Buffer, run: StagedRun): void {
  writeUint64(out, 0, run.block)
  out.writeUInt32BE(run.offset, 8)
  out.writeUInt32BE(run.count, 12)
}

function readRun(bytes: Buffer, revision: number): Run {
  return { revision, block: readUint64(bytes, 0), offset: bytes.readUInt32BE(8), count: bytes.readUInt32BE(12) }
}

/** lmdb-js answers Uint8Arrays that it does not use again; Buffer methods are wanted on them. */
function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** Finishes a block: its count and the checksum over everything behind the checksum. */
export function sealBlock(bytes: Buffer, count: number): void {
  bytes.writeUInt32BE(count, 4)
  bytes.writeUInt32BE(crc32(bytes.subarray(4)), 0)
}

export function blockCount(bytes: Buffer): number {
  return bytes.readUInt32BE(4)
}

export function isIntact(bytes: Buffer): boolean {
  return bytes.length > BLOCK_HEADER && bytes.readUInt32BE(0) === crc32(bytes.subarray(4))
}
