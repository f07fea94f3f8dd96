/** An export as one file that everybody can open: a ZIP archive of its files. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { configure, ZipWriter } from '@zip.js/zip.js'
import type { FileEntry } from '../../read-api/audit/bundle.ts'

// Workers are those of browsers: Node's own zlib works outside of its thread.
configure({ useWebWorkers: false })

/** A level above makes a tenth less of a bundle, and takes twice as long. */
const LEVEL = 1

/** Thrown where a file is not as it was written: another worker of this machine has the folder too. */
export class FileChanged extends Error {}

type ArchiveOptions = {
  /** The folder in the archive. */
  readonly name: string
  /** The time of all entries. */
  readonly madeAt: Date
  readonly signal?: AbortSignal | undefined
}

/**
 * The bytes of an archive with some files of a folder, and with nothing else that lies there. The same files and time
 * are the same bytes. Throws `FileChanged`.
 */
export async function* zipped(
  folder: string,
  files: readonly Pick<FileEntry, 'name' | 'sha256'>[],
  { name, madeAt, signal }: ArchiveOptions,
): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const zip = new ZipWriter(writable, { level: LEVEL, lastModDate: madeAt, extendedTimestamp: false })
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  const writing = (async () => {
    for (const file of sorted) {
      await zip.add(`${name}/${file.name}`, Readable.toWeb(Readable.from(checked(folder, file))) as ReadableStream)
    }
    await zip.close()
  })()
  writing.catch(error => writable.abort(error).catch(() => {}))
  for await (const chunk of readable as unknown as AsyncIterable<Uint8Array>) {
    signal?.throwIfAborted()
    yield chunk
  }
  await writing
}

/** The bytes of a file, which must be those of its digest. */
async function* checked(folder: string, { name, sha256 }: Pick<FileEntry, 'name' | 'sha256'>) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(`${folder}/${name}`) as AsyncIterable<Buffer>) {
    hash.update(chunk)
    yield chunk
  }
  if (hash.digest('hex') !== sha256) throw new FileChanged(`${name} is not as it was written`)
}
