/** The JSON Schemas of all events, for those who read an export with programs of their own. */
import { z } from 'zod'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import type { Json } from '../../domain/kernel/json.ts'

/** By type of event: the category of its things, the number of its schema (`metadata.schema`), and that of its data. */
export function schemasOf(aggregates: readonly AnyAggregate[]): Json {
  const types = aggregates.flatMap(({ name, events, upcast }) =>
    Object.entries(events as Record<string, z.ZodType>).map(([type, schema]) => {
      const data = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
      return [type, { category: name, schema: (upcast?.[type]?.length ?? 0) + 1, data }] as const
    }),
  )
  return Object.fromEntries(types)
}
