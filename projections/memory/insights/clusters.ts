/** Groups of memories that are about the same: spherical k-means (Dhillon and Modha 2001) over their vectors. */
import { DIMENSIONS, seedOf } from '../recall/embedder.ts'
import type { Part } from '../recall/parts.ts'
import type { Recall } from '../recall/recall.ts'
import { rarityOf } from '../scores.ts'
import type { Member } from './member.ts'
import { countWords, shownForms } from './words.ts'

export type Cluster = {
  /** Memories of the sample that are in it, and its part of the sample. */
  readonly memories: number
  readonly share: number
  /** The words that stand out in it. */
  readonly words: readonly string[]
  /** The memory that is nearest to the middle, and how near it is, as a cosine. */
  readonly typical: { readonly kind: string; readonly source: string; readonly key: string; readonly cosine: number }
}

/** Memories that are looked at most: of more, those whose keys have the lowest hashes. */
const SAMPLE_MAX = 1_000
const CLUSTERS_MAX = 8
/** Memories for each group, at least. */
const GROUP_MIN = 5
const ROUNDS_MAX = 10
const WORDS = 5

type Point = { readonly member: Member; readonly vector: Float64Array }

export function clustersOf(recall: Recall, members: readonly Member[]): Cluster[] {
  const points = sampleOf(members).flatMap(member => pointOf(recall, member) ?? [])
  const k = Math.min(CLUSTERS_MAX, Math.floor(points.length / GROUP_MIN))
  if (k < 1) return []
  const groups = grouped(points, beginnings(points, k)).filter(group => group.length > 0)
  const clusters = groups.map(group => described(recall, group, points.length))
  return clusters.sort((a, b) => b.memories - a.memories || (a.typical.key < b.typical.key ? -1 : 1))
}

/** Few enough members, in the order of their keys. */
function sampleOf(members: readonly Member[]): Member[] {
  const byKey = (a: Member, b: Member) => (a.traits.key < b.traits.key ? -1 : 1)
  if (members.length <= SAMPLE_MAX) return members.toSorted(byKey)
  const hashed = members.map(member => ({ member, hash: seedOf(member.traits.key) }))
  hashed.sort((a, b) => a.hash - b.hash || byKey(a.member, b.member))
  return hashed
    .slice(0, SAMPLE_MAX)
    .map(({ member }) => member)
    .sort(byKey)
}

function pointOf(recall: Recall, member: Member): Point | undefined {
  const vector = Float64Array.from(recall.neural.vectorOf(member.number))
  return toLengthOne(vector) ? { member, vector } : undefined
}

/** The first is the one nearest to all; each next the one that is farthest from those before. */
function beginnings(points: readonly Point[], k: number): Float64Array[] {
  const all = new Float64Array(DIMENSIONS)
  for (const { vector } of points) addTo(all, vector)
  const nearest = new Float64Array(points.length).fill(Number.NEGATIVE_INFINITY)
  const centers: Float64Array[] = []
  let next = best(points, ({ vector }) => product(vector, all))
  while (centers.length < k) {
    const center = points[next]!.vector.slice()
    centers.push(center)
    for (const [at, { vector }] of points.entries()) nearest[at] = Math.max(nearest[at]!, product(vector, center))
    next = best(points, (_, at) => -nearest[at]!)
  }
  return centers
}

function grouped(points: readonly Point[], centers: readonly Float64Array[]): Point[][] {
  let placed: number[] = []
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const next = points.map(({ vector }) => best(centers, center => product(vector, center)))
    if (next.every((group, at) => group === placed[at])) break
    placed = next
    for (const [group, center] of centers.entries()) {
      const own = points.filter((_, at) => placed[at] === group)
      if (own.length === 0) continue
      center.fill(0)
      for (const { vector } of own) addTo(center, vector)
      toLengthOne(center)
    }
  }
  return centers.map((_, group) => points.filter((_, at) => placed[at] === group))
}

function described(recall: Recall, group: readonly Point[], all: number): Cluster {
  const center = new Float64Array(DIMENSIONS)
  for (const { vector } of group) addTo(center, vector)
  toLengthOne(center)
  const { member, vector } = group[best(group, each => product(each.vector, center))]!
  const { kind, source = '', key } = member.traits
  return {
    memories: group.length,
    share: rounded(group.length / all),
    words: tellingWords(recall, group),
    typical: { kind, source, key, cosine: rounded(product(vector, center)) },
  }
}

/** The words that most memories of a group have, and few others. */
function tellingWords(recall: Recall, group: readonly Point[]): string[] {
  const counts = countWords(
    recall,
    group.map(({ member }) => member),
  )
  const words: { part: Part; word: number; weight: number }[] = []
  for (const [part, own] of counts) {
    for (const [word, memories] of own) {
      words.push({ part, word, weight: rounded(memories * rarityOf(recall.size, part.postings.lengthOf(word))) })
    }
  }
  words.sort((a, b) => b.weight - a.weight)
  const least = words[WORDS - 1]?.weight ?? 0
  const best = words.filter(({ weight }) => weight >= least)
  const shown = [...counts.keys()].flatMap(part => {
    const own = best.filter(each => each.part === part)
    const forms = shownForms(part, new Set(own.map(({ word }) => word)))
    return own.map(({ word, weight }) => ({ text: forms.get(word)!, weight }))
  })
  return shown
    .sort((a, b) => b.weight - a.weight || (a.text < b.text ? -1 : 1))
    .slice(0, WORDS)
    .map(({ text }) => text)
}

/** The place of the item with the highest value; of equal ones the first. */
function best<T>(items: readonly T[], worthOf: (item: T, at: number) => number): number {
  let [found, most] = [0, Number.NEGATIVE_INFINITY]
  for (const [at, item] of items.entries()) {
    const value = worthOf(item, at)
    if (value > most) [found, most] = [at, value]
  }
  return found
}

function addTo(sum: Float64Array, other: Float64Array): void {
  for (let at = 0; at < DIMENSIONS; at += 1) sum[at]! += other[at]!
}

export function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < DIMENSIONS; at += 1) sum += a[at]! * b[at]!
  return sum
}

/** Makes a vector as long as 1; `false` where it has no direction. */
function toLengthOne(vector: Float64Array): boolean {
  const length = Math.sqrt(product(vector, vector))
  if (length === 0) return false
  for (let at = 0; at < DIMENSIONS; at += 1) vector[at]! /= length
  return true
}

const rounded = (value: number) => Math.round(value * 10_000) / 10_000
