/** The order of a list, and where a page of it begins. */
import { z } from 'zod'
import type { Parameter } from '../domain/kernel/route.ts'
import { fieldInfo } from '../domain/kernel/schema.ts'
import { isList } from '../projections/rows/indexes.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import type { Condition, Put } from './filters.ts'
import { inQuery } from './parameters.ts'

/** Columns that order rows without ties, all of them upwards or all of them downwards, as one index can be walked. */
export type Sorting = {
  readonly columns: readonly string[]
  readonly downwards: boolean
  /** Whether rows can have no value in the first column: such rows come last, downwards first. */
  readonly nullable: boolean
  /** What `sort` says, empty for the order that a list has by itself. */
  readonly name: string
}

type Sortable = {
  readonly projection: AnyProjection
  readonly order: readonly string[]
  readonly filters: readonly string[]
}

/** The parameter that orders a list: by the first column of its order or by a filter, which an index serves. */
export function sortParameter({ projection, order, filters }: Sortable): Parameter {
  const columns = new Set([order[0]!, ...filters.filter(column => !isList(projection, column))])
  const values = [...columns].flatMap(column => [column, `-${column}`])
  return inQuery(
    'sort',
    z.enum(values).meta({ default: order[0]! }),
    'order by this column, downwards with `-`; rows without a value are last, downwards first; ties in the order of ' +
      `${order.join(', ')}, downwards too`,
  )
}

/** The order that a checked `sort` asks for. */
export function sortingOf({ projection, order }: Sortable, sort: string | undefined): Sorting {
  const name = sort === undefined || sort === order[0] ? '' : sort
  const downwards = name.startsWith('-')
  const first = name === '' ? order[0]! : downwards ? name.slice(1) : name
  const { nullable } = fieldInfo(projection.row.shape[first])
  return { columns: [first, ...order.filter(column => column !== first)], downwards, nullable, name }
}

/** SQL of the order, for the alias of the rows' table. */
export const orderBy = ({ columns, downwards }: Sorting, alias: string): string =>
  columns.map(column => `${alias}."${column}"${downwards ? ' desc' : ''}`).join(', ')

/**
 * Conditions on the rows behind a place: a row is behind it where one of them holds. Rows without a value have a
 * condition of their own, because a comparison of rows finds no null.
 */
export function behind(sorting: Sorting, place: readonly (string | null)[], put: Put): readonly Condition[] {
  const { columns, downwards, nullable } = sorting
  const [first, ...others] = columns
  const [value, ...ties] = place
  const beyond = (names: readonly string[], values: readonly (string | null)[]): Condition => {
    const parameters = values.map(put).join(', ')
    return alias => `(${names.map(name => `${alias}."${name}"`).join(', ')}) ${downwards ? '<' : '>'} (${parameters})`
  }
  if (value === null) {
    const tied = beyond(others, ties)
    const without: Condition = alias => `${alias}."${first}" is null and ${tied(alias)}`
    return downwards ? [without, alias => `${alias}."${first}" is not null`] : [without]
  }
  const further = beyond(columns, place)
  return nullable && !downwards ? [further, alias => `${alias}."${first}" is null`] : [further]
}
