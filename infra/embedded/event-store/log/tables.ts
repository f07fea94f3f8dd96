/**
 * The tables on disk (one LMDB environment):
 *
 * | table     | key                        | value                                                          |
 * |-----------|----------------------------|----------------------------------------------------------------|
 * | `log`     | position of a first event  | a block: checksum, count, then frames in `$all` order          |
 * | `runs`    | stream number, revision    | where in which block a run of that stream's events stands      |
 * | `streams` | stream name                | its head: number, last revision, limits                        |
 * | `facts`   | `state`                    | format, next position, next stream number, mark of the journal |
 * | `facts`   | `journal`                  | a bit for each file of the journal that is in use              |
 *
 * Every table holds everything before `state.nextPosition`. Nothing behind it is read, because another process may have
 * written more since the tables were opened.
 */
import { randomBytes } from 'node:crypto'
import { type Database, open, type RootDatabase } from 'lmdb'
import { type Block, DamagedBlock, isIntact } from './block.ts'
import { HEAD_SIZE, type Head, readHead, writeHead } from './head.ts'
import { nameKey, positionKey, readPositionKey, readRunKey, readUint64, runKey, writeUint64 } from './keys.ts'
import { checkFile } from './lmdb-file.ts'
import { RUN_SIZE, type Run, readRun, type Tail, writeRun } from './tail.ts'

const FORMAT = 3
const STATE_KEY = Buffer.from('state')
const JOURNAL_KEY = Buffer.from('journal')
const STATE_SIZE = 24
const MARK_SIZE = 8
const NAMES: readonly string[] = ['log', 'runs', 'streams', 'facts']
/** How many blocks are remembered as sound, so that their checksums are computed at the first reading only. */
const SOUND_MAX = 65_536
const HEADS_PER_TRANSACTION = 10_000

export type State = {
  readonly nextPosition: number
  readonly nextStream: number
}

type Table = Database<Buffer, Buffer>

export class Tables {
  state: State
  /** Random bytes that the journal's entries of this store begin with. */
  readonly mark: Buffer
  /** Whether the tables were made just now. */
  readonly isNew: boolean
  /** Off while damage is looked for, which reads blocks as they are. */
  refusesDamage = true
  readonly #sound = new Set<number>()
  readonly #root: RootDatabase<Buffer, Buffer>
  readonly #log: Table
  readonly #runs: Table
  readonly #streams: Table
  readonly #facts: Table

