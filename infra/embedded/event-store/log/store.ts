/**
 * The log and its index: the tables, and behind them the tail, which the journal keeps. A commit is durable when the
 * journal has it, and readers see it then and not before. Now and then the tail moves into the tables, while a new one
 * takes the commits.
 */
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
const BLOCKS_PER_PAGE = 16
/** A reader numbers streams that the tables do not know from here on: a server beside it may use lower numbers. */
const READER_STREAMS = 2 ** 31

/** What one commit changes. */
export type Changes = {
  readonly blocks: readonly Block[]
  readonly runs: readonly StagedRun[]
  readonly heads: ReadonlyMap<string, Head>
  readonly state: State
}

export type StoreOptions = {
  /** Leaves out the syncs, for a store that need not outlive its process. */
  readonly noSync?: boolean
  /** Shows the store as it is now, changes nothing on disk, and needs no lock. */
  readonly readOnly?: { /** Whether a server may be writing it meanwhile. */ readonly isServed: boolean }
  readonly path?: string
  /** Throws when this process may no longer write the folder. */
  readonly mayWrite?: () => void
}

export class Store {
  state: State
  /** Bytes at the end of the journal that were no whole commit and were passed over. */
  torn = 0
  readonly #options: StoreOptions
  readonly #tables: Tables
  readonly #journal: Journal
  #tail = new Tail()
  /** The tail that is on its way into the tables, and where the log ends in it. */
  #moving: { readonly tail: Tail; readonly state: State } | undefined
  #move: Promise<void> | undefined
  #append: Promise<Entry> | undefined
  /** Set while the journal still holds what was found in it. */
  #isRecovered = false
  /** The block of the last event asked for: the next one is often in it, and blocks never change. */
  #lastBlock: Block | undefined
  #closing: Promise<void> | undefined

  constructor(folder: string, options: StoreOptions = {}) {
    const { noSync = false, readOnly, path = join(folder, FILE) } = options
    if (readOnly === undefined) mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#options = options
    const files = readJournal(path)
    checkTablesExist(path, files)
    this.#tables = new Tables(path, { noSync, readOnly: readOnly !== undefined })
    const inUse = (fileNumber: number) => this.#tables.useJournal(this.#tables.journalInUse | (1 << fileNumber))
    this.#journal = new Journal(path, this.#tables.mark, { noSync, inUse })
    this.state = this.#tables.state
    this.#recover(files, path)
  }

  get isEmpty(): boolean {
    return this.state.nextPosition === 0
  }

  head(name: string): Head | undefined {
    return this.#tail.heads.get(name) ?? this.#moving?.tail.heads.get(name) ?? this.#tables.head(name)
  }

