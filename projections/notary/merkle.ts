/**
 * Merkle trees over a log, and what they prove: that an entry is in a log of some size, and that a log of one size
 * begins with that of another.
 *
 * Source: RFC 6962, section 2.1 (the tree), RFC 9162, sections 2.1.3.2 and 2.1.4.2 (the checks).
 */
import { hash } from 'node:crypto'

/** SHA-256, 32 bytes. */
export type Hash = Buffer

const HASH_BYTES = 32
/** Bytes of a UTF-16 code unit in UTF-8, at most. */
const UTF8_BYTES_MAX = 3
/** The bytes that most entries are hashed by, behind a byte of zero: it is filled for each. */
const LEAF = Buffer.alloc(16_384)
/** The bytes that a tree of two is hashed by; hashes are made one after another, and it is filled for each. */
const NODE = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** Node makes a text of a hash in half the time that a buffer takes, and `Buffer.from` takes its bytes from a pool. */
export const hashOf = (bytes: string | Uint8Array): Hash => Buffer.from(hash('sha256', bytes, 'binary'), 'binary')

/** The hash of an entry of the log. */
export function leafHash(entry: string | Uint8Array): Hash {
  if (typeof entry !== 'string') return hashOf(Buffer.concat([Buffer.of(0), entry]))
  if (entry.length * UTF8_BYTES_MAX >= LEAF.length) return hashOf(`\0${entry}`)
  return hashOf(LEAF.subarray(0, 1 + LEAF.write(entry, 1)))
}

/** The hash of a tree of two. */
export function nodeHash(left: Hash, right: Hash): Hash {
  NODE.set(left, 1)
  NODE.set(right, 1 + HASH_BYTES)
  return hashOf(NODE)
}

const EMPTY: Hash = hashOf('')

/** Told of the root of each complete subtree: its height, and which it is of those of this height from the left. */
export type OnNode = (height: number, index: number, hash: Hash) => void

/** A tree that only grows: it keeps one hash for each complete subtree, so its size is that of a logarithm. */
export class Tree {
  /** Complete subtrees from left to right, each larger than the next. */
  readonly #peaks: { readonly height: number; readonly hash: Hash }[] = []
  readonly #onNode: OnNode | undefined
  #size = 0

  constructor(onNode?: OnNode) {
    this.#onNode = onNode
  }

  /** Number of leaves. */
  get size(): number {
    return this.#size
  }

  add(leaf: Hash): void {
    let hash = leaf
    let height = 0
    this.#onNode?.(height, this.#size, hash)
    for (let last = this.#peaks.at(-1); last?.height === height; last = this.#peaks.at(-1)) {
      this.#peaks.pop()
      hash = nodeHash(last.hash, hash)
      height += 1
      this.#onNode?.(height, Math.floor(this.#size / 2 ** height), hash)
    }
    this.#peaks.push({ height, hash })
    this.#size += 1
  }

  get root(): Hash {
    const last = this.#peaks.at(-1)
    if (!last) return EMPTY
    return this.#peaks.slice(0, -1).reduceRight((right, { hash }) => nodeHash(hash, right), last.hash)
  }
}

/** The leaves `from` to before `to`, whose tree is one hash of a proof. */
export type Range = { readonly from: number; readonly to: number }

/** The trees that prove the leaf `index` of a log of `size` entries, in the order of the proof. */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  const ranges: Range[] = []
  for (let from = 0, to = size; to - from > 1; ) {
    const middle = from + largestPowerBelow(to - from)
    if (index < middle) {
      ranges.unshift({ from: middle, to })
      to = middle
    } else {
      ranges.unshift({ from, to: middle })
      from = middle
    }
  }
  return ranges
}

/** The trees that prove that a log of `size` entries begins with that of its first `old` ones, in their order. */
export function consistencyRanges(old: number, size: number): readonly Range[] {
  const ranges: Range[] = []
  if (old === 0 || old === size) return ranges
  let [from, to] = [0, size]
  // Down to the tree that ends where the old log ended.
  while (to > old) {
    const middle = from + largestPowerBelow(to - from)
    if (old <= middle) {
      ranges.unshift({ from: middle, to })
      to = middle
    } else {
      ranges.unshift({ from, to: middle })
      from = middle
    }
  }
  // Where that is the whole old log, its root is known and stands in no proof.
  return from === 0 ? ranges : [{ from, to }, ...ranges]
}

/** Grows the trees of some ranges as leaves come in their order, and gives their hashes in the order of the ranges. */
export class RangeHashes {
  readonly #trees: readonly { readonly range: Range; readonly tree: Tree }[]
  #index = 0

  constructor(ranges: readonly Range[]) {
    this.#trees = ranges.map(range => ({ range, tree: new Tree() }))
  }

  add(leaf: Hash): void {
    for (const { range, tree } of this.#trees) if (this.#index >= range.from && this.#index < range.to) tree.add(leaf)
    this.#index += 1
  }

  get hashes(): readonly Hash[] {
    return this.#trees.map(({ tree }) => tree.root)
  }
}

/** Whether a proof leads from the leaf `index` to the root of a log of `size` entries. */
export function isIncluded(
  { index, size, root }: { readonly index: number; readonly size: number; readonly root: Hash },
  leaf: Hash,
  proof: readonly Hash[],
): boolean {
  if (index < 0 || index >= size || leaf.length !== HASH_BYTES) return false
  let [node, last] = [index, size - 1]
  let hash = leaf
  for (const other of proof) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      hash = nodeHash(other, hash)
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else hash = nodeHash(hash, other)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && hash.equals(root)
}

type Head = { readonly size: number; readonly root: Hash }

/**
 * Whether a proof shows that the log with the head `next` begins with that with the head `old`. Nothing is proved about
 * an empty log, which all logs begin with.
 */
export function isConsistent(old: Head, next: Head, proof: readonly Hash[]): boolean {
  if (old.size <= 0 || old.size > next.size) return false
  if (old.size === next.size) return proof.length === 0 && old.root.equals(next.root)
  const path = isPowerOfTwo(old.size) ? [old.root, ...proof] : proof
  const [first, ...others] = path
  if (!first) return false
  let [node, last] = [old.size - 1, next.size - 1]
  while (isOdd(node)) [node, last] = [half(node), half(last)]
  let [before, after] = [first, first]
  for (const other of others) {
    if (last === 0) return false
    if (isOdd(node) || node === last) {
      before = nodeHash(other, before)
      after = nodeHash(other, after)
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)]
    } else after = nodeHash(after, other)
    ;[node, last] = [half(node), half(last)]
  }
  return last === 0 && before.equals(old.root) && after.equals(next.root)
}

const half = (n: number) => Math.floor(n / 2)
const isOdd = (n: number) => n % 2 === 1
const isPowerOfTwo = (n: number) => n === largestPowerBelow(n + 1)

function largestPowerBelow(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}
