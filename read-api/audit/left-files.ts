/** What stands in a folder of a backup beside its own files. */
import { readdir } from 'node:fs/promises'
import { type Others, othersAmong } from './source.ts'

/** The names in a folder that are not among its `own`, in order. Throws what the file system says. */
export async function othersIn(folder: string, own: readonly string[]): Promise<Others> {
  const entries = await readdir(folder, { withFileTypes: true })
  // A folder of a name that is its own, as the one of files, is looked into by who knows what it holds.
  const there = entries.filter(({ name }) => !own.includes(name))
  return othersAmong(
    there.map(entry => ({ name: entry.name, isFile: entry.isFile() })),
    own,
  )
}
