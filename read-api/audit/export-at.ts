import { open, stat } from 'node:fs/promises'
import { archiveSource } from './archive-source.ts'
import { folderSource } from './folder-source.ts'
import type { BundleSource } from './source.ts'

/** The export at a place in the file system: a folder, or a ZIP archive. */
export async function exportAt(place: string): Promise<BundleSource> {
  const found = await stat(place).catch(() => undefined)
  if (!found?.isFile()) return folderSource(place)
  return archiveSource({
    name: place,
    size: found.size,
    async read(from, length) {
      const file = await open(place)
      try {
        const bytes = new Uint8Array(length)
        const { bytesRead } = await file.read(bytes, 0, length, from)
        return bytes.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    },
  })
}
