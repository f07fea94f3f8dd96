import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Block } from './block.ts'
import { type FrameView, frameEnd, newFrameView, parseFrame } from './frame.ts'
import type { Head } from './head.ts'
import { Journal } from './journal.ts'
import type { Entry } from './journal-entry.ts'
import { checkFiles, entriesBehind, readJournal, tornBytes } from './recovery.ts'
import { type State, Tables } from './tables.ts'
import { type Run, type StagedRun, Tail } from './tail.ts'

export const FILE = 'events.mdb'

/** One commit's worth of changes. */
export interface Changes {
  readonly blocks: readonly Block[]
  readonly runs: readonly StagedRun[]
  readonly heads: ReadonlyMap<string, Head>
  readonly state: State
}

export interface StoreOptions {
  /** Nothing need outlive the process. */
  readonly noSync?: boolean
  /** Changes nothing on disk, and needs no lock: the store as it was when this was opened. */
  readonly readOnly?: { /** Whether a server may be writing it meanwhile. */ readonly isServed: boolean }
  readonly path?: string
  /** Throws when the folder is no longer this process's to write. */
  readonly mayWrite?: () => void
}

const BLOCKS_PER_PAGE = 16
/** Numbers that a reader gives to streams that the tables do not know yet: a server beside it may use lower ones. */
const READER_STREAMS = 2 ** 31

/**
 * The log and its index: the tables, and behind them the tail, which the journal keeps. A commit is durable when the
 * journal has it, and is shown to readers then and not before; now and then the tail moves into the tables, while a new
 * one takes the commits.
 */
export class Store {
  state: State
  /** Bytes at the end of the journal that were no whole commit and were passed over. */
  torn = 0
  private tail = new Tail()
  /** The tail that is on its way into the tables, and where the log ends in it. */
  private moving: { readonly tail: Tail; readonly state: State } | undefined
  private move: Promise<void> | undefined
  private append: Promise<Entry> | undefined
  /** Set while the journal still holds what was found in it. */
  private isRecovered = false
  /** Events are asked for one after the other; blocks never change. */
  private lastBlock: Block | undefined
  private closing: Promise<void> | undefined
  private readonly options: StoreOptions
  private readonly tables: Tables
  private readonly journal: Journal

  constructor(folder: string, options: StoreOptions = {}) {
    const { noSync = false, readOnly, path = join(folder, FILE) } = options
    if (readOnly === undefined) mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.options = options
    const files = readJournal(path)
    checkTablesExist(path, files)
    this.tables = new Tables(path, { noSync, readOnly: readOnly !== undefined })
    const inUse = (file: number) => this.tables.useJournal(this.tables.journalInUse | (1 << file))
    this.journal = new Journal(path, this.tables.mark, { noSync, inUse })
    this.state = this.tables.state
    this.recover(files, path)
  }

  get isEmpty(): boolean {
    return this.state.nextPosition === 0
  }

  head(name: string): Head | undefined {
    return this.tail.heads.get(name) ?? this.moving?.tail.heads.get(name) ?? this.tables.head(name)
  }

  /** Resolves when the changes are on disk, all of them; rejects when they are not known to be. One at a time. */
  async commit({ blocks, runs, heads, state }: Changes): Promise<void> {
    this.options.mayWrite?.()
    if (this.isRecovered || (this.moving && this.tail.isFull)) await this.moved()
    this.append = this.journal.append({ from: this.state.nextPosition, to: state.nextPosition, blocks })
    const entry = await this.append
    this.tail.add(entry.blocks, runs, heads)
    this.state = state
    if (this.tail.isLong && !this.moving) this.beginTail()
    if (this.moving) this.moved().catch(() => {}) // A failure is told by the commit that cannot do without.
  }

  /** Brings the tables up to date, so that nothing but the tables need be copied. */
  async flush(): Promise<void> {
    while (this.tables.state.nextPosition < this.state.nextPosition) await this.moved()
  }

  /** Up to `limit` blocks in log order, beginning with the one at or behind `position`. */
  blocksFrom(position: number, limit: number): Block[] {
    const blocks = this.tables.blocksFrom(position, limit)
    for (const tail of this.tails())
      if (blocks.length < limit) blocks.push(...tail.blocksFrom(position, limit - blocks.length))
    return blocks
  }

  /** Up to `limit` blocks against log order, beginning with the last one that starts at or before `position`. */
  blocksBackFrom(position: number, limit: number): Block[] {
    const blocks: Block[] = []
    for (const source of [...this.tails().reverse(), this.tables])
      if (blocks.length < limit) blocks.push(...source.blocksBackFrom(position, limit - blocks.length))
    return blocks
  }

  block(position: number): Block | undefined {
    if (this.lastBlock?.position === position) return this.lastBlock
    const block = this.tables.block(position) ?? this.tailBlock(position)
    if (block) this.lastBlock = block
    return block
  }

