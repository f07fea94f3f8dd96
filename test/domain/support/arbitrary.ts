import fc from 'fast-check'
import { z } from 'zod'

type Schema = z.core.$ZodType

/** Values in a row that a schema refuses before none here is taken to fit it: the search would have no end. */
const REFUSED_MAX = 20_000

/** Texts of every kind that the wire knows, and texts that must be refused. */
const texts = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,20}$/),
  fc.bigInt(-(10n ** 39n), 10n ** 39n).map(String),
  fc.integer({ min: -3, max: 3 }).map(String),
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map(at => at.toISOString()),
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map(at => at.toISOString().slice(0, 10)),
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map(at => at.toISOString().slice(0, 19)),
  fc.constantFrom(
    '2023-02-29',
    '2024-02-29',
    '2024-13-01',
    '2024-06-31',
    '2024-01-01T24:00:00.000Z',
    '007',
    '-0',
    '+1',
  ),
  fc.uuid(),
  fc.webUrl(),
  fc.stringMatching(/^[A-Za-z0-9_-]{16}$/),
  fc.stringMatching(/^[A-Za-z0-9_-]{22,40}$/),
  fc.stringMatching(/^[A-Za-z0-9_-]{43}$/),
  fc.constantFrom('user mira', 'user 😀', 'team design', 'team ', 'user'),
  fc.constantFrom('external:x', 'external:', 'external:\n', 'EUR', '__proto__', 'constructor', '', ' ', '\n', '1\n'),
  fc.string({ unit: 'grapheme', maxLength: 70 }),
  fc.string({ unit: 'binary', maxLength: 10 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 5 }).map(units => String.fromCharCode(...units)),
  fc.tuple(fc.integer({ min: 60, max: 70 }), fc.constantFrom('x', '😀', 'é')).map(([n, unit]) => unit.repeat(n)),
  fc.constantFrom('a\0b', '\ud800', 'x\udfff', '\u2028', '\u0085', '\ufeff'),
)
/** Free JSON is most of the work of making values: deep ones are for the long run. */
const maxDepth = process.env.KOGI_LONG ? 5 : 2
const jsonObjects = fc.dictionary(fc.oneof(fc.string(), texts), fc.jsonValue({ stringUnit: 'binary', maxDepth }), {
  maxKeys: 4,
})
const anything = fc.oneof(texts, fc.jsonValue({ maxDepth }), fc.integer(), fc.constant(undefined))

/**
 * Values for the wire form of a schema: nearly all of them what it accepts, some of them not (`spoilt` names the share
 * of leaves, of 100, that are left to chance).
 */
export function wireOf(schema: Schema, spoilt: number): fc.Arbitrary<unknown> {
  const good = goodOf(schema, spoilt)
  return spoilt === 0
    ? good
    : fc.oneof({ weight: 100 - spoilt, arbitrary: good }, { weight: spoilt, arbitrary: anything })
}

function goodOf(schema: Schema, spoilt: number): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return fc.option(goodOf(schema.def.innerType, spoilt), { nil: undefined })
  }
  if (schema instanceof z.ZodNullable) return fc.option(goodOf(schema.def.innerType, spoilt))
  if (schema instanceof z.ZodCodec) {
    return goodOf(schema.def.in, spoilt).filter(value => z.safeParse(schema, value).success)
  }
  if (schema instanceof z.ZodArray) return arrayOf(schema, spoilt)
  if (schema instanceof z.ZodEnum) return fc.constantFrom(...schema.options)
  if (schema instanceof z.ZodBoolean) return fc.boolean()
  if (schema instanceof z.ZodObject) return objectOf(schema, spoilt)
  if (schema instanceof z.ZodUnion) {
    const options = schema.options.map(option => goodOf(option, spoilt))
    return fc.oneof(...options).filter(value => z.safeParse(schema, value).success)
  }
  let refused = 0
  return leavesOf(schema).filter(value => {
    const fits = z.safeParse(schema, value).success
    refused = fits ? 0 : refused + 1
    if (refused > REFUSED_MAX) throw new Error(`add texts of this form: ${JSON.stringify(z.toJSONSchema(schema))}`)
    return fits
  })
}

const numbers = fc.oneof(fc.integer({ min: -1, max: 400 }), fc.double())
const anyLeaves = fc.oneof(texts, texts, jsonObjects, numbers)

/** Values among which those of a schema are: no object is made where only texts fit. */
function leavesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema instanceof z.ZodString || schema instanceof z.ZodStringFormat) return texts
  return schema instanceof z.ZodNumber ? numbers : anyLeaves
}

function arrayOf(schema: z.ZodArray, spoilt: number): fc.Arbitrary<unknown> {
  type Limit = { readonly check: string; readonly minimum?: number; readonly maximum?: number }
  const limits = (schema.def.checks ?? []).map(({ _zod }) => _zod.def as Limit)
  const minLength = limits.find(({ check }) => check === 'min_length')?.minimum ?? 0
  const most = limits.find(({ check }) => check === 'max_length')?.maximum ?? Number.POSITIVE_INFINITY
  return fc.array(wireOf(schema.def.element, spoilt), { minLength, maxLength: Math.min(minLength + 2, most) })
}

function objectOf(schema: z.ZodObject, spoilt: number): fc.Arbitrary<unknown> {
  const fields = Object.entries(schema.shape).map(([name, field]) => [name, wireOf(field, spoilt)] as const)
  const known = fc.record(Object.fromEntries(fields)).map(withoutUndefined)
  if (spoilt === 0) return known
  const more = fc.tuple(known, fc.constantFrom('unknown', 'constructor', 'id'), anything)
  const spoiltOnes = more.map(([value, name, extra]) => ({ ...(value as object), [name]: extra }))
  return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: spoiltOnes })
}

const withoutUndefined = (value: object) =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
