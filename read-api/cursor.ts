import type { z } from 'zod'
import type { AsOf } from './consistency.ts'
import { columnFault, invalidParameter, isPosition } from './parameters.ts'

/**
 * The place in a list after which a page begins: the order columns of the last row, with the name of the list and, for
 * a list of the past, as of when. Opaque to clients and checked like any input: what it carries goes into a comparison,
 * never into the text of a statement.
 */
export const cursorOf = (list: string, values: readonly string[], asOf?: AsOf): string =>
  Buffer.from(JSON.stringify([nameOf(list, asOf), ...values])).toString('base64url')

const nameOf = (list: string, asOf: AsOf | undefined) => (asOf ? `${list}@${asOf.position}@${asOf.asked}` : list)

/** As of when the page was that a cursor continues; `undefined` where it was of no moment. */
export function pinOf(cursor: string): AsOf | undefined {
  const decoded = decode(cursor)
  const [, position, asked] = Array.isArray(decoded) ? String(decoded[0]).split('@') : []
  if (position === undefined || asked === undefined || !isPosition(position)) return undefined
  return { asked, position: BigInt(position) }
}

/** The values of a cursor for the columns that the list is ordered by. */
export function valuesOf(cursor: string, list: string, columns: readonly z.ZodType[], asOf?: AsOf): string[] {
  const decoded = decode(cursor)
  const pin = asOf && pinOf(cursor)
  const fits =
    Array.isArray(decoded) &&
    decoded.length === columns.length + 1 &&
    decoded.every(value => typeof value === 'string') &&
    decoded[0] === nameOf(list, pin) &&
    pin?.position === asOf?.position &&
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
