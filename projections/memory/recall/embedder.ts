/**
 * Random indexing (Kanerva, Kristofersson and Holst 2000): every word has a sparse random direction that follows from
 * the word alone, and a text points where its words do. Nothing is trained, so the same text has the same vector on
 * every machine, in whatever order texts came.
 */

/** Numbers of a vector, and those of them that a word touches. */
export const DIMENSIONS = 512
export const TOUCHED = 4
/** The length of every vector, about, and the largest number in it. */
const LENGTH = 400
const LARGEST = 127

/** A number that follows from a text: FNV-1a of its UTF-16 units. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

/** Adds the direction of a word, times a weight, to a vector. */
export function addDirection(vector: Float64Array | Int32Array, seed: number, weight: number): void {
  let state = seed
  for (let at = 0; at < TOUCHED; at += 1) {
    // Mulberry32.
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    mixed ^= mixed >>> 14
    const place = mixed & (DIMENSIONS - 1)
    vector[place] = vector[place]! + (mixed < 0 ? -weight : weight)
  }
}

/** The vector of a text, given the seeds of its words and how often it has each; all 0 where it has none. */
export function embed(words: Iterable<readonly [seed: number, count: number]>): Int8Array {
  const sum = new Int32Array(DIMENSIONS)
  for (const [seed, count] of words) addDirection(sum, seed, dampened(count))
  let square = 0
  for (let at = 0; at < DIMENSIONS; at += 1) square += sum[at]! * sum[at]!
  const scale = LENGTH / Math.sqrt(Math.max(1, square))
  const vector = new Int8Array(DIMENSIONS)
  for (let at = 0; at < DIMENSIONS; at += 1) {
    vector[at] = Math.max(-LARGEST, Math.min(LARGEST, Math.round(sum[at]! * scale)))
  }
  return vector
}

/** How much a word counts that a text has so often: whole numbers, so that the order of words is of no account. */
const dampened = (count: number) => Math.round(16 * (1 + Math.log(count)))
