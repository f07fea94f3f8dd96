/** What an index of an org holds: memories, and what searches their texts. */
import type { Pool } from 'pg'
import type { Sealed } from '../../domain/kernel/schema.ts'
import type { AnyProjection, MemoryTraits } from '../rows/projection.ts'
import type { Document } from './rank.ts'
import type { Recalled } from './recall/recall.ts'

/** A memory as the index keeps it: a personal text stays sealed. */
export type Memory = {
  readonly kind: string
  readonly subject: string
  /** The thing whose history holds it: the wallet of an entry, the item of a part of a book, otherwise the subject. */
  readonly source: string
  readonly title: string
  readonly text?: string
  readonly at: string
  readonly position: bigint
  readonly sealed?: Sealed
  /** Who did it last. */
  readonly actor?: string
  /** What is known of it beside its words, where it was stored as a memory: it is called by its type then. */
  readonly traits?: MemoryTraits
}

/** Opens sealed texts of an org, in order: `null` where a key was erased, `undefined` where it is missing. */
export type Unseal = (org: string, envelopes: readonly Sealed[]) => Promise<readonly (string | null | undefined)[]>

export type Source = {
  readonly pool: Pick<Pool, 'query'>
  /** The read model that is searched. */
  readonly memories: AnyProjection
  readonly unseal: Unseal
  /** How many persons of an org were erased, for the indexes to forget what they sealed. */
  readonly erased?: (org: string) => Promise<number>
  /** How many erasures an org had by now, of persons and of things with keys of their own. */
  readonly erasures?: (org: string) => Promise<number>
}

/** A memory as rankings take it: its texts, and what is known of it. */
export type Remembered = Document & Recalled

/** What searches the texts of an org. */
export type Ranking = {
  readonly bytes: number
  readonly set: (memory: Remembered) => void
  readonly delete: (key: string) => void
}

/** What a memory takes without its texts, about. */
const ROW_BYTES = 400

/** The memories of one org, as they were at a position of the log. */
export class HeldIndex<R extends Ranking = Ranking> {
  ranking: R
  rows = new Map<string, Memory>()
  position = 0n
  /** The last memory of that position that it has, where it may not have all of them; `null` where it has. */
  last: { readonly kind: string; readonly source: string; readonly subject: string } | null = null
  /** How many persons of the org were erased when the index last forgot what they sealed. */
  erased = 0
  hasSealed = false
  /** Characters of the texts of its rows. */
  characters = 0
  /** How many erasures the org had when the index was last looked through for what they left. */
  erasures = 0
  /** Rows that it took since it was stored, and whether it forgot a memory: then nothing is stored any more. */
  taken = 0
  forgot = false
  /** Whether it was stored and is no more. */
  lost = false
  /** How many rows told it to forget a memory. */
  forgets = 0

  constructor(ranking: R) {
    this.ranking = ranking
  }

  /** Takes a memory out, if it is there. */
  forget(key: string): void {
    this.characters -= charactersOf(this.rows.get(key))
    this.ranking.delete(key)
    this.rows.delete(key)
  }

  /** What it takes of the memory of the process, about. */
  get bytes(): number {
    return ROW_BYTES * this.rows.size + 2 * this.characters + this.ranking.bytes
  }
}

export const charactersOf = (memory: Memory | undefined): number =>
  memory ? memory.title.length + (memory.text?.length ?? 0) + (memory.sealed?.text.length ?? 0) : 0
