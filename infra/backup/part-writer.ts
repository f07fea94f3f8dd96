/** Writes one file of a backup, readable by its owner alone, and digests what it writes. */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import type { Part } from './format.ts'

const BUFFER_CHARACTERS = 256 * 1024

export class PartWriter {
  readonly #name: Part['name']
  readonly #file: FileHandle
  readonly #hash = createHash('sha256')
  #pending: string[] = []
  #pendingLength = 0
  #bytes = 0
  #lines = 0

  private constructor(name: Part['name'], file: FileHandle) {
    this.#name = name
    this.#file = file
  }

  /** Makes the file; fails where there is one. */
  static async open(folder: string, name: Part['name']): Promise<PartWriter> {
    return new PartWriter(name, await open(path.join(folder, name), 'wx', 0o600))
  }

  /** Adds a line, given without its line feed. The promise is there only where it must be waited for. */
  line(text: string): Promise<void> | undefined {
    this.#pending.push(text, '\n')
    this.#pendingLength += text.length
    this.#lines++
    return this.#pendingLength > BUFFER_CHARACTERS ? this.#flush() : undefined
  }

  /** Writes the rest to the disk and closes the file. */
  async finish(): Promise<Part> {
    await this.#flush()
    await this.#file.sync()
    await this.close()
    return { name: this.#name, bytes: this.#bytes, lines: this.#lines, sha256: this.#hash.digest('hex') }
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#pending.join(''), 'utf8')
    this.#pending = []
    this.#pendingLength = 0
    this.#bytes += bytes.length
    this.#hash.update(bytes)
    await this.#file.writeFile(bytes)
  }
}
