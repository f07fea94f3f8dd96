import { close, closeSync, constants, fdatasync, fsyncSync, openSync, rmSync, write } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { type Entry, encodeEntry } from './journal-entry.ts'

/**
 * Where a commit becomes durable: its blocks are written behind those of the commit before, with one sync, into space
 * that the file has already, which is the least that a disk can be asked for. Two files take turns. While the tables
 * take over what one of them holds, the other is written; the first is then begun over.
 */

export const GROWTH_BYTES = 1024 * 1024
const FILES = ['journal-a', 'journal-b'] as const
const FILE_MODE = 0o600
/** Elsewhere the flag leaves the data in the disk's own cache, and a sync of its own is needed. */
const SYNC_FLAG = process.platform === 'linux' ? constants.O_DSYNC : 0

interface JournalFile {
  readonly fd: number
  /** Where the next entry goes. */
  end: number
  /** Bytes that the file has: writing within them changes nothing but data. */
  size: number
}

const closeFile = promisify(close)
const sync = promisify(fdatasync)

/** The two files of a store. */
export function journalPaths(store: string): string[] {
  return FILES.map(name => `${store}-${name}`)
}

export class Journal {
  private readonly paths: readonly string[]
  private readonly mark: Buffer
  private readonly noSync: boolean
  private readonly inUse: (file: number) => Promise<void>
  private readonly files: (JournalFile | undefined)[] = []
  private current = 0

  /** `inUse` is told each file by its number, when it is there and before anything is in it. */
  constructor(
    store: string,
    mark: Buffer,
    { noSync, inUse }: { noSync: boolean; inUse: (file: number) => Promise<void> },
  ) {
    this.inUse = inUse
    this.paths = journalPaths(store)
    this.mark = mark
    this.noSync = noSync
  }

  /**
   * Resolves when the entry is on disk, with its blocks in memory of their own. After a failure the next entry takes
   * the place of the one that failed.
   */
  async append(entry: Entry): Promise<Entry> {
    const file = await this.file()
    const { bytes, copy } = encodeEntry(this.mark, entry)
    await this.write(file, bytes, file.end)
    file.end += bytes.length
    if (file.end > file.size) await this.grow(file)
    return copy
  }

  /** Goes on in the other file, from its beginning: what that one holds must be in the tables by now. */
  turn(): void {
    this.current = 1 - this.current
    const file = this.files[this.current]
    if (file) file.end = 0
  }

  /** Gives the files up, and removes them when everything in them is in the tables. */
  async close({ remove }: { remove: boolean }): Promise<void> {
    for (const file of this.files) if (file) await closeFile(file.fd)
    if (remove) for (const path of this.paths) rmSync(path, { force: true })
  }

  private async file(): Promise<JournalFile> {
    const known = this.files[this.current]
    if (known) return known
    const path = this.paths[this.current]!
    const flags = constants.O_RDWR | constants.O_CREAT | (this.noSync ? 0 : SYNC_FLAG)
    const file = { fd: openSync(path, flags, FILE_MODE), end: 0, size: GROWTH_BYTES }
    try {
      await this.write(file, Buffer.alloc(GROWTH_BYTES), 0)
      if (!this.noSync) syncFolder(dirname(path))
      await this.inUse(this.current)
    } catch (error) {
      await closeFile(file.fd)
      throw error
    }
    this.files[this.current] = file
    return file
  }

  /** Zeros to the next full megabyte, now rather than with every commit; a full disk will be told by a commit. */
  private async grow(file: JournalFile): Promise<void> {
    const size = Math.ceil(file.end / GROWTH_BYTES) * GROWTH_BYTES
    file.size = file.end
    try {
      await this.write(file, Buffer.alloc(size - file.end), file.end)
      file.size = size
    } catch {
      // Tried again behind the next entry.
    }
  }

  private async write({ fd }: JournalFile, bytes: Buffer, position: number): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) done += await writeSome(fd, bytes.subarray(done), position + done)
    } catch (error) {
      throw new Error(`${this.paths[this.current]}: ${(error as Error).message}`, { cause: error })
    }
    if (!this.noSync && SYNC_FLAG === 0) await sync(fd)
  }
}

function writeSome(fd: number, bytes: Buffer, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, count) => (error ? reject(error) : resolve(count)))
  })
}

/** A new file outlives a power cut only when the folder that names it does. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, constants.O_RDONLY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
