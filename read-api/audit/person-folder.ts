/** What an organization has of a person as two files of a folder, written as it is read, in constant memory. */
import { type FileHandle, open } from 'node:fs/promises'
import path from 'node:path'
import { isApart, PERSON_FORMAT, type PersonRows } from './person.ts'
import { type PersonCounts, pageEnd, pageHead, tableOf, titleOf } from './person-page.ts'

type Of = { readonly org: string; readonly subject: string }
type Files = { readonly data: FileHandle; readonly page: FileHandle }

/** Takes lists of rows, those of one kind behind each other: read models stand between `events` and `acts`. */
export class PersonFolder {
  readonly #folder: string
  readonly #of: Of
  readonly #counts: Record<keyof PersonCounts, number> = { events: 0, records: 0, acts: 0, concerning: 0 }
  /** Kinds that no rows have come of, and that stand in the data all the same. */
  readonly #missing = new Set(['events', 'acts', 'concerning'])
  #files: Files | undefined
  #kind = ''
  #isInRows = false
  #hadRows = false

  constructor(folder: string, of: Of) {
    this.#folder = folder
    this.#of = of
  }

  get counts(): PersonCounts {
    return this.#counts
  }

  async add({ position, kind, rows }: PersonRows): Promise<void> {
    const { data, page } = await this.#opened(position)
    if (rows.length === 0) return
    const isNew = kind !== this.#kind
    if (isNew) {
      await data.writeFile(this.#begin(kind))
      await page.writeFile(titleOf(kind))
    }
    const texts = rows.map(row => JSON.stringify(row)).join(',\n')
    await data.writeFile(isNew ? texts : `,\n${texts}`)
    await page.writeFile(tableOf(kind, rows))
    this.#counts[isApart(kind) ? kind : 'records'] += rows.length
  }

  /** Writes what stands behind the last row. */
  async end(): Promise<void> {
    if (!this.#files) return
    const list = this.#kind === '' ? '' : ']'
    const others = [...this.#missing].map(kind => `,\n"${kind}": []`)
    // Read models have no rows where their part was never begun.
    const rows = this.#isInRows ? '}' : this.#hadRows ? '' : ',\n"rows": {}'
    await this.#files.data.writeFile(`${list}${rows}${others.join('')}\n}\n`)
    await this.#files.page.writeFile(pageEnd(this.#counts, true))
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#files?.data.close(), this.#files?.page.close()])
  }

  /** What stands before the first row of a kind. */
  #begin(kind: string): string {
    const before = this.#kind === '' ? '' : ']'
    this.#kind = kind
    if (!isApart(kind)) {
      const isFirst = !this.#isInRows
      this.#isInRows = true
      this.#hadRows = true
      return `${before}${isFirst ? ',\n"rows": {' : ','}\n${JSON.stringify(kind)}: [`
    }
    this.#missing.delete(kind)
    const after = this.#isInRows ? '}' : ''
    this.#isInRows = false
    return `${before}${after},\n"${kind}": [`
  }

  async #opened(position: string): Promise<Files> {
    if (this.#files) return this.#files
    const file = (name: string) => open(path.join(this.#folder, name), 'wx', 0o600)
    const files = { data: await file('data.json'), page: await file('index.html') }
    this.#files = files
    const about = { format: PERSON_FORMAT, ...this.#of, position, complete: true }
    await files.data.writeFile(JSON.stringify(about, null, 1).slice(0, -2))
    await files.page.writeFile(pageHead({ ...this.#of, position }))
    return files
  }
}
