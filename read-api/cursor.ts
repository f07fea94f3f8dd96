import type { z } from 'zod'
import { isStorableText } from '../domain/kernel/json.ts'
import { fieldInfo } from '../domain/kernel/schema.ts'
import type { AsOf } from './consistency.ts'
import { inUrl } from './filters.ts'
import { columnFault, invalidParameter, isPosition } from './parameters.ts'

/**
 * The place in a list after which a page begins: the last row's values in the columns that order the list, with the
 * name of the list and, for a page of the past, its position. It is opaque to clients and checked like any input: its
 * values are parameters of a statement, never part of its text.
 */
export const cursorOf = (list: string, values: readonly unknown[], asOf?: AsOf): string =>
  Buffer.from(
    JSON.stringify([nameOf(list, asOf), ...values.map(value => (value === null ? null : String(value)))]),
  ).toString('base64url')

const nameOf = (list: string, asOf: AsOf | undefined) => (asOf ? `${list}@${asOf.position}@${asOf.asked}` : list)

/** The `as_of` position that the cursor's page was read at; `undefined` for a page of current rows. */
export function pinOf(cursor: string): AsOf | undefined {
  const decoded = decode(cursor)
  const [, position, asked] = Array.isArray(decoded) ? String(decoded[0]).split('@') : []
  if (position === undefined || asked === undefined || !isPosition(position)) return undefined
  return { asked, position: BigInt(position) }
}

/** The values of a cursor for the columns that order the list. Throws `invalid_parameter` for another list's cursor. */
export function placeOf(
  cursor: string,
  list: string,
  columns: readonly z.ZodType[],
  asOf?: AsOf,
): readonly (string | null)[] {
  const decoded = decode(cursor)
  const pin = asOf && pinOf(cursor)
  const fits =
    Array.isArray(decoded) &&
    decoded.length === columns.length + 1 &&
    decoded[0] === nameOf(list, pin) &&
    pin?.position === asOf?.position &&
    columns.every((column, at) => isValueOf(column, decoded[at + 1]))
  if (!fits) throw invalidParameter('after', 'must be the `next` of an earlier page of this list in this order')
  return decoded.slice(1)
}

const isValueOf = (column: z.ZodType, value: unknown) =>
  value === null
    ? fieldInfo(column).nullable
    : typeof value === 'string' && isStorableText(value) && columnFault(inUrl(column), value) === undefined

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}
