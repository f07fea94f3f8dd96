/** JSON Schemas of the OpenAPI document. */
import { z } from 'zod'
import type { Route } from '../../domain/kernel/route.ts'

export type JsonObject = { readonly [key: string]: unknown }

/** What stands for a thing that is a component of the document. */
export type RefTo<T> = (it: T) => JsonObject

/** One component for each schema that routes share or name; a list's row is a component too. */
export function namedSchemas(routes: readonly Route[]) {
  const names = new Map<z.ZodType, string>()
  const all: Record<string, JsonObject> = {}
  const name = (schema: z.ZodType, wanted: string, body?: z.ZodType) => {
    if (names.has(schema)) return
    const title = schema.meta()?.title ?? wanted
    const free = all[title] ? wanted : title
    names.set(schema, free)
    all[free] = jsonSchema(schema, schema === body)
  }
  for (const { operationId, body, response } of routes) {
    if (body) name(body, `${operationId}.body`, body)
    name(response instanceof z.ZodArray ? (response.element as z.ZodType) : response, `${operationId}.data`)
  }
  const refTo: RefTo<z.ZodType> = schema => {
    if (schema instanceof z.ZodArray) return { type: 'array', items: refTo(schema.element as z.ZodType) }
    return names.has(schema) ? { $ref: `#/components/schemas/${names.get(schema)}` } : jsonSchema(schema)
  }
  return { all, refTo }
}

/** What travels is what a codec decodes, in both directions: the input side of every schema. */
export function jsonSchema(schema: z.ZodType, isBody = false): JsonObject {
  const override = isBody ? ({ jsonSchema }: { jsonSchema: JsonSchema }) => withoutDefault(jsonSchema) : () => {}
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override })
  return rest
}

type JsonSchema = z.core.JSONSchema.BaseSchema

/** Says in words what a field of a body is if left out: generators of types demand a field that has a `default`. */
function withoutDefault(schema: JsonSchema): void {
  if (schema.default === undefined) return
  const words = `\`${JSON.stringify(schema.default)}\` if left out`
  schema.description = schema.description === undefined ? words : `${schema.description}; ${words}`
  delete schema.default
}
