import { z } from 'zod'
import { isStorableText } from '../../domain/kernel/json.ts'
import { column } from '../../domain/kernel/schema.ts'

/** The data of an event of any type, as the log has it: its schema has let in only texts that can be stored. */
export const eventData = column(z.record(z.string(), z.unknown()).refine(isStorable), 'json')

function isStorable(value: unknown): boolean {
  if (typeof value === 'string') return isStorableText(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([name, item]) => isStorableText(name) && isStorable(item))
}
