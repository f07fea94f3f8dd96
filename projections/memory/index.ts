/**
 * The search index over memories: in the process that searches, one per org, built from the rows when the org is first
 * asked for and brought up to date by every search. The rows are the truth; an index can be dropped at any time.
 */
import { LRUCache } from 'lru-cache'
import { PastIndexes } from './as-of.ts'
import { OrgIndex } from './follow.ts'
import type { Memory, Ranking, Source, Unseal } from './held-index.ts'
import { type InsightOptions, type Insights, insightsOf } from './insights/insights.ts'
import { type Place, RankedIndex } from './rank.ts'
import type { Match } from './reading.ts'
import type { Dimension } from './recall/concepts.ts'
import type { RecallFilter, Traits } from './recall/filter.ts'
import { heldOf } from './recall/held.ts'
import type { LegName, LegReport, LegScore, Weights } from './recall/legs.ts'
import { Recall, type RecallAnswer, type RecallMode, type RecallOptions } from './recall/recall.ts'
import { type IndexStore, load, store } from './stored-index.ts'

/** A memory that matches, best first by `score`, which compares only within one answer. */
export type MemoryHit = Omit<Memory, 'sealed'> & {
  readonly score: number
  /** Which words of the query it has, and how each was found. */
  readonly matched: readonly Match[]
  /** Where it stands: the next page begins behind it. */
  readonly place: Place
  /** Where legs searched: what each of them gave to the score, and the way from an entity of the query to it. */
  readonly legs?: Partial<Record<LegName, LegScore>>
  readonly path?: readonly string[]
}

/** How memories are searched: by words alone, or by one or all legs of recall. */
export type SearchType = 'text' | RecallMode

export type SearchOptions = {
  /** Only memories of these kinds. */
  readonly kinds?: readonly string[]
  readonly limit: number
  /** The place of the last hit of the page before. */
  readonly after?: Place
  /** `text` unless it says otherwise. */
  readonly type?: SearchType
  /** What legs look at: searches by words alone look at all. */
  readonly filter?: Omit<RecallFilter, 'kinds'>
  /** For legs: the memories as they were at this position. Those that were forgotten for good are not among them. */
  readonly asOf?: bigint
  /** What legs count, and the dimensions of the conceptual one, where they are not the built-in ones. */
  readonly weights?: Weights
  readonly dimensions?: readonly Dimension[]
}

export type MemoryAnswer = {
  /** What the index has reached; an answer of the past is of the position that was asked for. */
  readonly position: bigint
  readonly hits: readonly MemoryHit[]
  /** Where legs searched: whether each of them answered, and its share of scores. */
  readonly legs?: Record<LegName, LegReport>
  /** The dimensions that the query mentions. */
  readonly dimensions?: RecallAnswer['dimensions']
}

/** A thing that a memory is about, as those name it who say whether a caller may read it. */
type Thing = { readonly category: string; readonly id: string }

export type InsightQuery = Omit<InsightOptions, 'isOpen'> & {
  /** Only memories of these kinds. */
  readonly kinds: readonly string[]
  /** Of some things, whether each may be read. */
  readonly readable: (things: readonly Thing[]) => Promise<readonly boolean[]>
  readonly asOf?: bigint
}

/** Searches the memories of an org. Fails as the database does when that is away. */
export type MemoryIndex = {
  readonly search: (org: string, query: string, options: SearchOptions) => Promise<MemoryAnswer>
  /** In how many places each leg of the index of an org has a memory. */
  readonly holds: (org: string, key: string) => Promise<{ position: bigint; legs: Record<LegName, number> }>
  /** What the memories of an org say together. */
  readonly insights: (org: string, options: InsightQuery) => Promise<{ position: bigint; insights: Insights }>
  /** Forgets the index of an org, or all of them: the next search builds it anew. */
  readonly drop: (org?: string) => void
  /** Stores what the next process can go on from. */
  readonly close: () => Promise<void>
}

/** What all indexes together may take; beyond it the orgs that were asked about longest ago are forgotten. */
const BYTES_MAX = 512 * 1024 * 1024

/** Rows that make it worth while to store an index: at once, and when the process ends. */
const STORED_AT_ONCE = 20_000
const STORED_AT_END = 1_000

export type MemoryIndexOptions = Source & {
  readonly bytesMax?: number
  /** Where indexes of recall are kept between runs; without it each is built anew. */
  readonly stored?: IndexStore
  /** Rows that make it worth while to store an index when the process ends. */
  readonly storedFrom?: number
  /** Hears of stores that fail; indexes go on without them. */
  readonly onFault?: (error: unknown) => void
}

