/**
 * Remembers the ids of the last events, for repeated appends that expect no revision. As on a real server it is a
 * memory only: bounded, lost at a restart, and keyed by the id alone, so that an id belongs to the first stream it was
 * written to.
 */

/** Hash buckets, a power of two. */
const BUCKETS = 2 ** 18
const NONE = -1
/** 32-bit words of an id. */
const WORDS = 4

/** Where an event id was written first. */
export type Remembered = {
  readonly streamNumber: number
  readonly revision: number
}

/** A ring of numbers with chains of equal hashes: 150,000 ids take 6 MB and no work of the garbage collector. */
export class RecentIds {
  readonly #limit: number
  readonly #ids: Uint32Array
  readonly #streams: Uint32Array
  readonly #revisions: Float64Array
  readonly #buckets = new Int32Array(BUCKETS).fill(NONE)
  readonly #following: Int32Array
  readonly #words = new Uint32Array(WORDS)
  #size = 0
  #oldest = 0

  constructor(limit: number) {
    this.#limit = limit
    this.#ids = new Uint32Array(limit * WORDS)
    this.#streams = new Uint32Array(limit)
    this.#revisions = new Float64Array(limit)
    this.#following = new Int32Array(limit)
  }

  get(id: string): Remembered | undefined {
    const slot = this.#find(id)
    return slot === NONE ? undefined : { streamNumber: this.#streams[slot]!, revision: this.#revisions[slot]! }
  }

  add(id: string, streamNumber: number, revision: number): void {
    if (this.#find(id) !== NONE) return
    const slot = this.#size < this.#limit ? this.#size++ : this.#forgetOldest()
    const bucket = bucketOf(this.#words)
    this.#ids.set(this.#words, slot * WORDS)
    this.#streams[slot] = streamNumber
    this.#revisions[slot] = revision
    this.#following[slot] = this.#buckets[bucket]!
    this.#buckets[bucket] = slot
  }

  clear(): void {
    this.#buckets.fill(NONE)
    this.#size = 0
    this.#oldest = 0
  }

  /** The slot of an id; the id's words are in `#words` afterwards. */
  #find(id: string): number {
    parse(id, this.#words)
    let slot = this.#buckets[bucketOf(this.#words)]!
    while (slot !== NONE && !this.#holds(slot)) slot = this.#following[slot]!
    return slot
  }

  #holds(slot: number): boolean {
    for (let word = 0; word < WORDS; word++) if (this.#ids[slot * WORDS + word] !== this.#words[word]) return false
    return true
  }

  /** Takes the oldest slot out of its chain and returns it. */
  #forgetOldest(): number {
    const slot = this.#oldest
    this.#oldest = (slot + 1) % this.#limit
    const bucket = bucketOf(this.#ids.subarray(slot * WORDS, slot * WORDS + WORDS))
    let at = this.#buckets[bucket]!
    if (at === slot) this.#buckets[bucket] = this.#following[slot]!
    else {
      while (this.#following[at] !== slot) at = this.#following[at]!
      this.#following[at] = this.#following[slot]!
    }
    return slot
  }
}

/** Mixes all words, because ids are seldom random in all parts (UUIDv1, v7, counters). */
function bucketOf(words: Uint32Array): number {
  let hash = Math.imul(words[0]! ^ Math.imul(words[1]!, 0x85ebca6b), 0xc2b2ae35)
  hash = Math.imul(hash ^ words[2]! ^ Math.imul(words[3]!, 0x27d4eb2f), 0x9e3779b1)
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1)
}

/** Reads the 32 digits of a lower-case UUID into four words. */
function parse(id: string, words: Uint32Array): void {
  let word = 0
  let value = 0
  let digits = 0
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index)
    if (code === 45) continue
    value = (value << 4) | (code < 58 ? code - 48 : code - 87)
    if (++digits < 8) continue
    words[word++] = value
    value = 0
    digits = 0
  }
}
