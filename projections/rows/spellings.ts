import type { z } from 'zod'
import { text } from '../../domain/kernel/schema.ts'
import type { Computed } from './projection.ts'

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
