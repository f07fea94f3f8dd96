import type { z } from 'zod'
import { columnFault, invalidParameter } from './parameters.ts'

/**
 * The place in a list after which a page begins: the order columns of the last row, with the name of the list. Opaque
 * to clients and checked like any input: what it carries goes into a comparison, never into the text of a statement.
 */
export const cursorOf = (list: string, values: readonly string[]): string =>
  Buffer.from(JSON.stringify([list, ...values])).toString('base64url')

/** The values of a cursor for the columns that the list is ordered by. */
export function valuesOf(cursor: string, list: string, columns: readonly z.ZodType[]): string[] {
  const decoded = decode(cursor)
  const fits =
    Array.isArray(decoded) &&
    decoded.length === columns.length + 1 &&
    decoded.every(value => typeof value === 'string') &&
    decoded[0] === list &&
    columns.every((column, at) => columnFault(column, decoded[at + 1]!) === undefined)
  if (!fits) throw invalidParameter('after', 'must be the `next` of an earlier page of this list')
  return decoded.slice(1)
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}
