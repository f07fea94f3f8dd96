import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { lockFolder } from './lock.ts'
import { FILE, Store } from './store.ts'

/** Works on the store of a folder that nobody serves meanwhile. */
export async function withStore<T>(
  folder: string,
  { mustExist }: { mustExist: boolean },
  work: (store: Store) => Promise<T> | T,
): Promise<T> {
  if (mustExist && !existsSync(join(folder, FILE))) throw new Error(`There is no event store in ${folder}`)
  const lock = lockFolder(folder)
  let store: Store | undefined
  try {
    store = new Store(folder, { noSync: false })
    return await work(store)
  } finally {
    await store?.close()
    lock.release()
  }
}
