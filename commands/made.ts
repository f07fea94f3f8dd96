/** Checks of data that a rule has just made, in memory form: cheaper than to decode its wire form, and as sure. */
import { z } from 'zod'
import { toWire } from '../domain/kernel/json.ts'
import { decoderOf } from '../domain/record/decoder.ts'

/** True only where the wire form of the value decodes, and to this very value; `false` says nothing. */
export type MadeCheck = (value: unknown) => boolean

const checks = new WeakMap<z.core.$ZodType, MadeCheck>()

/** The check of a schema, which is made once. What is of no kind that is named here is never certain. */
export function madeCheck(schema: z.core.$ZodType): MadeCheck {
  const known = checks.get(schema)
  if (known) return known
  const check = checkOf(schema)
  checks.set(schema, check)
  return check
}

function checkOf(schema: z.core.$ZodType): MadeCheck {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return madeCheck(schema.unwrap())
  if (schema instanceof z.ZodNullable) {
    const inner = madeCheck(schema.unwrap())
    return value => value === null || inner(value)
  }
  if (schema instanceof z.ZodObject) return objectCheck(schema)
  if (schema instanceof z.ZodArray) return arrayCheck(schema)
  if (schema instanceof z.ZodUnion) return unionCheck(schema)
  if (schema instanceof z.ZodCodec) return decimalCheck(schema)
  if (schema instanceof z.ZodCustom) return value => isPlainJson(value) && isItself(schema, value)
  if (!PLAIN.some(kind => schema instanceof kind)) return () => false
  return plainCheck(schema)
}

/** Texts that are remembered as right, for each schema, and how long they are at most: names come again and again. */
const KNOWN_MAX = 256
const KNOWN_LENGTH_MAX = 64

function plainCheck(schema: z.core.$ZodType): MadeCheck {
  const known = new Set<unknown>()
  const decode = decoderOf(schema)
  return value => {
    if (known.has(value)) return true
    if (decode(value) !== value) return false
    if (typeof value === 'string' && value.length <= KNOWN_LENGTH_MAX) {
      if (known.size >= KNOWN_MAX) known.clear()
      known.add(value)
    }
    return true
  }
}

/** Kinds whose wire form is their memory form. */
const PLAIN = [z.ZodString, z.ZodStringFormat, z.ZodEnum, z.ZodBoolean, z.ZodNumber] as const

function isItself(schema: z.ZodType, value: unknown): boolean {
  const parsed = schema.safeParse(value)
  return parsed.success && parsed.data === value
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Whether a value is made of what JSON has, and not of objects that only look so when they are written as JSON. */
function isPlainJson(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return (Array.isArray(value) || isObject(value)) && Object.values(value).every(isPlainJson)
}

/** A member that is there and undefined is not certain, because its wire form lacks it. */
function objectCheck(schema: z.ZodObject): MadeCheck {
  const { catchall } = schema._zod.def
  if (!(catchall instanceof z.ZodNever)) return () => false
  const members = Object.entries(schema.shape).map(([name, member]) => {
    return { name, check: madeCheck(member), isOptional: member instanceof z.ZodOptional }
  })
  return value => {
    if (!isObject(value)) return false
    let others = Object.keys(value).length
    for (const { name, check, isOptional } of members) {
      if (Object.hasOwn(value, name)) {
        if (!check(value[name])) return false
        others -= 1
      } else if (!isOptional) return false
    }
    return others === 0
  }
}

function arrayCheck(schema: z.ZodArray): MadeCheck {
  const item = madeCheck(schema.element)
  // The bounds alone: the items are checked one by one.
  const bounds = schema._zod.def.checks ?? []
  const lengths = bounds.map(({ _zod: { def } }) => def as { check: string; minimum?: number; maximum?: number })
  const isBoundedOnly = lengths.every(({ check }) => check === 'min_length' || check === 'max_length')
  const min = Math.max(0, ...lengths.map(({ minimum = 0 }) => minimum))
  const max = Math.min(...lengths.map(({ maximum = Number.POSITIVE_INFINITY }) => maximum))
  return value => {
    if (!Array.isArray(value) || value.length < min || value.length > max) return false
    for (const one of value) if (!item(one)) return false
    // Whatever else it asks of all items together is asked of their wire forms.
    return isBoundedOnly || schema.safeDecode(toWire(value) as never).success
  }
}

/** Decoding takes the first option that fits the wire form: an earlier one must not fit what a later one has made. */
function unionCheck(schema: z.ZodUnion): MadeCheck {
  const options = (schema.options as readonly z.ZodType[]).map(option => ({ option, check: madeCheck(option) }))
  return value => {
    for (const { option, check } of options) {
      if (check(value)) return true
      if (option.safeDecode(toWire(value) as never).success) return false
    }
    return false
  }
}

/** A bigint that is a decimal text on the wire. */
function decimalCheck(schema: z.ZodCodec): MadeCheck {
  const { in: wire, out: memory } = schema._zod.def
  if (!(memory instanceof z.ZodBigInt) || !(wire instanceof z.ZodString)) return () => false
  const forms = (wire._zod.def.checks ?? []).map(({ _zod: { def } }) => (def as { readonly pattern?: RegExp }).pattern)
  const isFormAlone = [schema, memory].every(({ _zod: { def } }) => (def.checks ?? []).length === 0)
  if (isFormAlone && forms.every(form => form instanceof RegExp)) {
    return value => typeof value === 'bigint' && forms.every(form => form.test(String(value)))
  }
  return value => typeof value === 'bigint' && schema.safeDecode(String(value)).success
}
