/** Recall against search libraries in the same process: how many queries a second, and how good the answers. */
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { Recall } from '../../projections/memory/recall/recall.ts'
import { reciprocalRank } from '../memory/quality.ts'
import { alone, type Figure, paired } from './figure.ts'
import { type Known, recalledTexts } from './memory-texts.ts'

/** These take 50 s of processor time; `KOGI_BENCH_MEMORIES=100000 npm run bench -- memory-peers` takes minutes. */
const MEMORIES = Number(process.env.KOGI_BENCH_MEMORIES ?? 20_000)
const QUERIES = 30
const ROUNDS = 3
const HITS = 10

/** Keys of the best hits. */
type Search = (query: string) => readonly string[] | Promise<readonly string[]>

type Text = { readonly id: string; readonly title: string; readonly text: string }

/** One after the other in one process, in turns; each query is words of one memory, which is the right answer. */
export async function memoryPeerBench(): Promise<Figure[]> {
  const { memories, queries } = recalledTexts(MEMORIES, QUERIES)
  const texts = memories.map(({ key, fields: [title, text] }) => ({ id: key, title: title![0], text: text![0] }))
  const index = new Recall()
  for (const memory of memories) index.set(memory)
  const keysOf = (query: string, mode: 'hybrid' | 'lexical') =>
    index.search(query, { mode, limit: HITS }).hits.map(({ key }) => key)
  const sides: Record<string, Search> = {
    hybrid: query => keysOf(query, 'hybrid'),
    lexical: query => keysOf(query, 'lexical'),
    minisearch: await miniSearch(texts),
    orama: await orama(texts),
  }
  // Before the rounds, so that they find all warm.
  const qualities: Figure[] = []
  for (const [name, search] of Object.entries(sides)) {
    qualities.push(alone(`recall_known_item_mrr_${name}`, await qualityOf(search, queries), ''))
  }
  const rates: Record<string, number>[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const rate: Record<string, number> = {}
    for (const [name, search] of Object.entries(sides)) rate[name] = await perSecond(search, queries)
    rates.push(rate)
  }
  const against = (side: string, peer: string) =>
    paired(
      `recall_${side}_queries_per_second_to_${peer}`,
      '/s',
      rates.map(rate => ({ value: rate[side]!, bare: rate[peer]! })),
      { least: 2 },
    )
  return [
    ...['minisearch', 'orama'].flatMap(peer => ['hybrid', 'lexical'].map(side => against(side, peer))),
    ...qualities,
  ]
}

async function perSecond(search: Search, queries: readonly Known[]): Promise<number> {
  const started = performance.now()
  for (const { text } of queries) await search(text)
  return (queries.length * 1_000) / (performance.now() - started)
}

/** The mean of 1 by the place of the memory that the words are of. */
async function qualityOf(search: Search, queries: readonly Known[]): Promise<number> {
  const ranks: number[] = []
  for (const { text, key } of queries) ranks.push(reciprocalRank(await search(text), new Map([[key, 1]])))
  return ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length
}

/** With the weights that its documentation gives: any of the words, titles three times. */
async function miniSearch(texts: readonly Text[]): Promise<Search> {
  const { default: MiniSearch } = (await peer('minisearch')) as { default: new (options: object) => MiniSearchLike }
  const search = new MiniSearch({ fields: ['title', 'text'], searchOptions: { boost: { title: 3 } } })
  search.addAll(texts)
  return query =>
    search
      .search(query)
      .slice(0, HITS)
      .map(({ id }) => id)
}

type MiniSearchLike = {
  readonly addAll: (texts: readonly Text[]) => void
  readonly search: (query: string) => readonly { readonly id: string }[]
}

async function orama(texts: readonly Text[]): Promise<Search> {
  const { create, insertMultiple, search } = (await peer('@orama/orama')) as OramaLike
  const schema = { id: 'string', title: 'string', text: 'string' }
  const db = await create({ schema, components: { tokenizer: { language: 'english', stemming: false } } })
  await insertMultiple(db, texts, 1_000)
  const options = { properties: ['title', 'text'], boost: { title: 3 }, threshold: 1, limit: HITS }
  return async term => (await search(db, { term, ...options })).hits.map(({ id }) => id)
}

type OramaLike = {
  readonly create: (options: object) => Promise<object>
  readonly insertMultiple: (db: object, texts: readonly Text[], batch: number) => Promise<unknown>
  readonly search: (db: object, options: object) => Promise<{ readonly hits: readonly { readonly id: string }[] }>
}

const PEERS = path.resolve(import.meta.dirname, 'peers/package.json')

/** A package of the peers. Throws where they were not installed. */
function peer(name: string): Promise<unknown> {
  try {
    return import(pathToFileURL(createRequire(PEERS).resolve(name)).href)
  } catch {
    throw new Error(
      'The packages of the peers are missing: npm install --legacy-peer-deps --prefix scripts/bench/peers',
    )
  }
}
