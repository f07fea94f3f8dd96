/** An export as one file that everybody can open: a ZIP archive of its folder. */
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { configure, ZipWriter } from '@zip.js/zip.js'
import { folderSource } from '../../read-api/audit/folder-source.ts'

// Workers are those of browsers: Node's own zlib works outside of its thread.
configure({ useWebWorkers: false })

/** A level above makes a tenth less of a bundle, and takes twice as long. */
const LEVEL = 1

/** The bytes of an archive with the files of a folder below a name. The same files and time are the same bytes. */
export async function* zipped(folder: string, name: string, madeAt: Date): AsyncGenerator<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
  const zip = new ZipWriter(writable, { level: LEVEL, lastModDate: madeAt, extendedTimestamp: false })
  const entries = await folderSource(folder).entries()
  const names = entries.map(entry => entry.name).sort()
  const writing = (async () => {
    for (const each of names) {
      await zip.add(`${name}/${each}`, Readable.toWeb(createReadStream(`${folder}/${each}`)) as ReadableStream)
    }
    await zip.close()
  })()
  writing.catch(error => writable.abort(error).catch(() => {}))
  yield* readable
  await writing
}
