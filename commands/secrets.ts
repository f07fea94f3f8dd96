/** Secrets that the server makes: fields of commands that are `readOnly`, as JSON Schema calls what no client sends. */
import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { object } from '../domain/kernel/schema.ts'

/** Whether the server makes the value of a field. */
export const isMade = (field: z.ZodType): boolean => field.meta()?.readOnly === true

/** A command's schema without the fields that the server makes: what clients send. */
export function sentBy(schema: z.ZodObject): z.ZodObject {
  const sent = Object.entries<z.ZodType>(schema.shape as never).filter(([, field]) => !isMade(field))
  if (sent.length === Object.keys(schema.shape).length) return schema
  const { id: _, ...meta } = schema.meta() ?? {}
  return object(Object.fromEntries(sent)).meta(meta)
}

/** A secret of 256 bits in the form of Standard Webhooks 1.0: `whsec_` and base64. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`