  constructor(path: string, { noSync, readOnly }: { noSync: boolean; readOnly: boolean }) {
    checkFile(path)
    this.#root = open<Buffer, Buffer>({
      path,
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 8,
      noSync,
      readOnly,
      // The sync is part of the commit, because the journal's file is begun over as soon as the commit resolves.
      overlappingSync: false,
      // The binding's own batches would reject promises that no code holds; transactions are put together here.
      eventTurnBatching: false,
    })
    this.#checkTables(path)
    const table = (name: string): Table => this.#root.openDB({ name, encoding: 'binary', keyEncoding: 'binary' })
    this.#log = table('log')
    this.#runs = table('runs')
    this.#streams = table('streams')
    this.#facts = table('facts')
    const stored = this.#facts.get(STATE_KEY)
    this.isNew = stored === undefined
    if (stored === undefined) {
      this.state = { nextPosition: 0, nextStream: 1 }
      this.mark = randomBytes(MARK_SIZE)
      if (!readOnly) this.#facts.putSync(STATE_KEY, this.#stateValue(this.state))
    } else {
      const value = asBuffer(stored)
      const format = value.readUInt32BE(0)
      if (format !== FORMAT)
        throw new Error(
          `The event store has format ${format}, and this version reads ${FORMAT}: run \`kogi store export\` of the ` +
            'version that wrote it, and `kogi store import --open-ended` of this one into an empty folder',
        )
      this.state = { nextPosition: readUint64(value, 4), nextStream: value.readUInt32BE(12) }
      this.mark = value.subarray(16, 16 + MARK_SIZE)
    }
  }

  head(name: string): Head | undefined {
    const value = this.#streams.get(nameKey(name))
    return value && readHead(asBuffer(value))
  }

  /** Up to `limit` blocks in log order, beginning with the one at or behind `position`. */
  blocksFrom(position: number, limit: number): Block[] {
    const { nextPosition } = this.state
    if (position >= nextPosition) return []
    return this.#blocks({ start: positionKey(position), end: positionKey(nextPosition), limit })
  }

  /** Up to `limit` blocks against log order, beginning with the last one that starts at or before `position`. */
  blocksBackFrom(position: number, limit: number): Block[] {
    const { nextPosition } = this.state
    if (limit <= 0 || nextPosition === 0) return []
    return this.#blocks({ start: positionKey(Math.min(position, nextPosition - 1)), limit, reverse: true })
  }

  block(position: number): Block | undefined {
    const value = position < this.state.nextPosition ? this.#log.get(positionKey(position)) : undefined
    return value && this.#soundBlock(position, asBuffer(value))
  }

  /** Runs of a stream forwards from one that begins at `revision` or behind it. */
  runsFrom(streamNumber: number, revision: number, limit: number): Run[] {
    const runs = this.#readRuns({ start: runKey(streamNumber, revision), end: runKey(streamNumber + 1, 0), limit })
    return runs.filter(run => run.blockPosition < this.state.nextPosition)
  }

  /** Runs of a stream backwards, beginning with the one that holds `revision`, which must be in the tables. */
  runsBackFrom(streamNumber: number, revision: number, limit: number): Run[] {
    return this.#readRuns({ start: runKey(streamNumber, revision), end: runKey(streamNumber, 0), limit, reverse: true })
  }

  /** Resolves when a whole tail is on disk, so that the tables hold everything before `state`; else none of it is. */
  async put(tail: Tail, state: State): Promise<void> {
    try {
      await this.#root.batch(() => {
        for (const block of tail.blocks) void this.#log.put(positionKey(block.position), block.bytes)
        this.#putRuns(tail)
        this.#putHeads(tail)
        void this.#facts.put(STATE_KEY, this.#stateValue(state))
      })
    } catch (error) {
      throw await reasonOf(error)
    }
    this.state = state
  }

  /** Takes over the heads of other tables as they are, a transaction at a time. */
  async takeHeads(source: Tables): Promise<void> {
    let batch: { key: Buffer; value: Buffer }[] = []
    const put = () => this.#root.batch(() => batch.map(({ key, value }) => this.#streams.put(key, value)))
    for (const { key, value } of source.#streams.getRange({})) {
      batch.push({ key: asBuffer(key), value: asBuffer(value) })
      if (batch.length < HEADS_PER_TRANSACTION) continue
      await put()
      batch = []
    }
    await put()
  }

  /** Bits of the journal's files that must be there; a clean stop leaves none. */
  get journalInUse(): number {
    const value = this.#facts.get(JOURNAL_KEY)
    return value === undefined ? 0 : value[0]!
  }

  /** Resolves when the tables on disk say which of the journal's files are in use. */
  async useJournal(bits: number): Promise<void> {
    if (bits !== this.journalInUse) await this.#root.batch(() => void this.#facts.put(JOURNAL_KEY, Buffer.from([bits])))
  }

  close(): Promise<void> {
    return this.#root.close()
  }

  #putRuns(tail: Tail): void {
    const runs = [...tail.allRuns()]
    const values = Buffer.allocUnsafeSlow(runs.length * RUN_SIZE)
    for (const [index, run] of runs.entries()) {
      const value = values.subarray(index * RUN_SIZE, (index + 1) * RUN_SIZE)
      writeRun(value, run)
      void this.#runs.put(runKey(run.streamNumber, run.revision), value)
    }
  }

  #putHeads({ heads }: Tail): void {
    const values = Buffer.allocUnsafeSlow(heads.size * HEAD_SIZE)
    let at = 0
    for (const [name, head] of heads) {
      const value = values.subarray(at, at + HEAD_SIZE)
      writeHead(value, head)
      void this.#streams.put(nameKey(name), value)
      at += HEAD_SIZE
    }
  }

  #stateValue({ nextPosition, nextStream }: State): Buffer {
    const value = Buffer.allocUnsafeSlow(STATE_SIZE)
    value.writeUInt32BE(FORMAT, 0)
    writeUint64(value, 4, nextPosition)
    value.writeUInt32BE(nextStream, 12)
    value.set(this.mark, 16)
    return value
  }

  #blocks(range: { start: Buffer; end?: Buffer; limit: number; reverse?: boolean }): Block[] {
    const found: Block[] = []
    for (const { key, value } of this.#log.getRange(range))
      found.push(this.#soundBlock(readPositionKey(key), asBuffer(value)))
    return found
  }

  /** Refuses a file of another program before anything is made in it. */
  #checkTables(path: string): void {
    const names = [...this.#root.getKeys({})].map(key => asBuffer(key).toString('latin1').replace(/\0$/, ''))
    const foreign = names.find(name => !NAMES.includes(name))
    if (foreign === undefined) return
    void this.#root.close()
    throw new Error(`${path} is no event store: it has a table ${JSON.stringify(foreign)}. Choose another folder`)
  }

  #soundBlock(position: number, bytes: Buffer): Block {
    if (this.refusesDamage && !this.#sound.has(position)) {
      if (!isIntact(bytes)) throw new DamagedBlock(position)
      if (this.#sound.size >= SOUND_MAX) this.#sound.clear()
      this.#sound.add(position)
    }
    return { position, bytes }
  }

  #readRuns(range: { start: Buffer; end: Buffer; limit: number; reverse?: boolean }): Run[] {
    const wanted = range.start.readUInt32BE(0)
    const found: Run[] = []
    for (const { key, value } of this.#runs.getRange({ ...range, inclusiveEnd: range.reverse === true })) {
      const { streamNumber, revision } = readRunKey(key)
      if (streamNumber === wanted) found.push(readRun(asBuffer(value), revision))
    }
    return found
  }
}

/** The reason of a failed commit, which the binding gives in a promise of its own. */
async function reasonOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> }
  return commitError ? commitError.catch((reason: unknown) => reason) : error
}

/** The bytes with the methods of a Buffer; lmdb-js answers Uint8Arrays that it does not use again. */
function asBuffer(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}
