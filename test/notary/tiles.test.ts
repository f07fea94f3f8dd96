import { randomBytes } from 'node:crypto'
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
import { HEIGHT, levelIn, rangeHash, tileIn, tilePath, WIDTH, widthOf } from '../../projections/notary/tiles.ts'

const LEAVES = 66_000

describe('tiles', () => {
  const leaves = Array.from({ length: LEAVES }, () => leafHash(randomBytes(8)))
  const levels: Hash[][] = [[], [], []]
  const tree = new Tree((height, index, hash) => {
    if (height % HEIGHT > 0) return
    const row = levels[height / HEIGHT]!
    expect(row.length).to.equal(index)
    row.push(hash)
  })
  for (const leaf of leaves) tree.add(leaf)
  const source = async (level: number, index: number) =>
    Buffer.concat(levels[level]!.slice(index * WIDTH, (index + 1) * WIDTH))

  it('has the widths of a tree', () => {
    expect(levels.map(row => row.length)).to.deep.equal([66_000, 257, 1])
    expect(widthOf({ level: 0, index: 256 }, LEAVES)).to.equal(256)
    expect(widthOf({ level: 0, index: 257 }, LEAVES)).to.equal(208)
    expect(widthOf({ level: 1, index: 1 }, LEAVES)).to.equal(1)
    expect(widthOf({ level: 2, index: 0 }, LEAVES)).to.equal(1)
    expect(widthOf({ level: 2, index: 1 }, LEAVES)).to.equal(0)
    expect(widthOf({ level: 0, index: 0 }, 0)).to.equal(0)
  })

  it('writes places as the specification does, and reads no other spelling', () => {
    expect(tilePath({ index: 1_234_067, width: 256 })).to.equal('x001/x234/067')
    expect(tilePath({ index: 0, width: 256 })).to.equal('000')
    expect(tilePath({ index: 1_000, width: 8 })).to.equal('x001/000.p/8')
    expect(tileIn('x001/x234/067')).to.deep.equal({ index: 1_234_067, width: 256 })
    const wrong = [
      '',
      '0',
      '0000',
      'x000/001',
      '001.p/0',
      '001.p/256',
      '001.p/300',
      '001.p/01',
      '001/002',
      'x001',
      '-01',
    ]
    for (const text of wrong) expect(tileIn(text), text).to.equal(undefined)
    const places = fc.record({
      index: fc.integer({ min: 0, max: 999_999_999_999 }),
      width: fc.integer({ min: 1, max: 256 }),
    })
    fc.assert(
      fc.property(places, place => {
        expect(tileIn(tilePath(place))).to.deep.equal(place)
      }),
    )
    expect(['0', '5', '6', '00', '-1', ''].map(levelIn)).to.deep.equal([
      0,
      5,
      undefined,
      undefined,
      undefined,
      undefined,
    ])
  })

  it('gives the proofs that hashing all leaves gives, of any leaf and size', async () => {
    const sizes = fc.oneof(fc.integer({ min: 1, max: 2_000 }), fc.constantFrom(65_535, 65_536, LEAVES))
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, some, other) => {
        const [index, old] = [some % size, 1 + (other % size)]
        const head = new Tree()
        const before = new Tree()
        const [inclusion, consistency] = [inclusionRanges(index, size), consistencyRanges(old, size)]
        const [first, second] = [new RangeHashes(inclusion), new RangeHashes(consistency)]
        for (const [at, leaf] of leaves.slice(0, size).entries()) {
          head.add(leaf)
          if (at < old) before.add(leaf)
          first.add(leaf)
          second.add(leaf)
        }
        const made = await Promise.all(inclusion.map(range => rangeHash(range, source)))
        expect(made).to.deep.equal(first.hashes)
        expect(isIncluded({ index, size, root: head.root }, leaves[index]!, made)).to.equal(true)
        const goesOn = await Promise.all(consistency.map(range => rangeHash(range, source)))
        expect(goesOn).to.deep.equal(second.hashes)
        expect(isConsistent({ size: old, root: before.root }, { size, root: head.root }, goesOn)).to.equal(true)
      }),
      { numRuns: 12 },
    )
  })

  it('says where a tile has too few hashes', async () => {
    const short = async (level: number, index: number) => (await source(level, index)).subarray(0, 64)
    const fault = await rangeHash({ from: 0, to: 4 }, short).catch((error: unknown) => error)
    expect(fault).to.be.instanceOf(RangeError)
  })
})
