/**
 * The journal, where a commit becomes durable: its blocks are written behind those of the commit before, with one sync,
 * into space that the file has already, which is the least that a disk can be asked for. Two files take turns: while
 * the tables take over what one of them holds, the other is written; the first is then begun over.
 */
import { close, closeSync, constants, fdatasync, fsyncSync, openSync, rmSync, write } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { type Entry, encodeEntry } from './journal-entry.ts'

export const GROWTH_BYTES = 1024 * 1024
const FILES = ['journal-a', 'journal-b'] as const
const FILE_MODE = 0o600
/** Other systems than Linux leave the data in the disk's own cache in spite of the flag, and need a sync of its own. */
const SYNC_FLAG = process.platform === 'linux' ? constants.O_DSYNC : 0

const closeFile = promisify(close)
const sync = promisify(fdatasync)

export type JournalOptions = {
  /** Leaves out the syncs, for a store that need not outlive its process. */
  readonly noSync: boolean
  /** Called with the number of each file when it exists and before anything is in it. */
  readonly inUse: (fileNumber: number) => Promise<void>
}

/** The two files of a store. */
export function journalPaths(store: string): string[] {
  return FILES.map(name => `${store}-${name}`)
}

export class Journal {
  readonly #paths: readonly string[]
  readonly #mark: Buffer
  readonly #options: JournalOptions
  readonly #files: (JournalFile | undefined)[] = []
  /** Number of the file that is written. */
  #current = 0

  /** Every entry begins with `mark`, by which the entries of this store are known. */
  constructor(store: string, mark: Buffer, options: JournalOptions) {
    this.#paths = journalPaths(store)
    this.#mark = mark
    this.#options = options
  }

  /**
   * Resolves when the entry is on disk, with its blocks in memory of their own. After a failure the next entry takes
   * the place of the one that failed.
   */
  async append(entry: Entry): Promise<Entry> {
    const file = await this.#file()
    const { bytes, copy } = encodeEntry(this.#mark, entry)
    await this.#write(file, bytes, file.end)
    file.end += bytes.length
    if (file.end > file.size) await this.#grow(file)
    return copy
  }

  /** Goes on at the beginning of the other file, whose entries must be in the tables by now. */
  turn(): void {
    this.#current = 1 - this.#current
    const file = this.#files[this.#current]
    if (file) file.end = 0
  }

  /** Closes the files, and removes them when everything in them is in the tables. */
  async close({ remove }: { remove: boolean }): Promise<void> {
    for (const file of this.#files) if (file) await closeFile(file.fd)
    if (remove) for (const path of this.#paths) rmSync(path, { force: true })
  }

  async #file(): Promise<JournalFile> {
    const known = this.#files[this.#current]
    if (known) return known
    const path = this.#paths[this.#current]!
    const { noSync, inUse } = this.#options
    const flags = constants.O_RDWR | constants.O_CREAT | (noSync ? 0 : SYNC_FLAG)
    const file = { fd: openSync(path, flags, FILE_MODE), end: 0, size: GROWTH_BYTES }
    try {
      await this.#write(file, Buffer.alloc(GROWTH_BYTES), 0)
      if (!noSync) syncFolder(dirname(path))
      await inUse(this.#current)
    } catch (error) {
      await closeFile(file.fd)
      throw error
    }
    this.#files[this.#current] = file
    return file
  }

  /** Fills the file with zeros to the next full megabyte, so that not every commit has to make it longer. */
  async #grow(file: JournalFile): Promise<void> {
    const size = Math.ceil(file.end / GROWTH_BYTES) * GROWTH_BYTES
    file.size = file.end
    try {
      await this.#write(file, Buffer.alloc(size - file.end), file.end)
      file.size = size
    } catch {
      // It is tried again behind the next entry, which fails when the disk is full.
    }
  }

  async #write({ fd }: JournalFile, bytes: Buffer, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done), position + done)
    } catch (error) {
      throw new Error(`${this.#paths[this.#current]}: ${(error as Error).message}`, { cause: error })
    }
    if (!this.#options.noSync && SYNC_FLAG === 0) await sync(fd)
  }
}

type JournalFile = {
  readonly fd: number
  /** Where the next entry goes. */
  end: number
  /** Bytes that the file has: writing within them changes nothing but data. */
  size: number
}

function writeSome(fd: number, bytes: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, count) => (error ? reject(error) : resolve(count)))
  })
}

/** Makes a new file outlive a power cut: for that, the folder that names it must be on disk too. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
