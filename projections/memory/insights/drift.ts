/** How what a word stands for moves: the texts that have it, from one time to the next. */
import { DIMENSIONS } from '../recall/embedder.ts'
import { stemOf } from '../recall/languages.ts'
import type { Recall } from '../recall/recall.ts'
import { formsOf } from '../words.ts'
import { product } from './clusters.ts'
import type { Member } from './member.ts'
import { countWords, shownForms } from './words.ts'

export type Drift = {
  readonly concept: string
  /** Memories that have all its words. */
  readonly memories: number
  /** Equally long parts of the time between the first and the last of them; those with no memory are left out. */
  readonly windows: readonly Window[]
}

type Window = {
  readonly from: string
  readonly until: string
  readonly memories: number
  /** Distance to the window before and to the first one: 1 less the cosine of the mean vectors; 0 for the first. */
  readonly drift: number
  readonly drift_from_first: number
  /** Words that stand beside it most. */
  readonly beside: readonly string[]
}

const WINDOWS = 6
const BESIDE = 5

export function driftOf(recall: Recall, concept: string, members: readonly Member[]): Drift {
  const having = new Set(withAll(recall, concept))
  const own = members.filter(({ number }) => having.has(number))
  const times = own.map(({ traits }) => Date.parse(traits.at))
  const [first, last] = [Math.min(...bounds(times)), Math.max(...bounds(times))]
  const length = Math.max(1, Math.ceil((last + 1 - first) / WINDOWS))
  const windows: Window[] = []
  let [begin, before]: (Float64Array | undefined)[] = []
  for (let at = 0; at < WINDOWS; at += 1) {
    const [from, until] = [first + at * length, first + (at + 1) * length]
    const inside = own.filter((_, n) => times[n]! >= from && times[n]! < until)
    if (inside.length === 0) continue
    const mean = meanOf(recall, inside)
    begin ??= mean
    windows.push({
      from: new Date(from).toISOString(),
      until: new Date(until).toISOString(),
      memories: inside.length,
      drift: distance(before ?? mean, mean),
      drift_from_first: distance(begin, mean),
      beside: besideOf(recall, concept, inside),
    })
    before = mean
  }
  return { concept, memories: own.length, windows }
}

/** The least and the most of some numbers; none of none. */
function bounds(values: readonly number[]): number[] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)]
  return values.length === 0 ? [0] : [least, most]
}

/** Numbers of the memories that have every word of a concept, in any inflection. */
function withAll(recall: Recall, concept: string): number[] {
  const found: number[] = []
  const forms = formsOf(concept)
  for (const { vocabulary, postings, language } of recall.lexical.parts.values()) {
    const words = forms.flatMap(form => vocabulary.find(stemOf(form, language)) ?? [])
    if (forms.length === 0 || words.length < forms.length) continue
    const [first, ...others] = words
    const start = postings.startOf(first!)
    for (const number of postings.items.subarray(start, start + postings.lengthOf(first!))) {
      if (others.every(word => postings.countOf(word, number) > 0)) found.push(number)
    }
  }
  return found
}

/** The sum of the vectors of memories, as whole numbers, so that their order is of no account. */
function meanOf(recall: Recall, members: readonly Member[]): Float64Array {
  const sum = new Float64Array(DIMENSIONS)
  for (const { number } of members) {
    const vector = recall.neural.vectorOf(number)
    for (let at = 0; at < DIMENSIONS; at += 1) sum[at]! += vector[at]!
  }
  return sum
}

function distance(a: Float64Array, b: Float64Array): number {
  const lengths = Math.sqrt(product(a, a) * product(b, b))
  return lengths === 0 || a === b ? 0 : Math.round((1 - product(a, b) / lengths) * 10_000) / 10_000
}

function besideOf(recall: Recall, concept: string, members: readonly Member[]): string[] {
  const own = new Set(formsOf(concept))
  const found: { text: string; memories: number }[] = []
  for (const [part, counts] of countWords(recall, members)) {
    const stems = new Set([...own].map(form => stemOf(form, part.language)))
    const most = [...counts].sort(([, a], [, b]) => b - a)
    const least = most[2 * BESIDE - 1]?.[1] ?? 0
    const forms = shownForms(part, new Set(most.filter(([, memories]) => memories >= least).map(([word]) => word)))
    for (const [word, text] of forms) {
      if (!stems.has(stemOf(text, part.language))) found.push({ text, memories: counts.get(word)! })
    }
  }
  const order = (a: (typeof found)[0], b: (typeof found)[0]) => b.memories - a.memories || (a.text < b.text ? -1 : 1)
  return found
    .sort(order)
    .slice(0, BESIDE)
    .map(({ text }) => text)
}
