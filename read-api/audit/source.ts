/** Where the files of an export are read from: a folder, an archive, or what was dropped on a page. */

/** What stands in an export: a file by its path with `/`, or a folder that holds no file. */
export type Entry = { readonly name: string; readonly isFile: boolean }

export type BundleSource = {
  /** What it is called in messages. */
  readonly name: string
  /** All that is in it. Throws what the file system says, or `TypeError` for bytes that are no archive. */
  readonly entries: () => Promise<readonly Entry[]>
  /** Bytes of a file that is in it. */
  readonly size: (name: string) => Promise<number>
  readonly open: (name: string) => AsyncIterable<Uint8Array>
}

/** Files that the file managers of macOS and Windows leave in folders that they have shown. */
const LEFT_BY_FILE_MANAGERS: readonly string[] = ['.DS_Store', 'Thumbs.db', 'desktop.ini']

export type Others = {
  /** Files that a file manager has left: verification names them and does not count them as a change. */
  readonly ignored: readonly string[]
  /** Everything else. */
  readonly foreign: readonly string[]
}

/** The names that are not among some `own`, in order. */
export function othersAmong(entries: readonly Entry[], own: readonly string[]): Others {
  const others = entries.filter(({ name, isFile }) => !isFile || !own.includes(name))
  const isLeft = ({ name, isFile }: Entry) =>
    isFile && LEFT_BY_FILE_MANAGERS.includes(name.slice(name.lastIndexOf('/') + 1))
  const names = (list: readonly Entry[]) => list.map(({ name }) => name).sort()
  return { ignored: names(others.filter(isLeft)), foreign: names(others.filter(entry => !isLeft(entry))) }
}

/** The bytes of a file, all at once. */
export const bytesOf = (source: BundleSource, name: string): Promise<Buffer> => bytesIn(source.open(name))

/** Bytes that come in parts, all at once. */
export async function bytesIn(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of parts) chunks.push(chunk)
  return Buffer.concat(chunks)
}
