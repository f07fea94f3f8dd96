import { readFileSync } from 'node:fs'
import { GROWTH_BYTES, journalPaths } from './journal.ts'
import { decodeEntry, type Entry } from './journal-entry.ts'
import { readUint64 } from './keys.ts'

/**
 * Reading the journal again: after a crash, or beside the server that writes it. What a crash left half written was
 * never acknowledged and is passed over; an entry that is whole and cannot be reached means that the disk lost one.
 */

/**
 * What is in the journal's files, nothing for one that is missing: read it before the tables, so that what leaves the
 * one is found in the other.
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

const RESTORE = 'Restore the whole folder from a backup; nothing was changed in it'

/** Bytes of a commit that a crash left half written where the log goes on. */
export function tornBytes(files: readonly Buffer[], mark: Buffer, position: number): number {
  for (const bytes of files) {
    const { entries, end } = chainOf(bytes, mark)
    if (end + TORN_HEADER > bytes.length || (entries.at(-1)?.to ?? position) !== position) continue
    const length = bytes.readUInt32BE(end + LENGTH_AT)
    if (length > 0 && readUint64(bytes, end + FROM_AT) === position) return Math.min(length, bytes.length - end)
  }
  return 0
}

/** Where an entry has its length and the position that it begins at. */
const LENGTH_AT = 12
const FROM_AT = 16
const TORN_HEADER = 24

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
