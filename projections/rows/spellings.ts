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