  /** Runs of a stream forwards, beginning with the one that holds `revision`. */
  runsFrom(stream: number, revision: number, limit: number): Run[] {
    const [floor] = this.runsBackFrom(stream, revision, 1)
    const from = floor?.revision ?? revision
    const runs = this.tables.runsFrom(stream, from, limit)
    if (runs.length < limit)
      for (const tail of this.tails()) for (const run of tail.runsOf(stream)) if (run.revision >= from) runs.push(run)
    return runs
  }

  /** Runs of a stream backwards, beginning with the one that holds `revision`. */
  runsBackFrom(stream: number, revision: number, limit: number): Run[] {
    const runs: Run[] = []
    for (const source of [...this.tails().reverse(), this.tables]) {
      const below = runs.length > 0 ? runs.at(-1)!.revision - 1 : revision
      if (runs.length >= limit || below < 0) break
      runs.push(...source.runsBackFrom(stream, below, limit - runs.length))
    }
    return runs
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

  /** Work that looks for damage: it is shown blocks that no longer match their checksums, which are refused else. */
  showingDamage<T>(work: () => T): T {
    this.tables.refusesDamage = false
    try {
      return work()
    } finally {
      this.tables.refusesDamage = true
      this.lastBlock = undefined
    }
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

  /** Takes over the heads of another store as they are. */
  async takeHeads(source: Store): Promise<void> {
    await source.flush()
    await this.flush()
    await this.tables.takeHeads(source.tables)
  }

  /** Closing twice is allowed. */
  close(): Promise<void> {
    this.closing ??= this.end()
    return this.closing
  }

  private async end(): Promise<void> {
    const { noSync, readOnly } = this.options
    await Promise.allSettled([this.append, this.move])
    // What does not fit into the tables stays in the journal, for the next start.
    const settle = () => this.flush().then(() => this.tables.useJournal(0))
    const isFlushed = readOnly === undefined && !noSync && (await settle().then(succeeded, failed))
    await this.tables.close()
    await this.journal.close({ remove: isFlushed })
  }

  /** The tails, older first. */
  private tails(): Tail[] {
    return this.moving ? [this.moving.tail, this.tail] : [this.tail]
  }

  private tailBlock(position: number): Block | undefined {
    for (const tail of this.tails()) {
      const [block] = tail.blocksFrom(position, 1)
      if (block?.position === position) return block
    }
    return undefined
  }

  /** Resolves when what is on its way into the tables is there; a tail that is not yet on its way sets out. */
  private moved(): Promise<void> {
    this.move ??= this.moveTail().finally(() => {
      this.move = undefined
    })
    return this.move
  }

  private async moveTail(): Promise<void> {
    if (!this.moving) this.beginTail()
    await nextTurn() // The answers to the commit that set this off go first.
    this.options.mayWrite?.()
    const { tail, state } = this.moving!
    await this.tables.put(tail, state)
    this.moving = undefined
    this.isRecovered = false
  }

  private beginTail(): void {
    this.moving = { tail: this.tail, state: this.state }
    this.tail = new Tail()
    this.journal.turn()
  }

  /** Makes the tail anew from what the journal holds. */
  private recover(files: readonly Buffer[], path: string): void {
    const { nextPosition, nextStream } = this.tables.state
    const isServed = this.options.readOnly?.isServed === true
    try {
      if (!isServed) checkFiles(files, path, this.tables)
    } catch (error) {
      void this.tables.close()
      throw error
    }
    const { entries, isDamaged } = entriesBehind(files, this.tables.mark, nextPosition)
    // Beside a server that is writing, entries are seen half written and files begun over.
    if (isDamaged && !isServed) {
      void this.tables.close()
      throw damaged(path, entries.at(-1)?.to ?? nextPosition)
    }
    if (!isServed) this.torn = tornBytes(files, this.tables.mark, entries.at(-1)?.to ?? nextPosition)
    if (entries.length === 0) return
    const tail = new Tail()
    // The numbers that the tail's new streams had are nowhere on disk: they get fresh ones.
    let number = this.options.readOnly ? READER_STREAMS : nextStream
    const known = (name: string): Head | undefined => this.tables.head(name)
    for (const { blocks } of entries) for (const block of blocks) tail.recover(block, known, () => number++)
    this.state = { nextPosition: entries.at(-1)!.to, nextStream: number }
    this.moving = { tail, state: this.state }
    this.isRecovered = true
  }
}

/** A log without its tables must not begin anew: LMDB would make the file that is missing. */
function checkTablesExist(path: string, files: readonly Buffer[]): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (size > 0 || files.every(bytes => bytes.every(byte => byte === 0))) return
  throw new Error(
    `${path} is ${existsSync(path) ? 'empty' : 'missing'}, and its journal has commits: ` +
      'restore the whole folder from a backup; nothing was changed in it',
  )
}

function damaged(path: string, position: number): Error {
  return new Error(
    `The journal is damaged: what was stored behind position ${position} cannot be read. ` +
      `Restore the folder from a backup. Without one, copy the folder first; only then remove ${path}-journal-a ` +
      `and ${path}-journal-b, which loses every commit that only they hold`,
  )
}

const succeeded = (): boolean => true
const failed = (): boolean => false
