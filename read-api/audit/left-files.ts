/** What stands in a folder of an export or a backup beside its own files. */
import { readdir } from 'node:fs/promises'

/** Files that the file managers of macOS and Windows leave in folders that they have shown. */
const LEFT_BY_FILE_MANAGERS: readonly string[] = ['.DS_Store', 'Thumbs.db', 'desktop.ini']

export type Others = {
  /** Files that a file manager has left: verification names them and does not count them as a change. */
  readonly ignored: readonly string[]
  /** Everything else. */
  readonly foreign: readonly string[]
}

/** The names in a folder that are not among its `own`, in order. Throws what the file system says. */
export async function othersIn(folder: string, own: readonly string[]): Promise<Others> {
  const entries = (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !own.includes(name))
  const isLeft = (entry: (typeof entries)[number]) => entry.isFile() && LEFT_BY_FILE_MANAGERS.includes(entry.name)
  const names = (list: typeof entries) => list.map(({ name }) => name).sort()
  return { ignored: names(entries.filter(isLeft)), foreign: names(entries.filter(entry => !isLeft(entry))) }
}
