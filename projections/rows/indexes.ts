/** The indexes of a projection: those that it names, and those that follow from how it is read. */

import { z } from 'zod'
import { fieldInfo, plainOf } from '../../domain/kernel/schema.ts'
import type { AnyProjection, Read } from './projection.ts'

/**
 * Each list of columns once, without those that begin another index or the primary key: one for the order of each list,
 * one for each filter followed by that order, one for the names of a single row.
 */
export function indexesOf(projection: AnyProjection): readonly (readonly string[])[] {
  const reads: readonly Read<z.ZodObject>[] = projection.reads ?? []
  const wanted: (readonly string[])[] = [...(projection.indexes ?? [])]
  for (const { parents = {}, order, names, filters = [] } of reads) {
    const scope = ['org', ...Object.values(parents)]
    wanted.push([...scope, ...order])
    if (names.length > 0) wanted.push([...scope, ...names])
    for (const filter of filters) {
      if (!isList(projection, filter)) wanted.push([...scope, filter, ...order.filter(column => column !== filter)])
    }
  }
  const kept: (readonly string[])[] = []
  for (const [at, columns] of wanted.entries()) {
    const others = [projection.key as readonly string[], ...kept, ...wanted.slice(at + 1)]
    if (!others.some(other => begins(columns, other))) kept.push(columns)
  }
  return kept
}

/** A list that rows are filtered by, and the order of the list of rows. */
type Contained = { readonly column: string; readonly columns: readonly string[]; readonly isNullable: boolean }

/**
 * The lists that rows are filtered by. What few or no rows hold, and rows without a list, are found by indexes of their
 * own: a walk in the order of the rows would pass over all of them.
 */
export function containedOf(projection: AnyProjection): readonly Contained[] {
  const reads: readonly Read<z.ZodObject>[] = projection.reads ?? []
  return reads.flatMap(({ parents = {}, order, filters = [], walked = [] }) =>
    [...filters, ...walked]
      .filter(column => isList(projection, column))
      .map(column => {
        const { nullable } = fieldInfo(projection.row.shape[column])
        return { column, columns: ['org', ...Object.values(parents), ...order], isNullable: nullable }
      }),
  )
}

const begins = (columns: readonly string[], index: readonly string[]) =>
  columns.every((column, at) => index[at] === column)

/** Whether a column holds a list, which is filtered by what it contains. */
export const isList = (projection: AnyProjection, column: string): boolean =>
  plainOf(projection.row.shape[column]) instanceof z.ZodArray
