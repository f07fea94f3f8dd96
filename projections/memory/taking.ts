/** How rows become memories of an index, and how these are forgotten. */
import { setImmediate as turn } from 'node:timers/promises'
import type { Sealed } from '../../domain/kernel/schema.ts'
import type { MemoryTraits } from '../rows/projection.ts'
import { charactersOf, type HeldIndex, type Memory, type Remembered, type Source, type Unseal } from './held-index.ts'
import type { Memory as MemoryRow } from './memories.ts'
import { nameOf } from './recall/entities.ts'

/** How much more a word in the title counts than one in the text. */
const TITLE_WEIGHT = 3
/** Characters of the longest text that a hit shows whole, and those that it shows of others. */
const WHOLE_MAX = 10_000
const SHOWN_MAX = 5_000
/** Time after which the work on an index lets requests have their turn. */
const SLICE_MS = 10
/** Texts that are opened at once. */
const PAGE_TEXTS = 500

function remembered(key: string, memory: Omit<Memory, 'title'>): Omit<Remembered, 'fields'> {
  const { kind, subject, source, at, position, actor, traits } = memory
  const shared = { key, kind, source, at, position }
  if (!traits) return { ...shared, subjects: [subject], ...(actor !== undefined && { actor }) }
  const { type, author, tags, subjects, source: origin, session, valid_from, valid_to, links } = traits
  return {
    ...shared,
    type,
    actor: author,
    tags,
    subjects: [...new Set([subject, ...subjects, ...links.map(({ to }) => to)])],
    ...(origin !== undefined && { origin }),
    ...(session !== undefined && { session }),
    ...(valid_from !== undefined && { validFrom: valid_from }),
    ...(valid_to !== undefined && { validTo: valid_to }),
    mentions: subjects.map(name => ({ id: `person:${name}`, name: nameOf(name) })),
    relations: links.map(({ type, kind, to, valid_from: since, valid_to: until }) => ({
      from: `memory:${subject}`,
      type,
      to: `${kind}:${to}`,
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      memory: key,
    })),
  }
}

const fieldsOf = (title: string, words: string, more = ''): [string, number][] => [
  [title, TITLE_WEIGHT],
  [words, 1],
  [more, 1],
]

/** Forgets the words of sealed texts whose keys were erased: erasures change no row. */
export async function forgetErased({ unseal }: Source, org: string, index: HeldIndex): Promise<void> {
  const { ranking, rows } = index
  const all = [...rows].flatMap(([key, memory]) => (memory.sealed ? [{ key, ...memory, sealed: memory.sealed }] : []))
  for (let at = 0; at < all.length; at += PAGE_TEXTS) {
    const page = all.slice(at, at + PAGE_TEXTS)
    const sealed = page.map(memory => memory.sealed)
    const plain = await unseal(org, sealed)
    for (const [n, { key, title, text, ...memory }] of page.entries()) {
      // A key that is only missing, as in a part of a key database, is no erased one.
      if (plain[n] !== null) continue
      index.forgot = true
      if (memory.traits) index.forget(key)
      else ranking.set({ ...remembered(key, memory), fields: fieldsOf(title, '', text) })
    }
    await turn()
  }
}

/** Opened texts: `null` where the key was erased, `undefined` where it is missing. */
type Bodies = ReadonlyMap<Sealed, string | null | undefined>

export async function openedBodies(rows: readonly MemoryRow[], org: string, unseal: Unseal): Promise<Bodies> {
  const sealed = rows.flatMap(({ sealed_body }) => sealed_body ?? [])
  const plain = sealed.length > 0 ? await unseal(org, sealed) : []
  return new Map(sealed.map((envelope, at) => [envelope, plain[at]]))
}

export async function take(rows: readonly MemoryRow[], bodies: Bodies, index: HeldIndex): Promise<void> {
  let started = performance.now()
  for (const row of rows) {
    takeRow(row, row.sealed_body ? bodies.get(row.sealed_body) : row.body, index)
    if (performance.now() - started < SLICE_MS) continue
    await turn()
    started = performance.now()
  }
}

/**
 * The beginning of a long text: all of its words are found, and a hit shows as much as an answer should have. It is a
 * copy, because a part of a text keeps the whole of it in memory.
 */
function shortened(body: string): string {
  if (body.length <= WHOLE_MAX) return body
  return Buffer.from(body.slice(0, SHOWN_MAX).replace(/[\ud800-\udbff]$/, '')).toString()
}

/** What a memory is called in an index: no id has a line feed. */
export const keyOf = ({ kind, source, subject }: Pick<MemoryRow, 'kind' | 'source' | 'subject'>): string =>
  source === subject ? `${kind}/${subject}` : `${kind}/${source}\n${subject}`

/** `words`: its body in the clear, `null` where that was erased. */
function takeRow(row: MemoryRow, words: string | null | undefined, index: HeldIndex): void {
  const { ranking, rows } = index
  if (row.sealed_body) index.hasSealed = true
  const { kind, subject, source, title, body, sealed_body, details, at, position, actor, traits } = row
  const key = keyOf(row)
  const isKnown = rows.has(key)
  index.taken += 1
  index.forget(key)
  // Nothing is left of a memory without its text.
  const isGone = (title === undefined && !traits) || (traits && words === null)
  if (isGone) {
    index.forgot ||= isKnown
    index.forgets += 1
    return
  }
  const text = [body && shortened(body), details].filter(part => part !== undefined).join('\n')
  const shown = { ...(text !== '' && { text }), ...(sealed_body && { sealed: sealed_body }) }
  const known = { ...(actor !== undefined && { actor }), ...(traits && { traits: traits as MemoryTraits }) }
  const memory = { kind, subject, source, title: title ?? traits!.type, ...shown, at, position, ...known }
  ranking.set({ ...remembered(key, memory), fields: fieldsOf(title ?? '', words ?? '', details) })
  rows.set(key, memory)
  index.characters += charactersOf(memory)
}
