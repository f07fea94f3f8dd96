/** Bodies that work as they stand: what a schema names as its example, or the least that it accepts. */
import { z } from 'zod'

/**
 * The first of the `examples` of a schema, in wire form. A schema without one has the examples of its required parts;
 * a text without one is called as its field.
 */
export function exampleOf(schema: z.core.$ZodType, field = 'text'): unknown {
  const [named] = (z.globalRegistry.get(schema)?.examples ?? []) as readonly unknown[]
  if (named !== undefined) return named
  if (schema instanceof z.ZodDefault) return schema.def.defaultValue
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return exampleOf(schema.unwrap(), field)
  if (schema instanceof z.ZodCodec) return exampleOf(schema.def.in, field)
  if (schema instanceof z.ZodEnum) return schema.options[0]
  if (schema instanceof z.ZodBoolean) return false
  if (schema instanceof z.ZodNumber) return Math.max(0, schema.minValue ?? 0)
  if (schema instanceof z.ZodArray) return [exampleOf(schema.element, field)]
  if (schema instanceof z.ZodISODate) return '2026-12-01'
  if (schema instanceof z.ZodISODateTime) return '2026-12-01T09:00:00.000Z'
  if (!(schema instanceof z.ZodObject)) return schema instanceof z.ZodString ? field.replaceAll('_', ' ') : {}
  const parts = Object.entries<z.ZodType>(schema.shape)
  const shown = parts.filter(([name, part]) => name === 'id' || !part.safeDecode(undefined as never).success)
  return Object.fromEntries(shown.map(([name, part]) => [name, exampleOf(part, name)]))
}
