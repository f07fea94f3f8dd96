/** Erasures, and the files of those erased, as their rows stand in PostgreSQL. */
import { erasures } from '../../projections/audit/erasures.ts'
import { itemFiles } from '../../projections/briefcase/item-files.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import type { Pool } from '../postgres.ts'
import type { Person } from './keys.ts'

export type ErasureRows = {
  /** Those that are not completed. */
  readonly pending: () => Promise<readonly Person[]>
  /** All persons that were ever erased. */
  readonly all: () => Promise<readonly Person[]>
  /** The digests of all versions of a person's files that no file of another person has. */
  readonly files: (person: Person) => Promise<readonly string[]>
  /** The same of all erased persons of an org, by org. */
  readonly allFiles: () => Promise<ReadonlyMap<string, readonly string[]>>
}

const TABLE = tableOf(erasures)
const PENDING = `select org, subject from ${TABLE} where completed_at is null order by org, subject`
const ALL = `select org, subject from ${TABLE}`

const VERSIONS = quoted(historyTableOf(itemFiles))
const FILES = `select distinct sha256 from ${VERSIONS} mine where org = $1 and owner = $2
  and not exists (select from ${VERSIONS} other where other.org = $1 and other.sha256 = mine.sha256
    and other.owner <> $2)`

const ALL_FILES = `select org, array_agg(distinct sha256) as digests from ${VERSIONS} mine
  join ${TABLE} e using (org) where e.subject = mine.owner
  and not exists (select from ${VERSIONS} other where other.org = mine.org and other.sha256 = mine.sha256
    and not exists (select from ${TABLE} o where o.org = other.org and o.subject = other.owner))
  group by org`

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
    async allFiles() {
      const { rows } = await pool.query<{ org: string; digests: string[] }>({ name: 'files_of_all', text: ALL_FILES })
      return new Map(rows.map(({ org, digests }) => [org, digests]))
    },
    async files({ org, subject }) {
      const { rows } = await pool.query<{ sha256: string }>({ name: 'files_of', text: FILES, values: [org, subject] })
      return rows.map(({ sha256 }) => sha256)
    },
  }
}
