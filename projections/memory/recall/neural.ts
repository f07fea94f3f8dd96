/**
 * The leg of meaning: texts that have words in common with the texts that have a word. A query points where its words
 * are used: to the sum of the vectors of all memories that have them, less what all memories have in common.
 */
import type { Lists } from '../lists.ts'
import { resized } from '../lists.ts'
import { type Filter, isOpen } from '../scores.ts'
import { addDirection, DIMENSIONS, embed, TOUCHED } from './embedder.ts'
import type { Counted, Sought } from './lexical.ts'
import { Sketches } from './sketches.ts'

/** Words of more memories have their sum ready; those of others are added up when they are asked for. */
const READY_MIN = 64
/** Vectors that are added up for one word of a query: a beginning may stand for thousands of words. */
const ADDED_MAX = 1_000
/** How much the direction of a word itself counts beside that of the texts that have it. */
const OWN = 2
/** More memories are compared by their sketches, and the best of these by their vectors. */
const COMPARED_MAX = 2_000

/** Where a query points, and how far the mean of all memories is along it. */
export type Pointer = { readonly vector: Float64Array; readonly offset: number }

/** What the leg holds, to store it; sums that are ready for each part of the leg of words. */
export type NeuralState = {
  readonly vectors: Int8Array
  readonly squares: Uint32Array
  readonly sketches: readonly Uint8Array[]
  readonly size: number
  readonly sum: Float64Array
  readonly ready: readonly { readonly words: Uint32Array; readonly sums: Int32Array }[]
}

export class NeuralLeg {
  #vectors = new Int8Array(0)
  #sketches = new Sketches()
  /** The sum of squares of each vector, 0 where there is no memory. */
  #squares = new Uint32Array(0)
  #highest = 0
  #size = 0
  readonly #sum = new Float64Array(DIMENSIONS)
  readonly #ready = new Map<Lists, Map<number, Int32Array>>()

  /** The leg that a state is of; `parts` are the lists of the leg of words, in the same order. */
  static of(state: NeuralState, parts: readonly Lists[]): NeuralLeg {
    const leg = new NeuralLeg()
    const { vectors, squares, sum, ready } = state
    leg.#highest = squares.length
    leg.#squares = squares.slice()
    leg.#vectors = vectors.slice()
    leg.#sketches = Sketches.of(state.sketches)
    leg.#size = state.size
    leg.#sum.set(sum)
    for (const [at, { words, sums }] of ready.entries()) {
      if (words.length === 0) continue
      const own = leg.#sumsOf(parts[at]!)
      for (const [n, word] of words.entries()) own.set(word, sums.slice(n * DIMENSIONS, (n + 1) * DIMENSIONS))
    }
    return leg
  }

