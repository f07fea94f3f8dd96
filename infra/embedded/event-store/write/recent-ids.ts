/** Where an event id was written first. */
export interface Remembered {
  readonly stream: number
  readonly revision: number
}

const BUCKETS = 2 ** 18
const NONE = -1
const WORDS = 4

/**
 * The ids of the last events, for re-appends that expect no revision. As on a real server it is a memory only: bounded,
 * lost at a restart, and keyed by the id alone, so that the first stream an id was written to keeps it. A ring of
 * numbers with chains of equal hashes: 150,000 ids take 6 MB and nothing for the garbage collector to walk over.
 */
export class RecentIds {
  private readonly limit: number
  private readonly ids: Uint32Array
  private readonly streams: Uint32Array
  private readonly revisions: Float64Array
  private readonly buckets = new Int32Array(BUCKETS).fill(NONE)
  private readonly following: Int32Array
  private readonly words = new Uint32Array(WORDS)
  private size = 0
  private oldest = 0

  constructor(limit: number) {
    this.limit = limit
    this.ids = new Uint32Array(limit * WORDS)
    this.streams = new Uint32Array(limit)
    this.revisions = new Float64Array(limit)
    this.following = new Int32Array(limit)
  }

  get(id: string): Remembered | undefined {
    const slot = this.find(id)
    return slot === NONE ? undefined : { stream: this.streams[slot]!, revision: this.revisions[slot]! }
  }

  add(id: string, stream: number, revision: number): void {
    if (this.find(id) !== NONE) return
    const slot = this.size < this.limit ? this.size++ : this.forgetOldest()
    const bucket = bucketOf(this.words)
    this.ids.set(this.words, slot * WORDS)
    this.streams[slot] = stream
    this.revisions[slot] = revision
    this.following[slot] = this.buckets[bucket]!
    this.buckets[bucket] = slot
  }

  clear(): void {
    this.buckets.fill(NONE)
    this.size = 0
    this.oldest = 0
  }

  /** The slot of an id; leaves the id's words in `words`. */
  private find(id: string): number {
    parse(id, this.words)
    let slot = this.buckets[bucketOf(this.words)]!
    while (slot !== NONE && !this.holds(slot)) slot = this.following[slot]!
    return slot
  }

  private holds(slot: number): boolean {
    for (let word = 0; word < WORDS; word++) if (this.ids[slot * WORDS + word] !== this.words[word]) return false
    return true
  }

  /** Takes the oldest slot out of its chain and answers it. */
  private forgetOldest(): number {
    const slot = this.oldest
    this.oldest = (slot + 1) % this.limit
    const bucket = bucketOf(this.ids.subarray(slot * WORDS, slot * WORDS + WORDS))
    let at = this.buckets[bucket]!
    if (at === slot) this.buckets[bucket] = this.following[slot]!
    else {
      while (this.following[at] !== slot) at = this.following[at]!
      this.following[at] = this.following[slot]!
    }
    return slot
  }
}

/** Ids are seldom random in all parts (UUIDv1, v5, v7, counters): all words take part, mixed. */
function bucketOf(words: Uint32Array): number {
  let hash = Math.imul(words[0]! ^ Math.imul(words[1]!, 0x85ebca6b), 0xc2b2ae35)
  hash = Math.imul(hash ^ words[2]! ^ Math.imul(words[3]!, 0x27d4eb2f), 0x9e3779b1)
  return (hash ^ (hash >>> 15)) & (BUCKETS - 1)
}

/** The 32 digits of a lower-case UUID as four words. */
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
