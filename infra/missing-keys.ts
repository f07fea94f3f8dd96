import type { Pool } from 'pg'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { tableOf } from '../projections/rows/tables.ts'
import { sealedColumnsOf } from '../read-api/rows.ts'
import { keysMissing } from './key-watch.ts'

/** A key that sealed texts of a table name and that the database of the keys does not have. */
export type MissingKey = { readonly table: string; readonly org: string; readonly key: string }

type Queries = Pick<Pool, 'query'>

const UNDEFINED_TABLE = '42P01'

/**
 * Looks for sealed texts whose key is missing, in at most `rowsMax` rows of each sealed column. A key that was erased
 * is there, without its secret; one that is missing means that the keys are of another system or were lost.
 */
export async function missingPersonalKeys(
  { rows, keys }: { readonly rows: Queries; readonly keys: Queries },
  projections: readonly AnyProjection[],
  { rowsMax, org }: { readonly rowsMax: number; readonly org?: string | undefined },
): Promise<{ readonly looked: number; readonly missing: readonly MissingKey[] }> {
  const used: MissingKey[] = []
  let looked = 0
  for (const projection of projections) {
    const table = tableOf(projection)
    for (const column of sealedColumnsOf(projection)) {
      const text = `select org, key, count(*)::int4 as count from (
        select org, "${column}"->>'key' as key from ${table}
          where "${column}" is not null and ($2::text is null or org = $2) limit $1
        ) sealed group by org, key`
      const found = await rows
        .query<{ org: string; key: string; count: number }>(text, [rowsMax, org ?? null])
        .catch(noTable)
      for (const { org, key, count } of found.rows) {
        used.push({ table, org, key })
        looked += count
      }
    }
  }
  const gone = new Set(await keysMissing(keys, [...new Set(used.map(({ key }) => key))]))
  return { looked, missing: used.filter(({ key }) => gone.has(key)) }
}

/** A table that no projector has made yet holds nothing. */
function noTable(error: unknown) {
  if ((error as { code?: unknown }).code !== UNDEFINED_TABLE) throw error
  return { rows: [] }
}

/** `3 keys of 2 organizations are missing: wallets_v1 (north), …` */
export function missingKeysSaid(missing: readonly MissingKey[]): string {
  const keys = new Set(missing.map(({ key }) => key)).size
  const places = [...new Set(missing.map(({ table, org }) => `${table} (${org})`))]
  const named = places.slice(0, 5).join(', ') + (places.length > 5 ? ', …' : '')
  return `${keys} keys of personal data are missing, of ${named}: is it the right database, and a whole one?`
}
