/** Search indexes in a folder of one machine: a cache, which only its owner may read. */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { IndexStore } from '../../projections/memory/stored-index.ts'

/** Keeps one file for each org below a folder. */
export function indexFolder(folder: string): IndexStore {
  const placeOf = (org: string) => path.join(folder, createHash('sha256').update(org).digest('hex'))
  return {
    read: org =>
      readFile(placeOf(org)).catch(error => {
        if ((error as { code?: unknown }).code === 'ENOENT') return undefined
        throw error
      }),
    async write(org, parts) {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      const temporary = path.join(folder, `${randomUUID()}.tmp`)
      try {
        const handle = await open(temporary, 'wx', 0o600)
        try {
          for (const part of parts) await handle.appendFile(part)
        } finally {
          await handle.close()
        }
        await rename(temporary, placeOf(org))
      } catch (error) {
        await rm(temporary, { force: true })
        throw error
      }
    },
    remove: org => rm(placeOf(org), { force: true }),
  }
}
