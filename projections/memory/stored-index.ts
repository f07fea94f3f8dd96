/** Indexes between runs of a process: the next one loads them, and takes only the rows that came since. */
import type { OrgIndex } from './follow.ts'
import type { Memory } from './held-index.ts'
import { Recall } from './recall/recall.ts'
import { packed, type RecallState, unpacked } from './recall/stored.ts'

/** Keeps an index of each org as bytes. What it loses costs time alone. */
export type IndexStore = {
  readonly read: (org: string) => Promise<Buffer | undefined>
  readonly write: (org: string, parts: readonly Buffer[]) => Promise<void>
  readonly remove: (org: string) => Promise<void>
}

type Stored = {
  readonly position: bigint
  readonly rows: Map<string, Memory>
  readonly characters: number
  readonly hasSealed: boolean
  readonly recall: RecallState
}

/** Loads what was stored of an org into a new index; one that is damaged or of other rows is left alone. */
export async function load(index: OrgIndex<Recall>, { read }: IndexStore, org: string, version: number): Promise<void> {
  const bytes = await read(org)
  const stored = bytes && (unpacked(nameOf(org, version), bytes) as Stored | undefined)
  if (!stored) return
  const { position, rows, characters, hasSealed, recall } = stored
  Object.assign(index, { position, rows, characters, hasSealed, ranking: Recall.of(recall) })
  if (hasSealed) index.withoutSealed = position
}

/**
 * Stores an index as it is now. Memories with sealed texts are left out: erasing a person destroys a key, and no word
 * of theirs may be left in a file.
 */
export async function store(
  index: OrgIndex<Recall>,
  { write }: IndexStore,
  org: string,
  version: number,
): Promise<void> {
  const { position, hasSealed } = index
  let [rows, recall, characters] = [index.rows, index.ranking, index.characters]
  const sealed = [...rows].filter(([, memory]) => memory.sealed)
  if (sealed.length > 0) {
    rows = new Map(rows)
    recall = Recall.of(recall.state)
    for (const [key, { title, text, sealed: envelope }] of sealed) {
      rows.delete(key)
      recall.delete(key)
      characters -= title.length + (text?.length ?? 0) + envelope!.text.length
    }
  }
  const stored: Stored = { position, rows, characters, hasSealed, recall: recall.state }
  index.taken = 0
  index.forgot = false
  await write(org, packed(nameOf(org, version), stored))
}

const nameOf = (org: string, version: number) => `${version} ${org}`
