import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { z } from 'zod'
import { personalFields } from '../../../commands/seal.ts'
import { canonicalJson, isStorableText, type Json, toWire } from '../../../domain/kernel/json.ts'
import * as kernel from '../../../domain/kernel/schema.ts'
import { aggregates, projections } from '../../../infra/catalogue.ts'
import { wireOf } from '../support/arbitrary.ts'

type Named = readonly [name: string, schema: z.ZodType]

const leaves: readonly Named[] = [
  ['text(5)', kernel.text(5)],
  ['id', kernel.id('thing')],
  ['minorUnits', kernel.minorUnits],
  ['positiveMinorUnits', kernel.positiveMinorUnits],
  ['unsigned64', kernel.unsigned64],
  ['currency', kernel.currency],
  ['date', kernel.date],
  ['timestamp', kernel.timestamp],
  ['uuid', kernel.uuid],
  ['boolean', kernel.boolean],
  ['integer', kernel.integer(0, 30)],
  ['oneOf', kernel.oneOf('a', 'b')],
  ['list', kernel.list(kernel.text(3), 4, 1)],
  ['jsonObject', kernel.jsonObject],
  ['sealed', kernel.sealed],
]
const messages: readonly Named[] = aggregates.flatMap(({ name, events, commands }) =>
  [events, commands].flatMap(vocabulary =>
    Object.entries<z.ZodObject>(vocabulary).map(([type, schema]) => [`${name}.${type}`, schema] as const),
  ),
)
const rows: readonly Named[] = projections.map(({ name, row }) => [`row of ${name}`, row as z.ZodType])
const all = [...leaves, ...messages, ...rows]

const numRuns = process.env.KOGI_LONG ? 2000 : 10
const accepts = (schema: z.ZodType, value: unknown) => schema.safeDecode(value as never).success

/** Every text in a value: PostgreSQL stores each of them. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, item]) => [name, ...textsIn(item)])
}

describe('whatever a schema accepts', () => {
  for (const [name, schema] of all) {
    it(`${name}: every engine can store, and it comes back as it was`, () =>
      fc.assert(
        fc.property(fc.oneof(wireOf(schema, 0), wireOf(schema, 10)), wire => {
          const decoded = schema.safeDecode(wire as never)
          if (!decoded.success) return
          for (const text of textsIn(wire)) expect(isStorableText(text)).to.equal(true)
          const stored = canonicalJson(toWire(decoded.data))
          const read = JSON.parse(stored) as Json
          expect(canonicalJson(read)).to.equal(stored)
          const again = schema.safeDecode(read as never)
          expect(again.error?.issues).to.equal(undefined)
          expect(canonicalJson(toWire(again.data))).to.equal(stored)
          expect(canonicalJson(schema.encode(decoded.data))).to.equal(stored)
        }),
        { numRuns },
      ))
  }
})

describe('JSON Schema', () => {
  const ajv = new Ajv2020({ strict: true, validateFormats: false })

  for (const [name, schema] of [...leaves, ...messages]) {
    it(`${name}: compiles strictly and says what the codec says`, () => {
      const validate = ajv.compile(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }))
      fc.assert(
        fc.property(fc.oneof(wireOf(schema, 0), wireOf(schema, 10)), wire => {
          const value: unknown = wire === undefined ? null : JSON.parse(JSON.stringify(wire))
          if (accepts(schema, value)) expect(validate(value), ajv.errorsText(validate.errors)).to.equal(true)
          else if (!isFinerThanJsonSchema(schema, value)) expect(validate(value), 'too lenient').to.equal(false)
        }),
        { numRuns },
      )
    })
  }
})

/** Free JSON has limits that JSON Schema cannot say (depth, number of values, storable texts), a date a calendar. */
function isFinerThanJsonSchema(schema: z.ZodType, value: unknown): boolean {
  const { error } = schema.safeDecode(value as never)
  return error!.issues.every(({ code, message }) => code === 'custom' || message.includes('storable'))
}

describe('the codecs', () => {
  const takes = (schema: z.ZodType, good: readonly unknown[], bad: readonly unknown[]) => {
    for (const value of good) expect(accepts(schema, value), `takes ${JSON.stringify(value)}`).to.equal(true)
    for (const value of bad) expect(accepts(schema, value), `refuses ${JSON.stringify(value)}`).to.equal(false)
  }
  const nines = '9'.repeat(38)

  it('refuse unknown fields and coerce nothing', () => {
    const point = kernel.object({ x: kernel.integer(0, 9) })
    takes(point, [{ x: 1 }], [{ x: '1' }, { x: 1, y: 2 }, { x: 1.5 }, { x: true }, {}, [], null, '{"x":1}'])
    for (const [name, schema] of messages) {
      for (const wire of fc.sample(wireOf(schema, 0), 3)) {
        expect(accepts(schema, wire), `${name} ${JSON.stringify(wire)}`).to.equal(true)
        expect(accepts(schema, { ...(wire as object), unknown: 1 })).to.equal(false)
      }
    }
  })
  it('count code points, not code units', () => takes(kernel.text(2), ['😀😀', 'ab'], ['😀😀😀', '', 'a\0', '\ud83d']))
  it('hold 38 digits of money, written in one way', () => {
    takes(
      kernel.minorUnits,
      ['0', '-1', nines, `-${nines}`],
      ['', '-0', '+1', '01', '1.0', '1e3', ` 1`, '1\n', `1${nines}`, 1],
    )
    takes(kernel.positiveMinorUnits, ['1', nines], ['0', '-1', `1${nines}`])
    expect(kernel.minorUnits.decode(nines)).to.equal(kernel.MAX_MINOR_UNITS)
  })
  it('know the calendar', () => {
    takes(
      kernel.date,
      ['2024-02-29', '2000-02-29'],
      ['2023-02-29', '1900-02-29', '2024-13-01', '2024-1-1', '2024-01-01T00:00'],
    )
    takes(
      kernel.timestamp,
      ['2024-02-29T23:59:59.999Z'],
      ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59.999+01:00', '2024-02-30T00:00:00.000Z', '2024-02-29T24:00:00.000Z'],
    )
  })
  it('take the names that people give to things', () =>
    takes(
      kernel.id('x'),
      ['a', '-a', 'A-1._~:@', 'American Airlines Group', 'a/b', 'é', '日本', '...', 'x'.repeat(128)],
      ['', ' a', 'a ', '.', '..', 'a\n', 'a\tb', 'a\u0000b', 'a\u2028b', '\ud800', 'x'.repeat(129)],
    ))
  it('take commodities of visible characters', () =>
    takes(
      kernel.currency,
      ['EUR', '€', '__proto__', 'x'.repeat(32)],
      ['', 'a b', 'a\u00a0b', 'a\u200bb', '\t', 'x'.repeat(33)],
    ))
  it('know which fields are personal, and whose', () => {
    const schema = kernel.object({ owner: kernel.id('user'), name: kernel.personal('owner', z.string()).optional() })
    expect([...personalFields(schema)]).to.deep.equal([['name', 'owner']])
  })
})
