/** Memories that say what another one says: the index proposes some, and their texts are compared. */
import type { ApiRequest } from '../../domain/kernel/route.ts'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { storedMemories } from '../../projections/memory/stored-memories.ts'
import { formsOf } from '../../projections/memory/words.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import type { Unseal } from '../rows.ts'
import { type SearchDeps, searchReadable } from './search.ts'

export type Duplicate = { readonly id: string; readonly kind: 'exact' | 'near'; readonly similarity: number }

/** From which part of shared runs of words on a text is nearly the same, and how many are compared and named. */
const NEAR = 0.5
const COMPARED = 30
const NAMED = 10
/** Words that candidates are looked for by, from all over the text. */
const SOUGHT = 48
const RUN = 3

type DuplicateDeps = Pick<SearchDeps, 'search' | 'pool' | 'guards' | 'allows'> & { readonly unseal: Unseal }

const TEXTS = `select id, text from ${quoted(tableOf(storedMemories))} where org = $1 and id = any($2::text[])`

/** The duplicates of a text that a caller may read, and up to which position memories were looked through. */
export async function duplicatesOf(
  deps: DuplicateDeps,
  request: Pick<ApiRequest, 'principal' | 'signal'>,
  text: string,
  self: string,
): Promise<{ readonly position: bigint; readonly duplicates: readonly Duplicate[] }> {
  const { org } = request.principal
  const words = formsOf(text)
  const options = { kinds: ['memory'], type: 'lexical', limit: COMPARED } as const
  const mayRead = deps.allows(request.principal, 'memory.memories.read')
  const { hits, position } = await searchReadable(
    deps,
    request,
    spread(words),
    mayRead ? options : { ...options, kinds: [] },
  )
  const ids = hits.map(({ subject }) => subject).filter(id => id !== self)
  const { rows } = await deps.pool.query({ text: TEXTS, values: [org, ids], rowMode: 'array' })
  const plain = await deps.unseal(
    org,
    rows.map(([, envelope]) => envelope as Sealed),
  )
  const runs = runsOf(words)
  const duplicates = rows.flatMap(([id], n): Duplicate[] => {
    const other = formsOf(plain[n] ?? '')
    if (other.join(' ') === words.join(' ')) return [{ id: String(id), kind: 'exact', similarity: 1 }]
    const similarity = similar(runs, runsOf(other))
    return similarity < NEAR ? [] : [{ id: String(id), kind: 'near', similarity }]
  })
  const sorted = duplicates.sort((a, b) => b.similarity - a.similarity || (a.id < b.id ? -1 : 1))
  return { position, duplicates: sorted.slice(0, NAMED) }
}

/** Some of the words of a text, from all over it. */
function spread(words: readonly string[]): string {
  const step = Math.max(1, words.length / SOUGHT)
  return Array.from({ length: Math.min(SOUGHT, words.length) }, (_, n) => words[Math.floor(n * step)]).join(' ')
}

/** Runs of three words, with the ends of the text as words of their own, so that short texts have some too. */
function runsOf(words: readonly string[]): ReadonlySet<string> {
  const whole = ['', ...words, '']
  return new Set(
    Array.from({ length: Math.max(1, whole.length - RUN + 1) }, (_, n) => whole.slice(n, n + RUN).join(' ')),
  )
}

/** The part of all runs that both have (Jaccard), in thousandths; less than 1, because the texts are not the same. */
function similar(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0
  for (const run of a) if (b.has(run)) both += 1
  const all = a.size + b.size - both
  return Math.min(0.999, Math.floor((1000 * both) / all) / 1000)
}