/** Makes the indexes of one process over the rows of a database. */
export function memoryIndex(options: MemoryIndexOptions): MemoryIndex {
  const { bytesMax = BYTES_MAX, storedFrom = STORED_AT_END, stored, onFault = () => {}, memories } = options
  // The org that was asked about last stays, however large it is.
  const sizeOf = ({ bytes }: OrgIndex) => Math.min(bytesMax, Math.max(1, bytes))
  const orgs = new LRUCache<string, OrgIndex>({ maxSize: bytesMax, sizeCalculation: sizeOf })
  const past = new PastIndexes(options, bytesMax)

  /** The index of an org for a kind of search, which it brings up to date. */
  async function upToDate<R extends Ranking>(org: string, Kind: new () => R): Promise<OrgIndex<R>> {
    const name = `${Kind.name} ${org}`
    const index = (orgs.get(name) as OrgIndex<R> | undefined) ?? begun(org, new Kind())
    if (!orgs.has(name)) orgs.set(name, index)
    if (!(await index.follow())) {
      if (orgs.peek(name) === index) orgs.delete(name)
      if (isRecall(index)) await stored?.remove(org).catch(onFault)
      return upToDate(org, Kind)
    }
    // Set anew, because it may have grown: the cache then makes room for it.
    if (orgs.peek(name) === index) {
      orgs.delete(name)
      orgs.set(name, index)
    }
    await keep(options, org, index, STORED_AT_ONCE)
    return index
  }

  /** The index of recall of an org, now or as of a position, and the position that the one of now has reached. */
  async function recallOf(org: string, asOf: bigint | undefined): Promise<[OrgIndex<Recall>, bigint]> {
    const now = await upToDate(org, Recall)
    const { position } = now
    return [asOf === undefined ? now : await past.of(org, now, asOf), position]
  }

  function begun<R extends Ranking>(org: string, ranking: R): OrgIndex<R> {
    const index = new OrgIndex(options, org, ranking)
    if (stored && isRecall(index)) void index.alone(() => load(index, stored, org, memories.version).catch(onFault))
    return index
  }

  return {
    async search(org, query, { kinds, limit, after, type = 'text', filter, asOf, ...profile }) {
      if (type !== 'text') {
        const asked = { ...profile, mode: type, filter: { ...filter, kinds }, limit, after }
        const { hits, ...answer } = foundBy(...(await recallOf(org, asOf)), query, asked)
        return { ...answer, hits: await opened(options.unseal, org, hits) }
      }
      const { ranking, rows, position } = await upToDate(org, RankedIndex)
      const found = ranking.search(query, kinds, { limit, after })
      const page = found.map(({ key, ...ranked }) => ({ ...rows.get(key)!, ...ranked }))
      return { position, hits: await opened(options.unseal, org, page) }
    },
    holds: (org, key) =>
      upToDate(org, Recall).then(({ ranking, position }) => ({ position, legs: heldOf(ranking, key) })),
    insights: (org, { asOf, ...query }) => openInsights(() => recallOf(org, asOf), query),
    drop(org) {
      past.drop()
      if (org === undefined) orgs.clear()
      else for (const Kind of [RankedIndex, Recall]) orgs.delete(`${Kind.name} ${org}`)
    },
    async close() {
      for (const [name, index] of orgs.entries())
        await keep(options, name.slice(name.indexOf(' ') + 1), index, storedFrom, true)
    },
  }
}

/**
 * Stores an index that took so many rows; at the end also one whose stored form was lost, because it forgot something,
 * or its key was destroyed with another erasure.
 */
async function keep(options: MemoryIndexOptions, org: string, index: OrgIndex, least: number, atEnd = false) {
  const { stored, onFault = () => {} } = options
  if (!stored || !isRecall(index)) return
  if (index.forgot) {
    index.forgot = false
    index.lost = true
    await stored.remove(org).catch(onFault)
  }
  if ((atEnd && index.lost ? index.rows.size : index.taken) < least) return
  index.taken = 0
  index.lost = false
  await store(index, stored, org, options).catch(error => {
    index.lost = true
    onFault(error)
  })
}

/** What legs find in an index, with the position that the index of now has reached. */
function foundBy({ ranking, rows }: OrgIndex<Recall>, position: bigint, query: string, asked: RecallOptions) {
  const { hits, ...answer } = ranking.search(query, asked)
  const page = hits.map(({ key, place, matched, score, legs: parts, path }): SealedHit => {
    const found = matched.map(({ word, as }) => ({ word, as }))
    return { ...rows.get(key)!, score, matched: found, place: { ...place, statistics: NONE }, legs: parts, path }
  })
  return { ...answer, position, hits: page }
}

/** Insights into the memories that a caller may read: what came while that was asked about is asked about too. */
async function openInsights(
  recall: () => Promise<[OrgIndex<Recall>, bigint]>,
  { kinds, readable, ...asked }: Omit<InsightQuery, 'asOf'>,
): Promise<{ position: bigint; insights: Insights }> {
  const known = new Map<string, boolean>()
  const nameOf = ({ kind, source = '' }: Traits) => `${kind} ${source}`
  for (;;) {
    const [{ ranking }, position] = await recall()
    const unknown = new Map<string, Thing>()
    ranking.each((_, traits) => {
      if (!kinds.includes(traits.kind) || known.has(nameOf(traits))) return
      unknown.set(nameOf(traits), { category: traits.kind, id: traits.source ?? '' })
    })
    if (unknown.size === 0) {
      const isOpen = (traits: Traits) => known.get(nameOf(traits)) === true
      return { position, insights: insightsOf(ranking, { ...asked, isOpen }) }
    }
    const open = await readable([...unknown.values()])
    for (const [at, name] of [...unknown.keys()].entries()) known.set(name, open[at]!)
  }
}

/** Scores of legs are of the index as it is: no statistics of an earlier page go with them. */
const NONE: Place['statistics'] = { documents: 0, length: 0, found: [] }

const isRecall = (index: OrgIndex): index is OrgIndex<Recall> => index.ranking instanceof Recall

type SealedHit = MemoryHit & Pick<Memory, 'sealed'>

/** Hits as they are answered: sealed texts are opened only now, so that none is shown whose key is gone. */
async function opened(unseal: Unseal, org: string, hits: readonly SealedHit[]): Promise<MemoryHit[]> {
  const sealed = hits.flatMap(hit => hit.sealed ?? [])
  if (sealed.length === 0) return [...hits]
  const plain = await unseal(org, sealed)
  const texts = new Map(sealed.map((envelope, at) => [envelope, plain[at]]))
  return hits.map(({ sealed: envelope, ...hit }) => {
    if (!envelope) return hit
    const text = [texts.get(envelope) ?? undefined, hit.text].filter(part => part !== undefined).join('\n')
    return { ...hit, ...(text !== '' && { text }) }
  })
}
