/** What a list can be filtered by: the parameters of its filter columns, and the conditions that they put on a row. */
import { z } from 'zod'
import type { Parameter } from '../domain/kernel/route.ts'
import { fieldInfo, plainOf, text } from '../domain/kernel/schema.ts'
import { isList } from '../projections/rows/indexes.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { inQuery, listed, type Queries, severalInQuery } from './parameters.ts'

/** SQL of a condition on a row, for the alias of the row's table. */
export type Condition = (alias: string) => string

/** Adds a value to a statement and returns the parameter that stands for it. */
export type Put = (value: unknown) => string

/** One parameter of a list, and the condition that a value of it puts on a row. */
type Filter = { readonly parameter: Parameter; readonly condition: (value: string, put: Put) => Condition }

/** The filters of a list. */
export type Filters = readonly Filter[]

/** The filters that columns have: the type of a column decides their forms. An index of the column serves them all. */
export const filtersOf = (projection: AnyProjection, columns: readonly string[]): Filters =>
  columns.flatMap(column => {
    const schema: z.ZodType = projection.row.shape[column]
    const plain = plainOf(schema)
    if (isObject(plain)) return [member(column), absent(column)]
    const forms = isList(projection, column) ? [contained(column, plain)] : [equal(column, plain)]
    if (isTime(plain) || isNumber(plain)) forms.push(...ranges(column, plain))
    else if (isText(plain)) forms.push(prefix(column))
    if (fieldInfo(schema).nullable) forms.push(absent(column))
    return forms
  })

/** The conditions that a checked query puts on the rows of a list. */
export const conditionsOf = (filters: Filters, query: Queries, put: Put): readonly Condition[] =>
  filters.flatMap(({ parameter, condition }) => {
    const value = query[parameter.name]
    return value === undefined ? [] : [condition(value, put)]
  })

/** The schema of a column's values in a URL, where numbers and booleans are text. */
export function inUrl(column: z.ZodType): z.ZodType {
  const plain = plainOf(column)
  if (fieldInfo(plain).column === 'integer') return INTEGER
  if (fieldInfo(plain).column === 'double precision') return NUMBER
  if (fieldInfo(plain).column === 'boolean') return BOOLEAN
  return plain instanceof z.ZodISODateTime ? TIMESTAMP : plain
}

const INTEGER_FORM = 'must be a whole number of at most 32 bits'
const INTEGER = z
  .string()
  .regex(/^(0|-?[1-9][0-9]{0,9})$/, INTEGER_FORM)
  .refine(value => Number(value) === (Number(value) | 0), INTEGER_FORM)
const NUMBER = z.string().regex(/^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?$/, 'must be a decimal number')
const BOOLEAN = z.enum(['true', 'false'])
const TIMESTAMP = z.iso.datetime({ precision: 3, error: 'must be a UTC timestamp: YYYY-MM-DDTHH:MM:SS.sssZ' })
const DAY_OR_TIMESTAMP_FORM = 'must be a day or a UTC timestamp: YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS.sssZ'
const DAY_OR_TIMESTAMP = z
  .string()
  .regex(/^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z)?$/, DAY_OR_TIMESTAMP_FORM)
  .refine(value => isDay(value) || TIMESTAMP.safeParse(value).success, DAY_OR_TIMESTAMP_FORM)
/** What can begin a text of any length, an id or a name. */
const PREFIX = text(500)

/** Whether a column holds days or instants. */
export const isTime = (plain: z.ZodType): boolean => plain instanceof z.ZodISODate || plain instanceof z.ZodISODateTime
const isNumber = (plain: z.ZodType) =>
  ['integer', 'bigint', 'numeric', 'double precision'].includes(fieldInfo(plain).column ?? '')
const isObject = (plain: z.ZodType) => plain instanceof z.ZodCustom && fieldInfo(plain).column === 'jsonb'
const isText = (plain: z.ZodType) => fieldInfo(plain).column === 'text' && !(plain instanceof z.ZodEnum)
const DAY = z.iso.date()
const isDay = (value: string) => DAY.safeParse(value).success

const column = (alias: string, name: string) => `${alias}."${name}"`

