/** An export in a ZIP archive, in a file, in a store, or dropped on a page: read where it lies. */
import { configure, type FileEntry, Reader, ZipReader } from '@zip.js/zip.js'
import type { BundleSource, Entry } from './source.ts'

configure({ useWebWorkers: false, chunkSize: 1 << 20 })

/** Bytes of which any part can be read. */
export type RandomBytes = {
  readonly name: string
  readonly size: number
  readonly read: (from: number, length: number) => Promise<Uint8Array>
}

class BytesReader extends Reader<RandomBytes> {
  readonly #bytes: RandomBytes

  constructor(bytes: RandomBytes) {
    super(bytes)
    this.#bytes = bytes
    this.size = bytes.size
  }

  override readUint8Array(from: number, length: number): Promise<Uint8Array> {
    return this.#bytes.read(from, Math.min(length, this.#bytes.size - from))
  }
}

/** The files of an archive. A folder that holds all of them is no part of their names. */
export function archiveSource(bytes: RandomBytes): BundleSource {
  let reading: Promise<Files> | undefined
  const files = () => {
    reading ??= filesIn(bytes)
    return reading
  }
  const fileOf = async (name: string) => {
    const found = (await files()).byName.get(name)
    if (!found) throw new TypeError(`the archive has no ${name}`)
    return found
  }
  return {
    name: bytes.name,
    entries: async () => (await files()).entries,
    size: async name => (await fileOf(name)).uncompressedSize,
    async *open(name) {
      const file = await fileOf(name)
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
      const writing = file.getData(writable)
      writing.catch(() => {})
      yield* readable as unknown as AsyncIterable<Uint8Array>
      await writing
    },
  }
}

type Files = { readonly entries: readonly Entry[]; readonly byName: ReadonlyMap<string, FileEntry> }

async function filesIn(bytes: RandomBytes): Promise<Files> {
  const all = await new ZipReader(new BytesReader(bytes)).getEntries()
  const found = all.filter((entry): entry is FileEntry => !entry.directory)
  const [first] = found
  const top = first?.filename.slice(0, first.filename.indexOf('/') + 1) ?? ''
  const isWrapped = top !== '' && found.every(({ filename }) => filename.startsWith(top))
  const nameOf = ({ filename }: FileEntry) => (isWrapped ? filename.slice(top.length) : filename)
  return {
    entries: found.map(entry => ({ name: nameOf(entry), isFile: true })),
    byName: new Map(found.map(entry => [nameOf(entry), entry])),
  }
}
