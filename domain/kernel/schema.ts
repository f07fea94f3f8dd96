/**
 * The one file that builds zod codecs. A codec has a wire form (what JSON carries: money as a decimal string) and a
 * memory form (money as bigint). Two promises hold for every schema made here: unknown fields are refused and nothing
 * is coerced; and whatever a codec accepts, PostgreSQL can store and RFC 8785 can canonicalise.
 */
import { z } from 'zod'
import { isStorableJson, JSON_LIMITS, type Json, storableFault } from './json.ts'

/**
 * The PostgreSQL column a row field needs; the projection runner makes its tables from it. `json` is for what no
 * statement looks into, `uuid` for ids in lower case that no filter names: both cost less to write.
 */
export type Column = 'text' | 'boolean' | 'jsonb' | 'json' | 'uuid' | Amount
type Amount = 'numeric' | 'bigint' | 'integer' | 'double precision'
type FieldInfo = {
  readonly column?: Column
  /** The field that names the subject of a personal one. */
  readonly personal?: string
  /** The category of the thing that the field's value is the id of. */
  readonly reference?: string
}
const fields = z.registry<FieldInfo>()

/** What a schema made by this file says of itself, looking through `optional`, `nullable` and `default`. */
export function fieldInfo(schema: z.core.$ZodType): FieldInfo & { readonly nullable: boolean } {
  if (schema instanceof z.ZodDefault) return { ...fieldInfo(schema.unwrap()), nullable: false }
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return { ...fieldInfo(schema.unwrap()), nullable: true }
  }
  return { ...fields.get(schema), nullable: false }
}

/** A schema with a column of its own, for fields of rows that no codec here has. */
export const column = <S extends z.ZodType>(schema: S, column: Column): S =>
  (schema as z.ZodType).register(fields, { column }) as S

let isStored = false

/**
 * A schema with a condition on what is sent, and on what rules make of it. It may be newer than a stored event or row:
 * these are read whether they meet it or not (`ofStore`).
 */
export const refined = <S extends z.ZodType>(schema: S, is: (value: z.output<S>) => boolean, words: string): S =>
  schema.refine(value => isStored || is(value as z.output<S>), words) as S

/** What `decode` makes of stored JSON, without the conditions of `refined` schemas. */
export function ofStore<T>(decode: () => T): T {
  isStored = true
  try {
    return decode()
  } finally {
    isStored = false
  }
}

/** An object that refuses unknown fields. */
export const object = <S extends z.ZodRawShape>(shape: S) => z.strictObject(shape)

/**
 * A text of a form, 1 to `max` code points long. `pattern` and `maxLength` say of it what every JSON Schema validator
 * reads alike: no property classes, no look-around, lengths in UTF-16 units (two for some code points). The words say
 * the rest.
 */
const textual = (form: RegExp, max: number, pattern: string, words: string) =>
  column(
    z
      .string()
      .refine(value => form.test(value), `must be ${words}`)
      .meta({ minLength: 1, maxLength: 2 * max, pattern, description: words }),
    'text',
  )

/** 1 to `max` code points; no U+0000 and no unpaired surrogate, which PostgreSQL cannot store. */
export const text = (max: number) =>
  textual(new RegExp(`^[^\\u0000\\p{Cs}]{1,${max}}$`, 'u'), max, '^[^\\x00]+$', `1 to ${max} characters, no U+0000`)

/** Form of an organization's id: fit for a path, a stream name and a file name. */
export const ORG_ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,63}$/

