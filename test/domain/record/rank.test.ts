import { expect } from 'chai'
import fc from 'fast-check'
import { bytesOf, digestOf } from '../../../domain/record/digest.ts'
import { RANK, rankBetween } from '../../../domain/record/rank.ts'

describe('ranks', () => {
  it('stand between those that they are made of, whatever was made before', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 200 }), places => {
        const ranks: string[] = []
        for (const place of places) {
          const at = place % (ranks.length + 1)
          const made = rankBetween(ranks[at - 1] ?? '', ranks[at])
          expect(made).to.match(RANK)
          ranks.splice(at, 0, made)
        }
        expect([...ranks].sort((a, b) => (a < b ? -1 : 1))).to.deep.equal(ranks)
        expect(new Set(ranks).size).to.equal(ranks.length)
      }),
    )
  })
  it('stand between any two, those of an earlier alphabet (0-9a-z) too', () => {
    const rank = fc.option(fc.stringMatching(/^[0-9a-z]{0,5}[1-9a-z]$/), { nil: undefined })
    fc.assert(
      fc.property(rank, rank, (a, b) => {
        fc.pre(a === undefined || b === undefined || a !== b)
        const [low, high] = a !== undefined && b !== undefined && a > b ? [b, a] : [a, b]
        const found = rankBetween(low ?? '', high)
        expect((low ?? '') < found && (high === undefined || found < high)).to.equal(true)
        expect(found).to.match(RANK)
      }),
    )
  })
  it('stay short behind one another, before one another, and in one gap', () => {
    let [last, first, within] = ['', rankBetween('', undefined), rankBetween('A', 'B')]
    for (let n = 0; n < 1_000; n += 1) {
      last = rankBetween(last, undefined)
      first = rankBetween('', first)
      within = rankBetween('A', within)
    }
    for (const rank of [last, first, within]) expect(rank.length).to.be.lessThan(40)
  })
})

describe('digests', () => {
  it('are others for other texts', () => {
    const texts = Array.from({ length: 5_000 }, (_, n) => `text ${n}`)
    expect(new Set(texts.map(digestOf)).size).to.equal(texts.length)
    expect(digestOf('a')).to.equal(digestOf('a'))
  })
  it('know the bytes of a text as UTF-8 has them', () =>
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => bytesOf(text) === Buffer.byteLength(text))))
})