  /** Resolves when all changes are on disk; rejects when they are not known to be. Only one commit may be under way. */
  async commit({ blocks, runs, heads, state }: Changes): Promise<void> {
    this.#options.mayWrite?.()
    if (this.#isRecovered || (this.#moving && this.#tail.isFull)) await this.#moved()
    this.#append = this.#journal.append({ from: this.state.nextPosition, to: state.nextPosition, blocks })
    const entry = await this.#append
    this.#tail.add(entry.blocks, runs, heads)
    this.state = state
    if (this.#tail.isLong && !this.#moving) this.#beginTail()
    if (this.#moving) this.#moved().catch(() => {}) // A commit that has to wait for the move reports its failure.
  }

  /** Brings the tables up to date, so that a copy needs nothing but them. */
  async flush(): Promise<void> {
    while (this.#tables.state.nextPosition < this.state.nextPosition) await this.#moved()
  }

  /** Up to `limit` blocks in log order, beginning with the one at or behind `position`. */
  blocksFrom(position: number, limit: number): Block[] {
    const blocks = this.#tables.blocksFrom(position, limit)
    for (const tail of this.#tails())
      if (blocks.length < limit) blocks.push(...tail.blocksFrom(position, limit - blocks.length))
    return blocks
  }

  /** Up to `limit` blocks against log order, beginning with the last one that starts at or before `position`. */
  blocksBackFrom(position: number, limit: number): Block[] {
    const blocks: Block[] = []
    for (const source of [...this.#tails().reverse(), this.#tables])
      if (blocks.length < limit) blocks.push(...source.blocksBackFrom(position, limit - blocks.length))
    return blocks
  }

  block(position: number): Block | undefined {
    if (this.#lastBlock?.position === position) return this.#lastBlock
    const block = this.#tables.block(position) ?? this.#tailBlock(position)
    if (block) this.#lastBlock = block
    return block
  }

  /** Runs of a stream forwards, beginning with the one that holds `revision`. */
  runsFrom(streamNumber: number, revision: number, limit: number): Run[] {
    const [floor] = this.runsBackFrom(streamNumber, revision, 1)
    const from = floor?.revision ?? revision
    const runs = this.#tables.runsFrom(streamNumber, from, limit)
    if (runs.length < limit)
      for (const tail of this.#tails())
        for (const run of tail.runsOf(streamNumber)) if (run.revision >= from) runs.push(run)
    return runs
  }

  /** Runs of a stream backwards, beginning with the one that holds `revision`. */
  runsBackFrom(streamNumber: number, revision: number, limit: number): Run[] {
    const runs: Run[] = []
    for (const source of [...this.#tails().reverse(), this.#tables]) {
      const below = runs.length > 0 ? runs.at(-1)!.revision - 1 : revision
      if (runs.length >= limit || below < 0) break
      runs.push(...source.runsBackFrom(streamNumber, below, limit - runs.length))
    }
    return runs
  }

  /** The event of a stream at a revision, as the view of a frame; undefined when there is none. */
  event(streamNumber: number, revision: number): FrameView | undefined {
    const [run] = this.runsBackFrom(streamNumber, revision, 1)
    if (run === undefined || revision - run.revision >= run.count) return undefined
    const block = this.block(run.blockPosition)
    if (block === undefined) return undefined
    let at = run.offset
    for (let skip = revision - run.revision; skip > 0; skip--) at = frameEnd(block.bytes, at)
    return parseFrame(block.bytes, at, newFrameView())
  }

  /** Does work that looks for damage: it may read blocks that do not match their checksums. */
  showingDamage<T>(work: () => T): T {
    this.#tables.refusesDamage = false
    try {
      return work()
    } finally {
      this.#tables.refusesDamage = true
      this.#lastBlock = undefined
    }
  }

  /** Every block in log order from a position on; from 0 also those before the beginning of `$all`. */
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
    await this.#tables.takeHeads(source.#tables)
  }

  /** Moves everything into the tables and closes them; may be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { noSync, readOnly } = this.#options
    await Promise.allSettled([this.#append, this.#move])
    const isFlushed = readOnly === undefined && !noSync && (await this.#settle())
    await this.#tables.close()
    await this.#journal.close({ remove: isFlushed })
  }

  /** False when something does not fit into the tables: it stays in the journal for the next start. */
  async #settle(): Promise<boolean> {
    try {
      await this.flush()
      await this.#tables.useJournal(0)
      return true
    } catch {
      return false
    }
  }

  /** The tails, older first. */
  #tails(): Tail[] {
    return this.#moving ? [this.#moving.tail, this.#tail] : [this.#tail]
  }

  #tailBlock(position: number): Block | undefined {
    for (const tail of this.#tails()) {
      const [block] = tail.blocksFrom(position, 1)
      if (block?.position === position) return block
    }
    return undefined
  }

  /** Resolves when the moving tail is in the tables; without one, the tail that takes the commits begins to move. */
  #moved(): Promise<void> {
    this.#move ??= this.#moveTail().finally(() => {
      this.#move = undefined
    })
    return this.#move
  }

  async #moveTail(): Promise<void> {
    if (!this.#moving) this.#beginTail()
    await nextTurn() // Lets the answers to the commit that began this go first.
    this.#options.mayWrite?.()
    const { tail, state } = this.#moving!
    await this.#tables.put(tail, state)
    this.#moving = undefined
    this.#isRecovered = false
  }

  #beginTail(): void {
    this.#moving = { tail: this.#tail, state: this.state }
    this.#tail = new Tail()
    this.#journal.turn()
  }

  /** Makes the tail anew from what the journal holds; closes the tables when it is damaged. */
  #recover(files: readonly Buffer[], path: string): void {
    try {
      this.#recoverTail(files, path)
    } catch (error) {
      void this.#tables.close()
      throw error
    }
  }

  #recoverTail(files: readonly Buffer[], path: string): void {
    const { nextPosition, nextStream } = this.#tables.state
    const { entries, isDamaged } = entriesBehind(files, this.#tables.mark, nextPosition)
    const end = entries.at(-1)?.to ?? nextPosition
    // A server that is writing leaves entries half written and begins files over, which looks like damage.
    if (this.#options.readOnly?.isServed !== true) {
      checkFiles(files, path, this.#tables)
      if (isDamaged) throw damaged(path, end)
      this.torn = tornBytes(files, this.#tables.mark, end)
    }
    if (entries.length === 0) return
    const tail = new Tail()
    // The journal does not keep the numbers of the tail's new streams: they get fresh ones.
    let number = this.#options.readOnly ? READER_STREAMS : nextStream
    const known = (name: string): Head | undefined => this.#tables.head(name)
    for (const { blocks } of entries) for (const block of blocks) tail.recover(block, known, () => number++)
    this.state = { nextPosition: end, nextStream: number }
    this.#moving = { tail, state: this.state }
    this.#isRecovered = true
  }
}

/** Refuses a journal without its tables, because LMDB would make a new file and the log would begin anew. */
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
