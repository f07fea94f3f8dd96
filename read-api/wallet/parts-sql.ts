/** The SQL of what the sums of a statement are made of: parts of an account that its question does not cut through. */
import type { Fixed } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountBlocks, FIRST, NARROW, WIDE } from '../../projections/wallet/account-blocks.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { USUAL_UNIT } from '../../projections/wallet/posting-sums.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { isLastOfMonth } from './day-sums.ts'

export const ACCOUNT: Fixed = [
  ['org', '$2'],
  ['wallet', '$3'],
  ['account', '$4'],
  ['currency', '$5'],
]
/** SQL condition on a row `t` of the account. */
export const SCOPE = ACCOUNT.map(([column, value]) => `t.${column} = ${value}`).join(' and ')

const PLACES = `nullif(t.unit, '${USUAL_UNIT}')::int as places`

/** SQL of the days of an account, which have the columns of parts that questions by effective day look at. */
export const DAYS = `(select t.*, ${PLACES} from ${tableOf(accountDays)} t where ${SCOPE})`

/** What a question is about, each bound as SQL of a parameter. */
export type Bounds = {
  /** The position of `as_of`. */
  readonly then: string | undefined
  /** A list of the months within which the question begins or ends by effective day. */
  readonly months: string
  /** First and last day of posting. */
  readonly posted: { readonly from?: string | undefined; readonly to?: string | undefined }
  /** The revision at which the page begins, in the order of posting. */
  readonly revision: string | undefined
}

/** SQL of the blocks of one size, as far as they were there at the position of the question. */
const blocksSql = (bits: number, { then }: Bounds) =>
  `select ${CELL.map(name => `t.${name}`).join(', ')}, greatest(t.block << ${bits}, ${FIRST}) as revision,
      (t.block + 1) << ${bits} as behind
    from ${tableOf(accountBlocks)} t
    where ${SCOPE} and t.bits = ${bits}${then === undefined ? '' : ` and t.first_position <= ${then}::bigint`}`

const SUMS = ['credits', 'debits', 'lines', 'first_position', 'last_position', 'first_posted', 'last_posted'] as const
const CELL = ['bits', 'block', 'month', 'unit', ...SUMS] as const

/** The block of a revision; those before the first block are block -1. */
const blockOf = (revision: string, bits: number) =>
  `case when ${revision} < ${FIRST} then -1 else ${revision} >> ${bits} end`

/** The same for what is in no block: its postings are added up, and stand for the narrow block -1. */
const firstSql = ({ then }: Bounds) =>
  `select ${NARROW}::bigint as bits, -1::bigint as block, left(t.effective_on, 7) as month,
      coalesce(t.places::text, '${USUAL_UNIT}') collate "C" as unit, sum(greatest(t.amount, 0)) as credits,
      sum(greatest(-t.amount, 0)) as debits, count(*) as lines, min(t.position) as first_position,
      max(t.position) as last_position, min(left(t.posted_at, 10)) as first_posted,
      max(left(t.posted_at, 10)) as last_posted, 0::bigint as revision, ${FIRST}::bigint as behind
    from ${tableOf(postings)} t where ${SCOPE} and t.revision < ${FIRST} group by 3, 4${
      then === undefined ? '' : ` having min(t.position) <= ${then}::bigint`
    }`

/**
 * SQL conditions on a posting `t` that hold for all that the question is about, in columns by which indexes find it: a
 * position and a day of posting are in none.
 */
export function withinSql({ then, posted: { from, to } }: Bounds): readonly string[] {
  const last = (condition: string) => `t.revision < (select max(behind) from cells${condition})`
  return [
    ...(then === undefined ? [] : [`t.position <= ${then}::bigint`, last('')]),
    ...(from === undefined ? [] : [`t.revision >= (select min(revision) from cells where last_posted >= ${from})`]),
    ...(to === undefined ? [] : [last(` where first_posted <= ${to}`)]),
  ]
}

/** The same for what has an effective day; a month ends with its 31st day at the latest. */
export const KNOWN_DAYS = [
  `t.effective_on >= (select min(month) || '-01' from cells)`,
  `t.effective_on <= (select max(month) || '-31' from cells)`,
] as const

/** The months that a question by effective day cuts through: those that it takes as a whole are not among them. */
export function cutMonths({ first, last, at }: { first?: string; last: readonly string[]; at?: string }): string[] {
  const inside = [at, first?.endsWith('-01') ? undefined : first, ...last.filter(day => !isLastOfMonth(day))]
  return [...new Set(inside.filter(day => day !== undefined).map(day => day.slice(0, 7)))]
}

/**
 * CTEs that end with `parts`: rows with `effective_on`, `posted_on`, `revision`, `line`, `places`, `credits`, `debits`
 * and `lines`. A part is the sum of a month in a block where no bound lies inside either, and then every posting of it
 * is on the same side of each bound as the part is; or it is a single posting.
 */
export function partsSql(bounds: Bounds): string {
  const { then, months, posted, revision } = bounds
  const cut = (bits: number) =>
    [
      'false',
      then !== undefined && `max(last_position) > ${then}::bigint`,
      posted.from !== undefined && `(min(first_posted) < ${posted.from} and max(last_posted) >= ${posted.from})`,
      posted.to !== undefined && `(min(first_posted) <= ${posted.to} and max(last_posted) > ${posted.to})`,
      revision !== undefined && `block = ${blockOf(`${revision}::bigint`, bits)}`,
    ]
      .filter(condition => condition !== false)
      .join(' or ')
  const lines = `select t.effective_on, left(t.posted_at, 10), t.revision, t.line, t.places, greatest(t.amount, 0),
    greatest(-t.amount, 0), 1`
  const within = [SCOPE, ...withinSql({ ...bounds, posted: {} })].join(' and ')
  const more = WIDE - NARROW
  return `wide as materialized (${blocksSql(WIDE, bounds)}),
    cut_wide as materialized (select block from wide group by block having ${cut(WIDE)}),
    narrow as materialized (${firstSql(bounds)} union all
      select t.* from cut_wide w cross join lateral (${blocksSql(NARROW, bounds)}
      and t.block >= w.block << ${more} and t.block < (w.block + 1) << ${more}) t),
    cut_blocks as materialized (select block from narrow group by block having ${cut(NARROW)}),
    cells as materialized (
      select * from wide where block not in (select block from cut_wide) union all select * from narrow),
    cut_months(month) as materialized (select unnest(${months}::text[])),
    parts(effective_on, posted_on, revision, line, places, credits, debits, lines) as (
      select t.month || '-01', t.first_posted, t.revision, 0, ${PLACES}, t.credits, t.debits, t.lines from cells t
        where (t.bits = ${WIDE} or t.block not in (select block from cut_blocks))
          and t.month not in (select month from cut_months)
      union all
      ${lines} from cut_blocks b cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.revision >= case when b.block < 0 then 0 else greatest(b.block << ${NARROW}, ${FIRST}) end
        and t.revision < case when b.block < 0 then ${FIRST} else (b.block + 1) << ${NARROW} end) t
      union all
      ${lines} from cut_months m cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.effective_on >= m.month || '-01' and t.effective_on <= m.month || '-31') t
        where ${blockOf('t.revision', NARROW)} not in (select block from cut_blocks))`
}
