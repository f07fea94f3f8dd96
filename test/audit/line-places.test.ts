/** The walk over a line sees nothing as canonical that is not, and finds its members where they stand. */
import { expect } from 'chai'
import fc from 'fast-check'
import { canonicalJson } from '../../domain/kernel/json.ts'
import { placesIn } from '../../read-api/audit/line-places.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 100_000 : 2_000

/** JSON in many forms: with blanks, escapes, names in any order, and numbers of any form. */
const texts: fc.Arbitrary<string> = fc.letrec<{ value: string }>(tie => {
  const blank = fc.constantFrom('', '', '', '', '', ' ', '\n')
  const word = fc.oneof(
    fc.string({ maxLength: 4, unit: 'grapheme' }).map(text => JSON.stringify(text)),
    fc.constantFrom('"data"', '"position"', '"a"', '"b"', '"ab"', '"\\u0061"', '""', '"\\ud800"', '"__proto__"', '"1"'),
  )
  const number = fc.oneof(
    fc.maxSafeInteger().map(String),
    fc.constantFrom('0', '-0', '1.0', '1e3', '1E3', '10', '9007199254740993', '1234567890123456', '0.5', '-7'),
  )
  const members = fc.array(fc.tuple(word, tie('value'), blank), { maxLength: 4 })
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(word, number, fc.constantFrom('true', 'false', 'null')),
      fc.array(tie('value'), { maxLength: 3 }).map(list => `[${list.join(',')}]`),
      fc.tuple(members, fc.boolean()).map(([list, isSorted]) => {
        const all = isSorted ? list.toSorted(([a], [b]) => (a < b ? -1 : 1)) : list
        return `{${all.map(([name, value, space]) => `${space}${name}:${value}`).join(',')}}`
      }),
    ),
  }
}).value

describe('the walk over a line', () => {
  it('takes canonical JSON alone', () => {
    let taken = 0
    fc.assert(
      fc.property(texts, text => {
        const parsed: unknown = JSON.parse(text)
        if (!placesIn(Buffer.from(text))) return
        taken += 1
        expect(canonicalJson(parsed)).to.equal(text)
      }),
      { numRuns: RUNS },
    )
    expect(taken).to.be.greaterThan(RUNS / 20)
  })

  it('takes every event that has no escapes, and knows where its data and its position are', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', ',', ':', '{', '}', '[', ']', 'ü', '€') })
    const value = fc.letrec<{ any: unknown }>(tie => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.oneof(plain, fc.integer(), fc.boolean(), fc.constant(null)),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'ab', 'b', 'data', 'position', 'z1'), tie('any')),
      ),
    })).any
    fc.assert(
      fc.property(value, value, plain, fc.nat(), (data, metadata, stream, position) => {
        const bytes = Buffer.from(canonicalJson({ data, id: 'e', metadata, position: String(position), stream }))
        const places = placesIn(bytes)!
        const part = (from: number, to: number) => bytes.subarray(from, to).toString()
        expect(part(places.dataFrom, places.dataTo)).to.equal(canonicalJson(data))
        expect(part(places.positionFrom, places.positionTo)).to.equal(`,"position":"${position}"`)
      }),
      { numRuns: RUNS },
    )
  })
})