// no control characters, no unpaired surrogates, no line separators; not `.` or `..`, which URLs resolve away
const ID = /^(?!\.{1,2}$)[^\s\p{Cc}\p{Cs}](?:[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{0,126}[^\s\p{Cc}\p{Cs}])?$/u

const OUTER = '[^\\x00-\\x20\\x7f]'
const ID_WORDS = '1 to 128 characters without control characters or outer white space, and not . or ..'

/** A name that a client gives to a thing, unique in its org and category: 1 to 128 characters, no outer white space. */
export const id = (what: string) =>
  textual(ID, 128, `^${OUTER}([^\\x00-\\x1f\\x7f]*${OUTER})?$`, ID_WORDS).meta({
    description: `id of a ${what}: ${ID_WORDS}`,
  })

/**
 * The id of another thing of the same org, which must exist: the command edge asks the log and answers
 * `reference_unknown` or `reference_removed` where it does not. `category` is the name of the other aggregate.
 */
export function ref(category: string) {
  const field = id(category).meta({ description: `id of a ${category} that exists` })
  fields.add(field, { column: 'text', reference: category })
  return field
}

const digits = (pattern: RegExp, form: string) =>
  z.codec(z.string().regex(pattern, `must be ${form}`), z.bigint(), { decode: BigInt, encode: String })
const decimal = (pattern: RegExp, form: string) => column(digits(pattern, form).meta({ description: form }), 'numeric')

/** Money in minor units of its currency (cents, haler, wei): a decimal string of at most 38 digits on the wire. */
export const minorUnits = decimal(/^(0|-?[1-9][0-9]{0,37})$/, 'minor units, a text of 1 to 38 digits')
/** Money that is more than nothing. */
export const positiveMinorUnits = decimal(/^[1-9][0-9]{0,37}$/, 'minor units above zero, a text of 1 to 38 digits')
/** Money that is not below nothing. */
export const unsignedMinorUnits = decimal(/^(0|[1-9][0-9]{0,37})$/, 'minor units from 0 on, a text of 1 to 38 digits')
/** The largest absolute amount that `minorUnits` can carry: 38 nines. */
export const MAX_MINOR_UNITS = 10n ** 38n - 1n

/** A commit position or a stream revision: an unsigned 64-bit number as a decimal string. */
export const unsigned64 = column(digits(/^(0|[1-9][0-9]{0,18})$/, 'a decimal string below 10^19'), 'bigint')

/** ISO 4217 code, or a commodity's own symbol: 1 to 32 visible characters without spaces. */
export const currency = textual(/^[^\s\p{C}]{1,32}$/u, 32, `^${OUTER}+$`, '1 to 32 visible characters without spaces')

/** The calendar begins with the year 0001: PostgreSQL has no year 0000 either. */
const IN_CALENDAR = [(text: string) => !text.startsWith('0000'), 'must be of the year 0001 or later'] as const
const TIMESTAMP = 'must be a UTC timestamp: YYYY-MM-DDTHH:MM:SS.sssZ'

/** A day, `YYYY-MM-DD` (ISO 8601), that exists in the calendar. */
export const date = column(refined(z.iso.date('must be a date: YYYY-MM-DD'), ...IN_CALENDAR), 'text')

/** An instant in UTC with milliseconds, `YYYY-MM-DDTHH:MM:SS.sssZ` (RFC 3339): sorts as text. */
export const timestamp = column(refined(z.iso.datetime({ precision: 3, error: TIMESTAMP }), ...IN_CALENDAR), 'text')

export const boolean = column(z.boolean(), 'boolean')
export const integer = (min: number, max: number) => column(z.int().min(min).max(max), 'integer')
export const oneOf = <const V extends readonly [string, ...string[]]>(...values: V) => column(z.enum(values), 'text')
export const uuid = column(z.uuid(), 'text')
export const list = <S extends z.ZodType>(item: S, max: number, min = 0) =>
  column(z.array(item).min(min).max(max), 'jsonb')

/** Free JSON of a client (metadata of an item): an object within `JSON_LIMITS`, every string storable. */
export const jsonObject = column(
  z
    .custom<{ readonly [key: string]: Json }>(isStorableJson, {
      error: ({ input }) => `not a JSON object that can be stored: ${storableFault(input)}`,
    })
    .meta({ type: 'object', additionalProperties: true, description: `a JSON object: at most ${JSON_LIMITS}` }),
  'jsonb',
)

/** Base64url (RFC 4648) of a length, as a quantifier. */
const coded = (length: string) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${length}}$`))

/**
 * Personal data as the log keeps it: AES-256-GCM under the key `key` of its subject. `digest` is an HMAC-SHA-256 of the
 * text under a key derived from the subject's; events of before it was introduced have none.
 */
export const sealed = column(
  object({ key: z.uuid(), nonce: coded('16'), text: coded('22,'), digest: coded('43').optional() }),
  'jsonb',
)
export type Sealed = z.output<typeof sealed>

/**
 * A field of a command that holds personal data of the subject named by the sibling field `subject` (the caller, where
 * that field is left out); a command about a thing that exists seals under the subject that the thing's state names
 * (`subjectOf` of its aggregate). The wire carries plain text; `decide` sees the sealed form, hence the declared type.
 */
export function personal(subject: string, plain: z.ZodString) {
  const field = plain.meta({ ...plain.meta() })
  fields.add(field, { personal: subject })
  return field as unknown as z.ZodType<Sealed, string>
}

/** A schema without what makes it optional, nullable or defaulted. */
export const plainOf = (schema: z.core.$ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault
    ? plainOf(schema.unwrap())
    : (schema as z.ZodType)
