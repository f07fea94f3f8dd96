import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import path from 'node:path'
import type { FileEntry } from './bundle.ts'

/** How far a file was written when that was last noted. */
export type Written = { readonly bytes: number; readonly lines: number }

/** A file written line by line, hashed as it grows. */
export class LineFile {
  lines = 0
  readonly #name: string
  readonly #file: FileHandle
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0
  #pending = ''
  #open = true

  private constructor(name: string, file: FileHandle) {
    this.#name = name
    this.#file = file
  }

  static async create(folder: string, name: string): Promise<LineFile> {
    return new LineFile(name, await open(path.join(folder, name), 'w'))
  }

  /** Goes on behind what was written before, and drops what came after that. */
  static async goOn(folder: string, name: string, { bytes, lines }: Written): Promise<LineFile> {
    const place = path.join(folder, name)
    if ((await stat(place)).size < bytes) throw new RangeError(`${name} has become shorter`)
    const file = await open(place, 'r+')
    await file.truncate(bytes)
    const resumed = new LineFile(name, file)
    for await (const chunk of createReadStream(place)) resumed.#hash.update(chunk as Buffer)
    resumed.#bytes = bytes
    resumed.lines = lines
    return resumed
  }

  /** Adds a line; returns how much waits to be written. */
  add(line: string): number {
    this.lines += 1
    this.#pending += `${line}\n`
    return this.#pending.length
  }

  async flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    for (let at = 0; at < bytes.length; ) {
      const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#bytes + at)
      at += bytesWritten
    }
    this.#bytes += bytes.length
    this.#hash.update(bytes)
  }

  /** Makes all that was added last, and says how far the file has come. */
  async keep(): Promise<Written> {
    await this.flush()
    await this.#file.datasync()
    return { bytes: this.#bytes, lines: this.lines }
  }

  async end(): Promise<FileEntry> {
    const { bytes, lines } = await this.keep()
    return { name: this.#name, bytes, lines, sha256: this.#hash.digest('hex') }
  }

  async close(): Promise<void> {
    if (this.#open) await this.#file.close()
    this.#open = false
  }
}