  /** All of it, as long as nothing changes, with the lists of the leg of words. */
  stateWith(parts: readonly Lists[]): NeuralState {
    return {
      vectors: this.#vectors.subarray(0, this.#highest * DIMENSIONS),
      squares: this.#squares.subarray(0, this.#highest),
      sketches: this.#sketches.stateOf(this.#highest),
      size: this.#size,
      sum: this.#sum,
      ready: parts.map(part => {
        const own = [...(this.#ready.get(part) ?? [])]
        const sums = new Int32Array(own.length * DIMENSIONS)
        for (const [n, [, sum]] of own.entries()) sums.set(sum, n * DIMENSIONS)
        return { words: Uint32Array.from(own, ([word]) => word), sums }
      }),
    }
  }

  /** Whether it has a vector under a number. */
  has(number: number): boolean {
    return (this.#squares[number] ?? 0) > 0
  }

  get bytes(): number {
    const sums = [...this.#ready.values()].reduce((sum, { size }) => sum + size, 0)
    return (DIMENSIONS + Sketches.bytes + 4) * this.#size + 4 * DIMENSIONS * sums
  }

  /** Takes a memory whose words are in the lists already. */
  add(number: number, words: readonly Counted[], postings: Lists): void {
    const vector = embed(words.filter(({ isCommon }) => !isCommon).map(({ seed, count }) => [seed, count] as const))
    this.#makeRoom(number)
    this.#vectors.set(vector, number * DIMENSIONS)
    let square = 0
    for (let at = 0; at < DIMENSIONS; at += 1) square += vector[at]! * vector[at]!
    this.#squares[number] = square
    this.#sketches.set(number, vector)
    this.#size += 1
    addVector(this.#sum, this.#vectors, number * DIMENSIONS, 1)
    for (const { word, isCommon } of words) {
      if (isCommon) continue
      const found = postings.lengthOf(word)
      if (found > READY_MIN + 1) addCounts(this.#readyOf(postings, word), this.#vectors, number * DIMENSIONS)
      else if (found === READY_MIN + 1) this.#sumsOf(postings).set(word, this.#contextOf(postings, word))
    }
  }

  /** Forgets a memory whose words were taken out of the lists. */
  remove(number: number, words: readonly number[], postings: Lists): void {
    for (const word of words) {
      const found = postings.lengthOf(word)
      const ready = this.#ready.get(postings)?.get(word)
      if (!ready) continue
      if (found > READY_MIN) takeCounts(ready, this.#vectors, number * DIMENSIONS)
      else this.#sumsOf(postings).delete(word)
    }
    if (this.#ready.get(postings)?.size === 0) this.#ready.delete(postings)
    addVector(this.#sum, this.#vectors, number * DIMENSIONS, -1)
    this.#size -= 1
    this.#vectors.fill(0, number * DIMENSIONS, (number + 1) * DIMENSIONS)
    this.#sketches.delete(number)
    this.#squares[number] = 0
  }

  /** The vector of a memory, for others to look at. */
  vectorOf(number: number): Int8Array {
    return this.#vectors.subarray(number * DIMENSIONS, (number + 1) * DIMENSIONS)
  }

  /** The sum of the vectors of all memories. */
  get sum(): Float64Array {
    return this.#sum.slice()
  }

  /** The sum that is ready for a word of a list. */
  readyFor(postings: Lists, word: number): Int32Array | undefined {
    return this.#ready.get(postings)?.get(word)
  }

  /** Where the words of a query point; `undefined` where no memory has one of them. */
  point(sought: readonly Sought[]): Pointer | undefined {
    const mean = this.#sum.map(value => value / this.#size)
    const vector = new Float64Array(DIMENSIONS)
    for (const { lists, rarity, weight, seeds } of sought) {
      const sum = new Int32Array(DIMENSIONS)
      let found = 0
      for (const [{ postings }, word] of commonest(lists)) {
        // Words that say little have no sums ready: they are in so many texts that they point nowhere.
        if (postings.lengthOf(word) > READY_MIN && !this.readyFor(postings, word)) continue
        found += postings.lengthOf(word)
        this.#addContext(sum, postings, word)
      }
      if (found === 0) continue
      const context = Float64Array.from(sum)
      addScaled(context, mean, -found)
      addScaled(vector, context, (rarity * weight) / lengthOf(context))
      for (const seed of seeds)
        addDirection(vector, seed, (OWN * rarity * weight) / (Math.sqrt(TOUCHED) * seeds.length))
    }
    const length = lengthOf(vector)
    if (vector.every(value => value === 0)) return undefined
    for (let at = 0; at < DIMENSIONS; at += 1) vector[at] = vector[at]! / length
    return { vector, offset: product(vector, mean) }
  }

  /** How near a memory is to where a query points: the cosine of the angle, less that of the mean; never below 0. */
  scoreOf(number: number, { vector, offset }: Pointer): number {
    const square = this.#squares[number]!
    if (square === 0) return 0
    const vectors = this.#vectors
    // Four sums at once, because none of them waits for another.
    let [one, two, three, four] = [0, 0, 0, 0]
    for (let at = 0, place = number * DIMENSIONS; at < DIMENSIONS; at += 4, place += 4) {
      one += vectors[place]! * vector[at]!
      two += vectors[place + 1]! * vector[at + 1]!
      three += vectors[place + 2]! * vector[at + 2]!
      four += vectors[place + 3]! * vector[at + 3]!
    }
    const along = one + two + three + four - offset
    return along <= 0 ? 0 : along / Math.sqrt(square)
  }

  /** The numbers of memories that pass the filter and may be among the nearest: all, where they are few. */
  nearest({ vector }: Pointer, filter: Filter): number[] {
    if (this.#size > COMPARED_MAX) return this.#sketches.nearest(vector, this.#highest, this.#squares, filter)
    const open: number[] = []
    for (let number = 0; number < this.#highest; number += 1) {
      if (this.#squares[number]! > 0 && isOpen(filter, number)) open.push(number)
    }
    return open
  }

  #contextOf(postings: Lists, word: number): Int32Array {
    const sum = new Int32Array(DIMENSIONS)
    const end = postings.startOf(word) + postings.lengthOf(word)
    for (let at = postings.startOf(word); at < end; at += 1) {
      addCounts(sum, this.#vectors, postings.items[at]! * DIMENSIONS)
    }
    return sum
  }

  /** Adds the vectors of all memories that have a word. */
  #addContext(sum: Int32Array, postings: Lists, word: number): void {
    const context = this.#ready.get(postings)?.get(word) ?? this.#contextOf(postings, word)
    for (let at = 0; at < DIMENSIONS; at += 1) sum[at] = (sum[at]! + context[at]!) | 0
  }

  #sumsOf(postings: Lists): Map<number, Int32Array> {
    const sums = this.#ready.get(postings) ?? new Map<number, Int32Array>()
    this.#ready.set(postings, sums)
    return sums
  }

  #readyOf(postings: Lists, word: number): Int32Array {
    return this.#sumsOf(postings).get(word)!
  }

  #makeRoom(number: number): void {
    this.#highest = Math.max(this.#highest, number + 1)
    if (this.#squares.length >= this.#highest) return
    const size = Math.max(64, Math.ceil(1.25 * this.#highest))
    this.#squares = resized(this.#squares, size)
    this.#vectors = resized(this.#vectors, size * DIMENSIONS)
  }
}

/**
 * The lists of the commonest words, as many as may be added up; words that equally many memories have are taken
 * together, so that it does not matter in which order words came.
 */
function commonest(lists: Sought['lists']): Sought['lists'] {
  const lengthOfList = ([{ postings }, word]: Sought['lists'][number]) => postings.lengthOf(word)
  const counts = new Map<number, number>()
  for (const list of lists) counts.set(lengthOfList(list), (counts.get(lengthOfList(list)) ?? 0) + 1)
  let [least, added] = [Number.POSITIVE_INFINITY, 0]
  for (const [length, count] of [...counts].sort(([a], [b]) => b - a)) {
    added += count * (length > READY_MIN ? 1 : length)
    if (least < Number.POSITIVE_INFINITY && added > ADDED_MAX) break
    least = length
  }
  return lists.filter(list => lengthOfList(list) >= least)
}

// Each of these is for one kind of array: the compiler makes the fastest code of those.

function addVector(sum: Float64Array, vectors: Int8Array, start: number, times: 1 | -1): void {
  for (let at = 0; at < DIMENSIONS; at += 1) sum[at] = sum[at]! + times * vectors[start + at]!
}

function addCounts(sum: Int32Array, vectors: Int8Array, start: number): void {
  for (let at = 0; at < DIMENSIONS; at += 1) sum[at] = (sum[at]! + vectors[start + at]!) | 0
}

function takeCounts(sum: Int32Array, vectors: Int8Array, start: number): void {
  for (let at = 0; at < DIMENSIONS; at += 1) sum[at] = (sum[at]! - vectors[start + at]!) | 0
}

function addScaled(sum: Float64Array, other: Float64Array, times: number): void {
  for (let at = 0; at < DIMENSIONS; at += 1) sum[at] = sum[at]! + times * other[at]!
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let at = 0; at < DIMENSIONS; at += 1) sum += a[at]! * b[at]!
  return sum
}

/** The length of a vector, or 1 where it has none to divide by. */
const lengthOf = (vector: Float64Array) => Math.sqrt(product(vector, vector)) || 1
