/** Erasures, and the files of those erased, as their rows stand in PostgreSQL. */
import { erasures } from '../../projections/audit/erasures.ts'
import { itemFiles } from '../../projections/briefcase/item-files.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { AT_HEAD, atHead } from '../files/sweep.ts'
import type { Pool } from '../postgres.ts'
import type { Person } from './keys.ts'

export type ErasureRows = {
  /** Those that are not completed. */
  readonly pending: () => Promise<readonly Person[]>
  /** All persons that were ever erased. */
  readonly all: () => Promise<readonly Person[]>
  /**
   * The digests of all versions of the files of some persons of an org that are erased, by subject, without those that
   * a file of another person has. `undefined` while the read model of files has not come to `head`: files of others
   * with the same bytes may not be known yet.
   */
  readonly files: (org: string, subjects: readonly string[], head: bigint) => Promise<FilesOf | undefined>
}

/** Digests by subject. */
export type FilesOf = ReadonlyMap<string, readonly string[]>

const TABLE = tableOf(erasures)
const PENDING = `select org, subject from ${TABLE} where completed_at is null order by org, subject`
const ALL = `select org, subject from ${TABLE}`

const VERSIONS = quoted(historyTableOf(itemFiles))
const FILES = `select k.known, f.owner, f.digests from ${AT_HEAD} left join (
  select owner, array_agg(distinct sha256) as digests from ${VERSIONS} mine where org = $5 and owner = any($6::text[])
    and not exists (select from ${VERSIONS} other where other.org = mine.org and other.sha256 = mine.sha256
      and not exists (select from ${TABLE} o where o.org = other.org and o.subject = other.owner))
  group by owner) f on true`
type FilesRow = { readonly known: boolean; readonly owner: string | null; readonly digests: readonly string[] }

const UNDEFINED_TABLE = '42P01'

export function erasureRows(pool: Pick<Pool, 'query'>): ErasureRows {
  /** A table that no projector has made yet holds nothing. */
  const persons = async (name: string, text: string) => {
    const { rows } = await pool.query<Person>({ name, text }).catch(error => {
      if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { rows: [] }
      throw error
    })
    return rows
  }
  return {
    pending: () => persons('erasures_pending', PENDING),
    all: () => persons('erasures_all', ALL),
    async files(org, subjects, head) {
      const values = [...atHead(org, head), org, subjects]
      const { rows } = await pool.query<FilesRow>({ name: 'files_of', text: FILES, values })
      if (!rows[0]!.known) return undefined
      return new Map(rows.flatMap(({ owner, digests }) => (owner === null ? [] : [[owner, digests] as const])))
    },
  }
}
