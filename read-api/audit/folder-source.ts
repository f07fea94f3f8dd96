import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { BundleSource, Entry } from './source.ts'

/** Folders within folders that are looked into. */
const DEPTH_MAX = 3
const CHUNK_BYTES = 1 << 18

/** An export that lies in a folder. */
export const folderSource = (folder: string): BundleSource => ({
  name: folder,
  entries: () => entriesIn(folder, '', DEPTH_MAX),
  size: async name => (await stat(path.join(folder, name))).size,
  open: name => createReadStream(path.join(folder, name), { highWaterMark: CHUNK_BYTES }),
})

async function entriesIn(folder: string, below: string, depth: number): Promise<readonly Entry[]> {
  const found: Entry[] = []
  for (const entry of await readdir(path.join(folder, below), { withFileTypes: true })) {
    const name = below + entry.name
    const inner = entry.isDirectory() && depth > 0 ? await entriesIn(folder, `${name}/`, depth - 1) : []
    if (inner.length > 0) found.push(...inner)
    else found.push({ name, isFile: entry.isFile() })
  }
  return found
}
