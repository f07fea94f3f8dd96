/** Erasures, and the files of those erased, as their rows stand in PostgreSQL. */
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { erasures } from '../../projections/audit/erasures.ts'
import { legalHolds } from '../../projections/audit/legal-holds.ts'
import { personalData } from '../../projections/audit/personal-data.ts'
import { retentionRules } from '../../projections/audit/retention-rules.ts'
import { itemFiles } from '../../projections/briefcase/item-files.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { historyTableOf, quoted, tableOf } from '../../projections/rows/tables.ts'
import { AT_HEAD, atHead } from '../files/sweep.ts'
import type { Pool } from '../postgres.ts'
import type { Person } from './keys.ts'

export type ErasureRows = {
  /** Those that are not completed. */
  readonly pending: () => Promise<readonly Person[]>
  /** All persons that were ever erased, and all things that were forgotten. */
  readonly all: () => Promise<readonly Person[]>
  /**
   * The digests of all versions of the files of some persons of an org that are erased, by subject, without those that
   * a file of another person or an audit export has. `undefined` while one of the read models has not come to `head`:
   * others with the same bytes may not be known yet.
   */
  readonly files: (org: string, subjects: readonly string[], head: bigint) => Promise<FilesOf | undefined>
  /**
   * Persons whose data no retention rule keeps at an instant, with the rules that kept it: at most `PAGE`, taken
   * from all orgs in turns. An org whose read models have not come to `head` is left out.
   */
  readonly due: (now: string, head: bigint) => Promise<readonly Due[]>
}

/** A person whose data is kept no longer, and the ids of the rules that say so. */
type Due = Person & { readonly rules: string }

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
    and not exists (select from ${tableOf(auditExports)} e where e.org = mine.org and e.sha256 = mine.sha256)
  group by owner) f on true`
type FilesRow = { readonly known: boolean; readonly owner: string | null; readonly digests: readonly string[] }

/** Persons of one look for those whose time is over. */
const PAGE = 1_000
const [HOLDINGS, RULES, HOLDS] = [personalData, retentionRules, legalHolds].map(model => quoted(tableOf(model)))
const RULED = `select distinct org from ${RULES}`
const NEEDED = [personalData, itemFiles, retentionRules]
/**
 * Of several rules for a category the longest one counts; a category without a rule is kept for ever. Rows and what the
 * read models have come to are read by one statement, so that no batch of a projector comes between the two. The first
 * persons of all orgs come before the second ones, so that an org whose persons stay due holds up no other.
 */
const DUE = `with known as (
    select org from unnest($3::text[], $4::integer[]) o(org, bucket)
    where (select count(*) = ${NEEDED.length} and bool_and(state = 'running' and position >= $2) from ${CHECKPOINTS} c
      where c.bucket = o.bucket
        and (projection, version) in (${NEEDED.map(({ name, version }) => `('${name}', ${version})`).join(', ')}))),
  held as (
    select org, subject, category, last_at from ${HOLDINGS} where org in (select org from known)
    union all
    select org, owner, 'file', max(updated_at) from ${VERSIONS} where org in (select org from known) group by 1, 2),
  kept as (
    select org, category, max(days) as days, string_agg(id, ', ' order by id) as rules from ${RULES} group by 1, 2)
  select p.org, p.subject, string_agg(distinct k.rules, ', ') as rules
  from held p left join kept k using (org, category)
  where not exists (select from ${TABLE} e where e.org = p.org and e.subject = p.subject)
    and not exists (select from ${HOLDS} h where h.org = p.org and h.subject = p.subject and h.status = 'placed')
  group by 1, 2
  having bool_and(k.days is not null and p.last_at::timestamptz + make_interval(days => k.days) <= $1::timestamptz)
  order by row_number() over (partition by p.org order by p.subject), 1 limit ${PAGE}`

const UNDEFINED_TABLE = '42P01'

export function erasureRows(pool: Pick<Pool, 'query'>): ErasureRows {
  /** A table that no projector has made yet holds nothing. */
  const ask = async <R extends object>(name: string, text: string, values: readonly unknown[] = []) => {
    const { rows } = await pool.query<R>({ name, text, values: [...values] }).catch(error => {
      if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return { rows: [] }
      throw error
    })
    return rows
  }
  return {
    pending: () => ask('erasures_pending', PENDING),
    all: () => ask('erasures_all', ALL),
    async due(now, head) {
      const orgs = (await ask<Pick<Person, 'org'>>('erasures_ruled', RULED)).map(({ org }) => org)
      if (orgs.length === 0) return []
      return ask<Due>('erasures_due', DUE, [now, String(head), orgs, orgs.map(bucketOf)])
    },
    async files(org, subjects, head) {
      const exports = await pool.query<{ known: boolean }>(
        `select known from ${AT_HEAD}`,
        atHead(org, head, auditExports),
      )
      if (!exports.rows[0]!.known) return undefined
      const values = [...atHead(org, head), org, subjects]
      const { rows } = await pool.query<FilesRow>({ name: 'files_of', text: FILES, values })
      if (!rows[0]!.known) return undefined
      return new Map(rows.flatMap(({ owner, digests }) => (owner === null ? [] : [[owner, digests] as const])))
    },
  }
}
