import { readFileSync } from 'node:fs'
import { journalPaths } from './journal.ts'
import { decodeEntry, type Entry } from './journal-entry.ts'

/**
 * Reading the journal again: after a crash, or beside the server that writes it. What a crash left half written was
 * never acknowledged and is passed over; an entry that is whole and cannot be reached means that the disk lost one.
 */

/** What is in the journal's files: read it before the tables, so that what leaves the one is found in the other. */
export function readJournal(store: string): Buffer[] {
  return journalPaths(store).flatMap(path => {
    try {
      return [readFileSync(path)]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [] // A clean stop leaves none.
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

interface Chain {
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
