/** What a search costs in 100,000 texts of one org, against the plain form of the same ranking. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { RankedIndex } from '../../projections/memory/rank.ts'
import { alone, type Figure, median, paired } from './figure.ts'
import { NaiveIndex } from './naive-search.ts'

const TEXTS = 100_000
const TEXT_WORDS_MAX = 80
const VOCABULARY = 60_000
const QUERIES = 40
const ROUNDS = 3
const HITS = 10

/** CPU and memory of both, in one run: texts and queries of words as frequent as those of a language are. */
export async function searchBench(): Promise<Figure[]> {
  const random = randomOf(7)
  const word = () => wordAt(Math.floor(VOCABULARY ** random()) - 1)
  const texts = Array.from({ length: TEXTS }, () => [sentence(word, 4), sentence(word, 1 + random() * TEXT_WORDS_MAX)])
  const queries = Array.from({ length: QUERIES }, () => sentence(word, 2 + random() * 8))
  const [index, indexBytes, indexMs] = built(new RankedIndex(), texts)
  const [naive, naiveBytes, naiveMs] = built(new NaiveIndex(), texts)
  // Once before it counts, so that both are compiled.
  for (const query of queries) for (const each of [index, naive]) each.search(query)
  const rounds = Array.from({ length: ROUNDS }, () => ({
    value: cpuMs(() => queries.forEach(query => void index.search(query, undefined, { limit: HITS }))) / QUERIES,
    bare: cpuMs(() => queries.forEach(query => void naive.search(query).slice(0, HITS))) / QUERIES,
  }))
  const begun = queries.map(query => `${query} ${wordAt(1_000).slice(0, 3)}`)
  const wrong = queries.map(query => query.replace(/(?<=\w{4})\w/g, 'q'))
  const costOf = (some: readonly string[]) =>
    median(Array.from({ length: ROUNDS }, () => cpuMs(() => some.forEach(query => void index.search(query))) / QUERIES))
  return [
    paired('search_cpu_per_query', 'ms', rounds),
    alone('search_cpu_per_query_with_beginning', costOf(begun), 'ms'),
    alone('search_cpu_per_query_with_wrong_letters', costOf(wrong), 'ms'),
    paired('search_index_memory', 'MiB', [{ value: indexBytes / 2 ** 20, bare: naiveBytes / 2 ** 20 }]),
    paired('search_index_build', 'ms', [{ value: indexMs, bare: naiveMs }]),
  ]
}

type Index = RankedIndex | NaiveIndex

/** An index of the texts, the memory that it takes, and the CPU time that it took. */
function built<I extends Index>(index: I, texts: readonly (readonly string[])[]): readonly [I, number, number] {
  const before = memoryInUse()
  const ms = cpuMs(() => {
    for (const [at, [title, text]] of texts.entries()) {
      index.set({
        key: `item/${at}`,
        kind: 'item',
        fields: [
          [title!, 3],
          [text!, 1],
        ],
      })
    }
  })
  return [index, memoryInUse() - before, ms]
}

export function memoryInUse(): number {
  if (!globalThis.gc) setFlagsFromString('--expose-gc')
  const collect = globalThis.gc ?? (runInNewContext('gc') as () => void)
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

export function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

export const sentence = (word: () => string, words: number) => Array.from({ length: Math.floor(words) }, word).join(' ')

const SYLLABLES = 'ba co du fe gi ka lo mu ne pi ra so tu ve wi xa yo zu br cl dr st'.split(' ')

/** The word with a number: a name for it in syllables. */
export function wordAt(number: number): string {
  const last = SYLLABLES[number % SYLLABLES.length]!
  return number < SYLLABLES.length ? `${last}n` : wordAt(Math.floor(number / SYLLABLES.length)) + last
}

/** Mulberry32: the same numbers in each run. */
export function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
