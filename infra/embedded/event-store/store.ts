import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, open, type RootDatabase } from 'lmdb'
import type { Block } from './block.ts'
import { type FrameView, frameEnd, newFrameView, parseFrame } from './frame.ts'
import { HEAD_SIZE, type Head, readHead, writeHead } from './head.ts'
import { nameKey, positionKey, readPositionKey, readRunKey, readUint64, runKey, writeUint64 } from './keys.ts'
import { RUN_SIZE, type Run, readRun, type StagedRun, Tail, writeRun } from './tail.ts'

/**
 * The tables on disk (one LMDB environment):
 *
 * | table     | key                        | value                                                          |
 * |-----------|----------------------------|----------------------------------------------------------------|
 * | `log`     | position of a first event  | a block: checksum, count, then frames in `$all` order          |
 * | `runs`    | stream number, revision    | where in which block a run of that stream's events stands      |
 * | `streams` | stream name                | its head: number, last revision, limits                        |
 * | `facts`   | `state`                    | format, next position, next stream number, end of the index    |
 *
 * Every commit writes to `log` and `facts`; `runs` and `streams` follow now and then and are complete up to the end of
 * the index. What is behind it is held in the tail, which opening the store makes anew from the blocks.
 */

const FORMAT = 2
export const FILE = 'events.mdb'

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

interface StoredState extends State {
  /** Blocks from this position on are not in the index yet. */
  readonly indexed: number
}

type Table = Database<Buffer, Buffer>

const STATE_KEY = Buffer.from('state')
const BLOCKS_PER_PAGE = 16
const HEADS_PER_TRANSACTION = 10_000

/** The LMDB environment. Reads see what is durable and nothing else: a transaction becomes visible after its sync. */
export class Store {
  state: State
  private indexed = 0
  private readonly tail = new Tail()
  /** Events are asked for one after the other; blocks never change. */
  private lastBlock: Block | undefined
  private closing: Promise<void> | undefined
  private readonly root: RootDatabase<Buffer, Buffer>
  private readonly log: Table
  private readonly runs: Table
  private readonly streams: Table
  private readonly facts: Table

