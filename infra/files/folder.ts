/** Files in a folder, which all processes share. */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { Faults } from '../faults.ts'
import { checkOrg, type FileStore, haveForm, Inspector } from './store.ts'

/** Keeps files below a folder. `refused`: media types that no file may have, as its content says. */
export function folderStore(folder: string, refused: ReadonlySet<string>): FileStore {
  const begun = path.join(folder, 'begun')
  const placeOf = (org: string, sha256: string) => path.join(folder, 'kept', org, sha256.slice(0, 2), sha256)
  return {
    async put(org, bytes) {
      checkOrg(org)
      await mkdir(begun, { recursive: true })
      const temporary = path.join(begun, randomUUID())
      const handle = await open(temporary, 'wx')
      try {
        const inspector = new Inspector()
        for await (const chunk of bytes) {
          inspector.take(chunk)
          await handle.appendFile(chunk) // `write` may take a part of it alone.
        }
        const stored = await inspector.stored(refused)
        await handle.sync()
        await handle.close()
        const place = placeOf(org, stored.sha256)
        await mkdir(path.dirname(place), { recursive: true })
        await rename(temporary, place)
        await synced(path.dirname(place))
        return stored
      } catch (error) {
        await handle.close().catch(() => {})
        await rm(temporary, { force: true })
        throw error
      }
    },
    async read(org, sha256, range) {
      if (!haveForm(org, sha256)) return undefined
      const place = placeOf(org, sha256)
      if (!(await stat(place).catch(() => undefined))) return undefined
      return createReadStream(place, range && { start: range.first, end: range.last })
    },
    async remove(org, digests, storedBefore) {
      const faults = new Faults()
      const young: string[] = []
      for (const digest of digests.filter(each => haveForm(org, each))) {
        await faults.of(async () => {
          if ((await removed(placeOf(org, digest), storedBefore)) === 'young') young.push(digest)
        })
      }
      faults.throwFirst()
      return young
    },
    async sweep(isKept, storedBefore) {
      let count = 0
      const removeOld = async (file: string) => {
        if ((await removed(file, storedBefore)) === 'removed') count += 1
      }
      for (const name of await namesIn(begun)) await removeOld(path.join(begun, name))
      for (const org of await namesIn(path.join(folder, 'kept'))) {
        for (const start of await namesIn(path.join(folder, 'kept', org))) {
          const digests = await namesIn(path.join(folder, 'kept', org, start))
          const kept = await isKept(org, digests)
          for (const digest of digests.filter(each => !kept.has(each))) await removeOld(placeOf(org, digest))
        }
      }
      return count
    },
  }
}

/** Removes a file that was last stored before an instant. */
async function removed(file: string, storedBefore: number): Promise<'removed' | 'young' | 'absent'> {
  const found = await stat(file).catch(error => {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  })
  if (!found) return 'absent'
  if (found.mtimeMs >= storedBefore) return 'young'
  await rm(file, { force: true })
  return 'removed'
}

/** Makes the names in a folder last, as `fsync` does for the bytes of a file: its event may last longer otherwise. */
async function synced(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const namesIn = (folder: string): Promise<readonly string[]> => readdir(folder).catch(() => [])
