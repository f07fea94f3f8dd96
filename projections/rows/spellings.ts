import type { z } from 'zod'
import { plainOf, text } from '../../domain/kernel/schema.ts'
import type { Computed } from './projection.ts'

/** Other names that columns of a row have over HTTP as well, with the schemas of those columns. */
export const speltAs = (
  shape: Readonly<Record<string, z.ZodType>>,
  columns: Readonly<Record<string, string>>,
): Readonly<Record<string, Computed>> =>
  Object.assign(
    {},
    ...Object.entries(columns).map(([spelling, column]) => spelt({ [spelling]: column }, plainOf(shape[column]!))),
  )

/** Other names that columns have over HTTP as well: spelling → column. */
export const spelt = (
  columns: Readonly<Record<string, string>>,
  schema: z.ZodType = text(500),
): Readonly<Record<string, Computed>> =>
  Object.fromEntries(
    Object.entries(columns).map(([spelling, column]) => [
      spelling,
      {
        schema: schema.optional().meta({ description: `the same as \`${column}\`` }),
        of: [],
        isDaily: false,
        sql: alias => `${alias}."${column}"`,
      },
    ]),
  )

/** SQL of 32 hexadecimal digits that follow from values, none of which holds U+0001: an id for what they name. */
export const idSql = (...values: readonly string[]): string =>
  `left(encode(sha256(convert_to(${values.map(value => `(${value})`).join(" || E'\\x01' || ")}, 'UTF8')), 'hex'), 32)`

/** An id of its own for a row that columns name together. */
export const idOf = (...columns: readonly string[]): Computed => ({
  schema: text(32).meta({ description: `its own id: 32 hexadecimal digits that follow from ${columns.join(' and ')}` }),
  of: [],
  isDaily: false,
  sql: alias => idSql(...columns.map(column => `${alias}."${column}"`)),
})
