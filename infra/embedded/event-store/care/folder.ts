/** Opens the store of a folder for work outside a server. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { FILE, Store } from '../log/store.ts'
import { lockFolder, ownerOf } from './lock.ts'

/** Works on the store of a folder, which no server may have meanwhile; `verb` says in an error what it is for. */
export async function withStore<T>(
  folder: string,
  { verb, mustExist }: { verb: string; mustExist: boolean },
  work: (store: Store) => Promise<T> | T,
): Promise<T> {
  if (mustExist) checkExists(folder)
  const owner = ownerOf(folder)
  if (owner !== undefined)
    throw new Error(`The folder ${folder} is served by process ${owner}: stop it before you ${verb}`)
  const lock = await lockFolder(folder)
  let store: Store | undefined
  try {
    store = new Store(folder, { mayWrite: lock.check })
    return await work(store)
  } finally {
    await store?.close()
    lock.release()
  }
}

/**
 * Reads the store of a folder as it is at this moment, up to the end that its log has now. A server may go on writing
 * it; LMDB keeps the pages that are read until the work is done, so the file may grow a little more.
 */
export async function withReader<T>(folder: string, work: (store: Store) => Promise<T> | T): Promise<T> {
  checkExists(folder)
  const store = new Store(folder, { readOnly: { isServed: ownerOf(folder) !== undefined } })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

function checkExists(folder: string): void {
  // Unlike existsSync, this throws for a folder that may not be read.
  if (statSync(join(folder, FILE), { throwIfNoEntry: false }) === undefined)
    throw new Error(`There is no event store in ${folder}`)
}
