/**
 * Reads the journal again, after a crash or beside the server that writes it. A crash may leave the last entry half
 * written: it was never acknowledged and is passed over. A whole entry that cannot be reached from the tables' end
 * means that the disk lost one before it.
 */
import { readFileSync } from 'node:fs'
import { GROWTH_BYTES, journalPaths } from './journal.ts'
import { decodeEntry, type Entry, halfWrittenBytes } from './journal-entry.ts'

const RESTORE = 'Restore the whole folder from a backup; nothing was changed in it'

/**
 * The bytes of the journal's files; none for a file that is missing. Read them before the tables, so that a commit that
 * moves from the journal to the tables meanwhile is found in one of them.
 */
export function readJournal(store: string): Buffer[] {
  return journalPaths(store).map(path => {
    try {
      return readFileSync(path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0) // A clean stop leaves none.
      throw error
    }
  })
}

/** The entries behind `end`, where the tables end, in log order, and whether one is missing among or behind them. */
export function entriesBehind(
  files: readonly Buffer[],
  mark: Buffer,
  end: number,
): { entries: Entry[]; isDamaged: boolean } {
  const chains = files.map(bytes => chainOf(bytes, mark))
  const written = chains.flatMap(chain => chain.entries).sort((a, b) => a.from - b.from)
  const entries: Entry[] = []
  let position = end
  for (const entry of written) {
    if (entry.to <= end) continue
    if (entry.from !== position) break
    entries.push(entry)
    position = entry.to
  }
  const isDamaged = written.some(entry => entry.to > position) || hasLostEntries(files, mark, chains, position)
  return { entries, isDamaged }
}

/** Refuses files of which one is missing, cut short or of other tables than these; `inUse` has a bit for each. */
export function checkFiles(
  files: readonly Buffer[],
  store: string,
  { mark, isNew, journalInUse: inUse }: { mark: Buffer; isNew: boolean; journalInUse: number },
): void {
  for (const [index, bytes] of files.entries()) {
    const path = journalPaths(store)[index]!
    if (inUse & (1 << index) && bytes.length < GROWTH_BYTES)
      throw new Error(`${path} has ${bytes.length} bytes: the last commits stood there and are lost. ${RESTORE}`)
    const begin = bytes.subarray(0, mark.length)
    if (begin.every(byte => byte === 0) || begin.equals(mark)) continue
    const found = isNew ? `${store} is missing or empty` : `${store} is not the file that it was written with`
    throw new Error(`${path} has commits, and ${found}, or its beginning is damaged. ${RESTORE}`)
  }
}

/** Bytes of a commit that a crash left half written at `position`, where the log goes on. */
export function tornBytes(files: readonly Buffer[], mark: Buffer, position: number): number {
  for (const bytes of files) {
    const { entries, end } = chainOf(bytes, mark)
    const torn = (entries.at(-1)?.to ?? position) === position ? halfWrittenBytes(bytes, end, position) : 0
    if (torn > 0) return torn
  }
  return 0
}

type Chain = {
  readonly entries: readonly Entry[]
  /** Where the last of them ends in the file. */
  readonly end: number
}

/** Entries that follow one another from the beginning of a file. */
function chainOf(bytes: Buffer, mark: Buffer): Chain {
  const entries: Entry[] = []
  let end = 0
  for (;;) {
    const next = decodeEntry(bytes, end, mark)
    if (next === undefined || (entries.length > 0 && next.entry.from !== entries.at(-1)!.to)) return { entries, end }
    entries.push(next.entry)
    end = next.end
  }
}

/** Whether a whole entry, newer than `position`, stands behind the end of a chain. */
function hasLostEntries(files: readonly Buffer[], mark: Buffer, chains: readonly Chain[], position: number): boolean {
  for (const [index, bytes] of files.entries())
    for (let at = bytes.indexOf(mark, chains[index]!.end); at >= 0; at = bytes.indexOf(mark, at + 1))
      if ((decodeEntry(bytes, at, mark)?.entry.to ?? 0) > position) return true
  return false
}
