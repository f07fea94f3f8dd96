/** Rows of several read models in one statement: each as a JSON object, with the kind that it is of. */
import { fieldInfo } from '../domain/kernel/schema.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { quoted, tableOf } from '../projections/rows/tables.ts'

type JsonRows = {
  readonly kind: string
  readonly model: AnyProjection
  /** SQL of a condition on a row `t`. */
  readonly where: string
  /** All columns but the org, where none are named. */
  readonly columns?: readonly string[]
  /** All rows, where there is none. */
  readonly limit?: number | undefined
}

/** SQL of rows, at most so many, in the order of their key. Numbers that JavaScript would round are text, as ever. */
export function jsonRowsSql({ kind, model, where, limit, columns = Object.keys(model.row.shape) }: JsonRows): string {
  const cells = columns
    .filter(column => column !== 'org')
    .map(column => {
      const type = fieldInfo(model.row.shape[column]).column ?? ''
      return `'${column}', t.${quoted(column)}${['numeric', 'bigint'].includes(type) ? '::text' : ''}`
    })
  const order = (model.key as readonly string[]).map(column => `t.${quoted(column)}`).join(', ')
  // Nulls within a column say that something was cleared.
  const row = `(select jsonb_object_agg(key, value) from jsonb_each(jsonb_build_object(${cells.join(', ')}))
    where value <> 'null')`
  return `(select '${kind}' as kind, ${row} as row
    from ${quoted(tableOf(model))} t where ${where} order by ${order}${limit === undefined ? '' : ` limit ${limit}`})`
}
