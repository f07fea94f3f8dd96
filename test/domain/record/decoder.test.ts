import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { integer, ofStore, text } from '../../../domain/kernel/schema.ts'
import { decoderOf, REFUSED } from '../../../domain/record/decoder.ts'
import { aggregates, projections } from '../../../infra/catalogue.ts'
import { wireOf } from '../support/arbitrary.ts'

const messages = aggregates.flatMap(({ events, commands }) =>
  [events, commands].flatMap(vocabulary => Object.entries<z.ZodObject>(vocabulary)),
)
const rows = projections.map(({ name, row }) => [`row of ${name}`, row as z.ZodObject] as const)
const numRuns = process.env.KOGI_LONG ? 2000 : 10

/** What zod makes of a value, in the words of decoders. */
const naive = (schema: z.ZodType, wire: unknown) => {
  const decoded = schema.safeDecode(wire as never)
  return decoded.success ? decoded.data : REFUSED
}
const fromJson = (wire: unknown): unknown => (wire === undefined ? null : JSON.parse(JSON.stringify(wire)))

describe('compiled decoders', () => {
  for (const [name, schema] of [...messages, ...rows]) {
    it(`${name}: what zod takes, and nothing else`, () => {
      fc.assert(
        fc.property(fc.oneof(wireOf(schema, 0), wireOf(schema, 10)).map(fromJson), wire => {
          expect(decoderOf(schema)(wire)).to.deep.equal(naive(schema, wire))
          expect(ofStore(() => decoderOf(schema)(wire))).to.deep.equal(ofStore(() => naive(schema, wire)))
        }),
        { numRuns },
      )
    })
  }

  it('members keep the order of the schema, and what is absent stays absent', () => {
    const schema = z.strictObject({ b: text(3), a: text(3).optional(), c: integer(0, 9).default(4) })
    const made = decoderOf(schema)({ c: 1, b: 'x' })
    expect(Object.entries(made as object)).to.deep.equal([
      ['b', 'x'],
      ['c', 1],
    ])
    expect(decoderOf(schema)({ b: 'x' })).to.deep.equal({ b: 'x', c: 4 })
  })

  it('unknown fields are refused, whatever they are called', () => {
    const schema = z.strictObject({ a: text(3).optional() })
    for (const wire of ['{"b":1}', '{"__proto__":{}}', '{"a":"x","constructor":1}', '[]', 'null', '"a"', '1']) {
      expect(decoderOf(schema)(JSON.parse(wire)), wire).to.equal(REFUSED)
    }
  })

  it('a schema of another kind is left to zod', () => {
    const schema = z.strictObject({ a: z.string().transform(value => value.length), b: z.string().email().optional() })
    expect(decoderOf(schema)({ a: 'four' })).to.deep.equal({ a: 4 })
    expect(decoderOf(schema)({ a: 'four', b: 'no address' })).to.equal(REFUSED)
  })
})
