import { createHash } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  consistencyRanges,
  type Hash,
  inclusionRanges,
  isConsistent,
  isIncluded,
  leafHash,
  RangeHashes,
  Tree,
} from '../../projections/notary/merkle.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

/** The root as RFC 6962 defines it, by its own recursion. */
function naiveRoot(leaves: readonly Hash[]): Hash {
  if (leaves.length === 0) return sha()
  if (leaves.length === 1) return leaves[0]!
  const middle = 2 ** Math.floor(Math.log2(leaves.length - 1))
  return sha(Buffer.of(1), naiveRoot(leaves.slice(0, middle)), naiveRoot(leaves.slice(middle)))
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, n) => leafHash(`entry ${n}`))

function grown(leaves: readonly Hash[]): Tree {
  const tree = new Tree()
  for (const leaf of leaves) tree.add(leaf)
  return tree
}

function proofOf(ranges: ReturnType<typeof inclusionRanges>, leaves: readonly Hash[]): readonly Hash[] {
  const hashes = new RangeHashes(ranges)
  for (const leaf of leaves) hashes.add(leaf)
  return hashes.hashes
}

describe('a Merkle tree', () => {
  it('hashes an entry apart from a node', () => {
    expect(leafHash('').toString('hex')).to.equal(sha(Buffer.of(0)).toString('hex'))
  })

  it('has the root of RFC 6962 at every size', () => {
    const leaves = leavesOf(70)
    for (let size = 0; size <= leaves.length; size += 1) {
      const tree = grown(leaves.slice(0, size))
      expect([tree.size, tree.root.toString('hex')]).to.deep.equal([
        size,
        naiveRoot(leaves.slice(0, size)).toString('hex'),
      ])
    }
  })

  it('proves every entry at every size, and no other', () => {
    const leaves = leavesOf(33)
    for (let size = 1; size <= leaves.length; size += 1) {
      const head = { size, root: naiveRoot(leaves.slice(0, size)) }
      for (let index = 0; index < size; index += 1) {
        const proof = proofOf(inclusionRanges(index, size), leaves.slice(0, size))
        expect(isIncluded({ ...head, index }, leaves[index]!, proof), `${index} of ${size}`).to.equal(true)
        expect(isIncluded({ ...head, index }, leafHash('another'), proof)).to.equal(false)
        expect(isIncluded({ ...head, index: (index + 1) % (size + 1) }, leaves[index]!, proof)).to.equal(false)
      }
    }
  })

  it('proves that it goes on from every earlier size', () => {
    const leaves = leavesOf(33)
    for (let size = 0; size <= leaves.length; size += 1) {
      const next = { size, root: naiveRoot(leaves.slice(0, size)) }
      for (let old = 1; old <= size; old += 1) {
        const before = { size: old, root: naiveRoot(leaves.slice(0, old)) }
        const proof = proofOf(consistencyRanges(old, size), leaves.slice(0, size))
        expect(isConsistent(before, next, proof), `${old} to ${size}`).to.equal(true)
        if (old === size) continue
        expect(isConsistent({ size: old, root: leafHash('another') }, next, proof)).to.equal(false)
        expect(isConsistent(before, { size, root: leafHash('another') }, proof)).to.equal(false)
      }
    }
  })

  it('takes no proof that was changed anywhere', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.nat(),
        fc.nat(),
        fc.constantFrom('flip', 'drop', 'double', 'swap'),
        (size, pick, place, change) => {
          const leaves = leavesOf(size)
          const root = naiveRoot(leaves)
          const old = 1 + (pick % (size - 1))
          const edited = (proof: readonly Hash[]): Hash[] => {
            const at = place % Math.max(1, proof.length)
            const other = Buffer.from(proof[at] ?? leafHash(''))
            other[place % 32]! ^= 1
            if (change === 'flip') return proof.map((hash, n) => (n === at ? other : hash))
            if (change === 'drop') return proof.filter((_, n) => n !== at)
            if (change === 'double') return [...proof.slice(0, at + 1), ...proof.slice(at)]
            return proof.length < 2 ? [...proof, other] : [...proof.slice(1), proof[0]!]
          }
          const included = proofOf(inclusionRanges(old, size), leaves)
          const continued = proofOf(consistencyRanges(old, size), leaves)
          expect(isIncluded({ index: old, size, root }, leaves[old]!, edited(included))).to.equal(false)
          const before = { size: old, root: naiveRoot(leaves.slice(0, old)) }
          expect(isConsistent(before, { size, root }, edited(continued))).to.equal(false)
        },
      ),
      { numRuns: 200 },
    ))
})