function equal(name: string, plain: z.ZodType): Filter {
  return {
    parameter: severalInQuery(name, inUrl(plain), `only those whose ${name} is one of these values`),
    condition(value, put) {
      const values = listed(value)!.map(put)
      return alias => `${column(alias, name)} in (${values.join(', ')})`
    },
  }
}

function contained(name: string, plain: z.ZodType): Filter {
  const element = (plain as z.ZodArray).element as z.ZodType
  if (fieldInfo(element).column !== 'text') throw new TypeError(`${name} is a list of what no filter can look for`)
  return {
    parameter: severalInQuery(name, element, `only those whose ${name} hold one of these values`),
    condition(value, put) {
      const values = listed(value)!.map(put)
      return alias => `${column(alias, name)} ?| array[${values.join(', ')}]::text[]`
    },
  }
}

/** A member of free JSON and its value: `name=value`, of which the first `=` separates the two. */
const MEMBER = text(500).refine(value => value.includes('='), 'must be the name of a member, = and its value')

function member(name: string): Filter {
  return {
    parameter: severalInQuery(
      name,
      MEMBER,
      `only those whose ${name} have a member of a value, \`name=value\`, or one of several; numbers are text here`,
    ),
    condition(value, put) {
      const members = listed(value)!.map(one => {
        const at = one.indexOf('=')
        return [put(one.slice(0, at)), put(one.slice(at + 1))] as const
      })
      return alias =>
        `(${members.map(([key, of]) => `${column(alias, name)} ->> ${key}::text = ${of}::text`).join(' or ')})`
    },
  }
}

const RANGES = { lt: ['<', 'below'], lte: ['<=', 'up to'], gt: ['>', 'above'], gte: ['>=', 'from'] } as const

function ranges(name: string, plain: z.ZodType): Filter[] {
  const isInstant = plain instanceof z.ZodISODateTime
  const schema = isInstant ? DAY_OR_TIMESTAMP : inUrl(plain)
  return Object.entries(RANGES).map(([suffix, [operator, word]]) => ({
    parameter: inQuery(`${name}[${suffix}]`, schema, `only those whose ${name} is ${word} this`),
    condition(value, put) {
      const bound = put(isInstant && isDay(value) ? instantOfDay(value, operator) : value)
      return alias => `${column(alias, name)} ${operator} ${bound}`
    },
  }))
}

/** The instant that a day stands for as a bound: its end where the bound includes or leaves out the whole day. */
const instantOfDay = (day: string, operator: string) =>
  `${day}T${operator === '>' || operator === '<=' ? '23:59:59.999' : '00:00:00.000'}Z`

function prefix(name: string): Filter {
  return {
    parameter: inQuery(`${name}[prefix]`, PREFIX, `only those whose ${name} begins with this`),
    condition(value, put) {
      const [from, end] = [put(value), textAfter(value)]
      if (end === undefined) return alias => `${column(alias, name)} >= ${from}`
      const to = put(end)
      return alias => `(${column(alias, name)} >= ${from} and ${column(alias, name)} < ${to})`
    },
  }
}

/**
 * The first text behind all that begin with a prefix, in the order of code points, which is that of the columns (`C`);
 * `undefined` where there is none. An index finds texts between two texts under any plan.
 */
function textAfter(prefix: string): string | undefined {
  const points = [...prefix].map(letter => letter.codePointAt(0)!)
  while (points.at(-1) === LAST_POINT) points.pop()
  const last = points.pop()
  if (last === undefined) return undefined
  return String.fromCodePoint(...points, last === BEFORE_SURROGATES ? AFTER_SURROGATES : last + 1)
}

const LAST_POINT = 0x10_ff_ff
/** Surrogates are no characters: PostgreSQL stores none. */
const [BEFORE_SURROGATES, AFTER_SURROGATES] = [0xd7_ff, 0xe0_00]

function absent(name: string): Filter {
  return {
    parameter: inQuery(
      `${name}[absent]`,
      BOOLEAN,
      `\`true\`: only those without ${name}; \`false\`: only those with it`,
    ),
    condition: value => alias => `${column(alias, name)} is ${value === 'true' ? 'null' : 'not null'}`,
  }
}
