/** Indexes between runs of a process: the next one loads them, and takes only the rows that came since. */
import type { OrgIndex } from './follow.ts'
import type { Memory, Source } from './held-index.ts'
import { Recall } from './recall/recall.ts'
import { packed, type RecallState, unpacked } from './recall/stored.ts'
import { forgetErased } from './taking.ts'

/** Keeps an index of each org as bytes. What it loses costs time alone. */
export type IndexStore = {
  readonly read: (org: string) => Promise<Buffer | undefined>
  /** What is written by the answer can be read until the next erasure in the org, be that before it is written. */
  readonly begin: (org: string) => Promise<(parts: readonly Buffer[]) => Promise<void>>
  readonly remove: (org: string) => Promise<void>
}

type Stored = {
  readonly position: bigint
  readonly rows: Map<string, Memory>
  readonly characters: number
  readonly hasSealed: boolean
  readonly erased: number
  readonly erasures: number
  readonly recall: RecallState
}

/** Loads what was stored of an org into a new index; one that is damaged or of other rows is left alone. */
export async function load(index: OrgIndex<Recall>, { read }: IndexStore, org: string, version: number): Promise<void> {
  const bytes = await read(org)
  const stored = bytes && (unpacked(nameOf(org, version), bytes) as Stored | undefined)
  if (!stored) return
  const { recall, ...more } = stored
  Object.assign(index, { ...more, ranking: Recall.of(recall) })
}

/**
 * Stores an index. It holds words of persons: so the file is begun first, which an erasure from then on makes
 * unreadable, and what was erased before is looked for once more, so that nothing of it is written.
 */
export async function store(
  index: OrgIndex<Recall>,
  { begin }: IndexStore,
  org: string,
  source: Source,
): Promise<void> {
  const write = await begin(org)
  const parts = await index.alone(async () => {
    const erasures = (await source.erasures?.(org)) ?? 0
    if (index.hasSealed && erasures !== index.erasures) await forgetErased(source, org, index)
    index.erasures = erasures
    const { position, rows, characters, hasSealed, erased, ranking } = index
    if (index.last !== null) return undefined
    const stored: Stored = { position, rows, characters, hasSealed, erased, erasures, recall: ranking.state }
    return packed(nameOf(org, source.memories.version), stored)
  })
  if (parts) await write(parts)
}

const nameOf = (org: string, version: number) => `${version} ${org}`