  constructor(folder: string, { noSync, path = join(folder, FILE) }: { noSync: boolean; path?: string }) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
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
    this.state = this.recovered()
  }

  get isEmpty(): boolean {
    return this.state.nextPosition === 0
  }

  head(name: string): Head | undefined {
    return this.tail.heads.get(name) ?? this.indexedHead(name)
  }

  /** Resolves when the changes are on disk, all of them; rejects when none is. */
  async commit(changes: Changes): Promise<void> {
    const withIndex = this.tail.isLong
    const indexed = withIndex ? this.state.nextPosition : this.indexed
    await this.transact(() => {
      for (const block of changes.blocks) void this.log.put(positionKey(block.position), block.bytes)
      if (withIndex) this.putIndex()
      this.putState(changes.state, indexed)
    })
    if (withIndex) this.tail.clear()
    this.indexed = indexed
    this.tail.add(changes.blocks, changes.runs, changes.heads)
    this.state = changes.state
  }

  /** Brings the tables up to date, so that nothing but the tables need be copied. */
  async flushIndex(): Promise<void> {
    if (this.tail.isEmpty) return
    await this.transact(() => {
      this.putIndex()
      this.putState(this.state, this.state.nextPosition)
    })
    this.tail.clear()
    this.indexed = this.state.nextPosition
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
    if (this.lastBlock?.position === position) return this.lastBlock
    const value = this.log.get(positionKey(position))
    if (value) this.lastBlock = { position, bytes: asBuffer(value) }
    return value && this.lastBlock
  }

  /** Runs of a stream forwards, beginning with the one that holds `revision`. */
  runsFrom(stream: number, revision: number, limit: number): Run[] {
    const [floor] = this.runsBackFrom(stream, revision, 1)
    const from = floor?.revision ?? revision
    const runs = this.readRuns({ start: runKey(stream, from), end: runKey(stream + 1, 0), limit })
    const last = runs.at(-1)?.revision ?? -1
    // A run may be in both for a moment, while its transaction is being acknowledged.
    if (runs.length < limit)
      for (const run of this.tail.runsOf(stream)) if (run.revision >= from && run.revision > last) runs.push(run)
    return runs
  }

  /** Runs of a stream backwards, beginning with the one that holds `revision`. */
  runsBackFrom(stream: number, revision: number, limit: number): Run[] {
    const runs = this.tail.runsBackFrom(stream, revision, limit)
    if (runs.length >= limit) return runs
    const below = runs.length > 0 ? runs.at(-1)!.revision - 1 : revision
    if (below < 0) return runs
    const start = runKey(stream, below)
    return [...runs, ...this.readRuns({ start, end: runKey(stream, 0), limit: limit - runs.length, reverse: true })]
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
  *allBlocks(position = 0): Generator<Block> {
    for (let from = position; ; ) {
      const page = this.blocksFrom(from, BLOCKS_PER_PAGE)
      yield* page
      if (page.length === 0) return
      from = page.at(-1)!.position + 1
    }
  }

  /** Takes over the heads of another store as they are, a transaction at a time. */
  async takeHeads(source: Store): Promise<void> {
    await source.flushIndex()
    await this.flushIndex()
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

  private async transact(put: () => void): Promise<void> {
    try {
      await this.root.batch(put)
    } catch (error) {
      throw await reasonOf(error)
    }
  }

  private putIndex(): void {
    const runs = [...this.tail.allRuns()]
    const values = Buffer.allocUnsafeSlow(runs.length * RUN_SIZE + this.tail.heads.size * HEAD_SIZE)
    let at = 0
    for (const run of runs) {
      const value = values.subarray(at, at + RUN_SIZE)
      writeRun(value, run)
      void this.runs.put(runKey(run.stream, run.revision), value)
      at += RUN_SIZE
    }
    for (const [name, head] of this.tail.heads) {
      const value = values.subarray(at, at + HEAD_SIZE)
      writeHead(value, head)
      void this.streams.put(nameKey(name), value)
      at += HEAD_SIZE
    }
  }

  private putState({ nextPosition, nextStream }: State, indexed: number): void {
    const value = Buffer.allocUnsafeSlow(STATE_SIZE)
    value.writeUInt32BE(FORMAT, 0)
    writeUint64(value, 4, nextPosition)
    value.writeUInt32BE(nextStream, 12)
    writeUint64(value, 16, indexed)
    void this.facts.put(STATE_KEY, value)
  }

  private indexedHead(name: string): Head | undefined {
    const value = this.streams.get(nameKey(name))
    return value && readHead(asBuffer(value))
  }

  /** Reads the state and makes the tail anew. */
  private recovered(): State {
    const { nextPosition, nextStream, indexed } = this.readState()
    this.indexed = indexed
    // The numbers that the tail's new streams had are nowhere on disk: they get fresh ones.
    let next = nextStream
    for (const block of this.allBlocks(indexed))
      this.tail.recover(
        block,
        name => this.indexedHead(name),
        () => next++,
      )
    return { nextPosition, nextStream: next }
  }

  private readState(): StoredState {
    const value = this.facts.get(STATE_KEY)
    if (value === undefined) return { nextPosition: 0, nextStream: 1, indexed: 0 }
    const bytes = asBuffer(value)
    const format = bytes.readUInt32BE(0)
    if (format !== FORMAT) throw new Error(`The event store has format ${format}; this version reads ${FORMAT}`)
    return { nextPosition: readUint64(bytes, 4), nextStream: bytes.readUInt32BE(12), indexed: readUint64(bytes, 16) }
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

const STATE_SIZE = 24

/** What the binding says of a failed commit stands in a promise of its own. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  return commitError ? commitError.catch((reason: unknown) => reason) : error
}

/** lmdb-js answers Uint8Arrays that it does not use again; Buffer methods are wanted on them. */
function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
