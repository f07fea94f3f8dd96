import { z } from 'zod'
import { type ErrorDetail, KogiError } from '../domain/kernel/errors.ts'
import type { ApiRequest, Parameter } from '../domain/kernel/route.ts'
import { fieldInfo } from '../domain/kernel/schema.ts'
import { IN_WORDS } from '../domain/record/words.ts'

/** The query of a request after the check: each parameter once, as text; `listed` splits one of several values. */
export type Queries = Readonly<Record<string, string | undefined>>

export const LIMIT_DEFAULT = 20
export const LIMIT_MAX = 500
export const OFFSET_MAX = 1_000_000
/** Characters of a cursor: the longest text that a list can be ordered by, with its id, as JSON in base64. */
const CURSOR_MAX = 8_192
/** How long a read waits for its token when the caller names no time, and the longest time that it may name. */
const WAIT_MS_DEFAULT = 2_000
const WAIT_MS_MAX = 30_000

/** A whole number as it stands in a URL. */
export const whole = (min: number, max: number, byDefault?: number) =>
  z
    .string()
    .regex(/^(0|[1-9][0-9]{0,15})$/, `must be a whole number from ${min} to ${max}`)
    .refine(text => Number(text) >= min && Number(text) <= max, `must be a whole number from ${min} to ${max}`)
    .meta(byDefault === undefined ? {} : { default: String(byDefault) })

export const inQuery = (name: string, schema: z.ZodType, description: string): Parameter => ({
  name,
  in: 'query',
  schema,
  description,
})

/** Most values of one filter. */
const VALUES_MAX = 100

/** A parameter that takes several values, separated by commas. */
export const severalInQuery = (
  name: string,
  schema: z.ZodType,
  description: string,
  valuesMax: number = VALUES_MAX,
): Parameter => ({ ...inQuery(name, schema, description), valuesMax })

/**
 * The values of a parameter that takes several: a comma separates them, `\,` is a comma inside a value and `\\` a
 * backslash. `undefined` where a backslash stands before anything else.
 */
export function listed(text: string): readonly string[] | undefined {
  if (!text.includes('\\')) return text.split(',')
  if (!/^(?:[^\\]|\\[\\,])*$/s.test(text)) return undefined
  return [...`${text},`.matchAll(/((?:[^\\,]|\\.)*),/gs)].map(([, value]) => value!.replaceAll(/\\(.)/gs, '$1'))
}

/** Whether a text is a position that a log can have. */
export const isPosition = (text: string): boolean => /^[0-9]{1,19}$/.test(text) && BigInt(text) < 2n ** 63n

/** The message for a text that is no position. */
export const POSITION_FORM = 'must be a position: a decimal number below 2^63'

const position = z.string().refine(isPosition, POSITION_FORM)

/** The parameters of every read: the position that the answer must have reached, and how long to wait for it. */
export const tokenParameters: readonly Parameter[] = [
  inQuery('at_least', position, 'answer only when the read model has reached this position'),
  inQuery(
    'wait',
    whole(0, WAIT_MS_MAX, WAIT_MS_DEFAULT),
    'milliseconds to wait for that position, or the time of `as_of`',
  ),
  { name: 'Kogi-Min-Position', in: 'header', schema: position, description: 'the same as `at_least`' },
]

/** How long a read may wait, in milliseconds. */
export const waitOf = ({ wait }: Queries): number => (wait === undefined ? WAIT_MS_DEFAULT : Number(wait))

/** Where a page begins. */
export const afterParameter: Parameter = inQuery(
  'after',
  z.string().max(CURSOR_MAX),
  'the `next` of the page before: rows are neither lost nor doubled',
)

/** The parameters of every list. */
export const pageParameters: readonly Parameter[] = [
  inQuery('limit', whole(1, LIMIT_MAX, LIMIT_DEFAULT), 'most rows to answer with'),
  afterParameter,
]

export const invalidParameter = (field: string, message: string) =>
  new KogiError('invalid_parameter', `The parameter ${field} ${message}.`, [{ field, message }])

const noHistory = () =>
  new KogiError('no_history', 'What this was before is not kept: it cannot be asked for as of an earlier position.', [
    { field: 'as_of', message: 'is not kept here' },
  ])

/** The checked query of a request. Throws `invalid_parameter` for an unknown or repeated name and for a bad value. */
export function queriesOf({ query }: ApiRequest, parameters: readonly Parameter[]): Queries {
  const faults: ErrorDetail[] = []
  for (const [name, value] of Object.entries(query)) {
    const parameter = parameters.find(known => known.in === 'query' && known.name === name)
    if (parameter === undefined && name === 'as_of') throw noHistory()
    const message = value === undefined ? undefined : fault(parameter, value)
    if (message !== undefined) faults.push({ field: name, message })
  }
  for (const { in: place, name, required } of parameters) {
    if (required && place === 'query' && query[name] === undefined)
      faults.push({ field: name, message: 'must be given' })
  }
  if (faults.length === 0) return query as Queries
  const [{ field, message }] = faults as [ErrorDetail]
  throw new KogiError('invalid_parameter', `The parameter ${field} ${message}.`, faults)
}

/** What another route is asked in the course of a request. A spread would lose what the request makes on first use. */
export const requestFor = (
  request: ApiRequest,
  query: ApiRequest['query'],
  params: ApiRequest['params'] = request.params,
): ApiRequest => ({
  principal: request.principal,
  body: undefined,
  header: request.header,
  correlationId: request.correlationId,
  signal: request.signal,
  aside: request.aside,
  query,
  params,
})

/** The path parameter that names a column of the read model, checked by that column's schema. */
export function fromPath({ params }: ApiRequest, name: string, column: z.ZodType): string {
  const value = params[name] ?? ''
  const message = columnFault(column, value)
  if (message !== undefined) throw invalidParameter(name, message)
  return value
}

/** Why a text is not a value of a column, or `undefined` where it is one: PostgreSQL can compare what passes. */
export function columnFault(column: z.ZodType, text: string): string | undefined {
  const parsed = column.safeDecode(text as never, IN_WORDS)
  if (!parsed.success) return parsed.error.issues[0]!.message
  if (fieldInfo(column).column === 'bigint' && BigInt(text) >= 2n ** 63n) return 'must be below 2^63'
  return undefined
}

function fault(parameter: Parameter | undefined, value: string | string[]): string | undefined {
  if (parameter === undefined) return 'is unknown here'
  const { schema, valuesMax } = parameter
  if (valuesMax === undefined) return typeof value === 'string' ? columnFault(schema, value) : 'must be given once'
  if (typeof value !== 'string') return 'must be given once, with commas between its values'
  const values = listed(value)
  if (values === undefined) return 'must have a comma or another backslash after each backslash'
  if (values.length > valuesMax) return `must have at most ${valuesMax} values`
  return values.map(one => columnFault(schema, one)).find(message => message !== undefined)
}
