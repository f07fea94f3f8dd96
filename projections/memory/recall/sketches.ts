/** Finds vectors that may be among the nearest of very many: by one bit of each number, its sign. */
import { resized } from '../lists.ts'
import type { Filter } from '../scores.ts'

/** Numbers of a vector that a sketch is made of: the first ones, which are as good as any others. */
const SKETCHED = 256
const BYTES = SKETCHED / 8
/** Memories that are proposed, and about how many more. */
const PROPOSED = 1_000
/** Estimates are whole numbers: this is 1. */
const ONE = 2 ** 16
/** So many bits of an estimate are left out where estimates are counted. */
const STEP_BITS = 11
const STEPS = (SKETCHED * ONE) >> STEP_BITS

export class Sketches {
  /** The bytes of all sketches, the first ones of all together, then the second ones: so they are read in a row. */
  #columns = Array.from({ length: BYTES }, () => new Uint8Array(0))
  #estimates = new Int32Array(0)
  readonly #counts = new Uint32Array(STEPS)

  /** Bytes of one. */
  static readonly bytes = BYTES

  static of(columns: readonly Uint8Array[]): Sketches {
    const sketches = new Sketches()
    sketches.#columns = columns.map(column => column.slice())
    return sketches
  }

  /** The columns of the sketches of numbers below `end`. */
  stateOf(end: number): readonly Uint8Array[] {
    return this.#columns.map(column => column.subarray(0, end))
  }

  set(number: number, vector: Int8Array): void {
    if (this.#columns[0]!.length <= number) {
      const size = Math.max(64, Math.ceil(1.25 * (number + 1)))
      this.#columns = this.#columns.map(column => resized(column, size))
    }
    for (const [byte, column] of this.#columns.entries()) {
      let bits = 0
      for (let bit = 0; bit < 8; bit += 1) if (vector[8 * byte + bit]! > 0) bits |= 1 << bit
      column[number] = bits
    }
  }

  delete(number: number): void {
    for (const column of this.#columns) column[number] = 0
  }

  /** Numbers below `end` that are there, pass the filter, and whose signs fit a vector of length 1 best. */
  nearest(vector: Float64Array, end: number, isThere: Uint32Array, filter: Filter): number[] {
    const estimates = this.#estimate(vector, end)
    const counts = this.#counts.fill(0)
    for (let number = 0; number < end; number += 1) {
      const isOpen = isThere[number]! > 0 && (!filter || filter.open[filter.kinds[number]!] === 1)
      if (!isOpen) estimates[number] = 0
      else if (estimates[number]! > 0) counts[estimates[number]! >> STEP_BITS]! += 1
    }
    let step = STEPS - 1
    for (let reached = counts[step]!; step > 0 && reached < PROPOSED; reached += counts[step]!) step -= 1
    const least = Math.max(1, step << STEP_BITS)
    const found: number[] = []
    for (let number = 0; number < end; number += 1) if (estimates[number]! >= least) found.push(number)
    return found
  }

  #estimate(vector: Float64Array, end: number): Int32Array {
    if (this.#estimates.length < end) this.#estimates = new Int32Array(Math.ceil(1.25 * end))
    const estimates = this.#estimates.fill(0, 0, end)
    const gains = gainsOf(vector)
    const own = (byte: number) => gains.subarray(256 * byte, 256 * (byte + 1))
    // Four columns at once, because the estimates are then read and written a quarter as often.
    for (let byte = 0; byte < BYTES; byte += 4) {
      const [a, b, c, d] = this.#columns.slice(byte, byte + 4) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
      const [ofA, ofB, ofC, ofD] = [own(byte), own(byte + 1), own(byte + 2), own(byte + 3)]
      for (let number = 0; number < end; number += 1) {
        const gain = ofA[a[number]!]! + ofB[b[number]!]! + ofC[c[number]!]! + ofD[d[number]!]!
        estimates[number] = (estimates[number]! + gain) | 0
      }
    }
    return estimates
  }
}

/** What each value of each byte of a sketch adds to the product with a vector. */
function gainsOf(vector: Float64Array): Int32Array {
  const gains = new Int32Array(BYTES * 256)
  for (let byte = 0; byte < BYTES; byte += 1) {
    for (let bits = 0; bits < 256; bits += 1) {
      let gain = 0
      for (let bit = 0; bit < 8; bit += 1) {
        const value = vector[8 * byte + bit]!
        gain += (bits >> bit) & 1 ? value : -value
      }
      gains[256 * byte + bits] = Math.round(gain * ONE)
    }
  }
  return gains
}
