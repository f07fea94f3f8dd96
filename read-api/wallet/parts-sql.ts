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
  /** What bounds look at: effective days, days and order of posting, or both. */
  readonly by: 'days' | 'posting' | 'both'
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
  return [
    ...(then === undefined ? [] : [`t.position <= ${then}::bigint`, 't.revision < (select behind from reach)']),
    ...(from === undefined ? [] : ['t.revision >= (select from_revision from reach)']),
    ...(to === undefined ? [] : ['t.revision < (select behind_to from reach)']),
  ]
}

/** SQL of how far those conditions reach: one pass over all cells. */
const reachSql = ({ posted: { from, to } }: Bounds) =>
  `select max(behind) as behind, min(month) || '-01' as first_day, max(month) || '-31' as last_day,
      ${from === undefined ? 'null' : `min(revision) filter (where last_posted >= ${from})`} as from_revision,
      ${to === undefined ? 'null' : `max(behind) filter (where first_posted <= ${to})`} as behind_to
    from cells`

/** The same for what has an effective day; a month ends with its 31st day at the latest. */
export const KNOWN_DAYS = [
  't.effective_on >= (select first_day from reach)',
  't.effective_on <= (select last_day from reach)',
] as const

/** The months that a question by effective day cuts through: those that it takes as a whole are not among them. */
export function cutMonths({ first, last, at }: { first?: string; last: readonly string[]; at?: string }): string[] {
  const inside = [at, first?.endsWith('-01') ? undefined : first, ...last.filter(day => !isLastOfMonth(day))]
  return [...new Set(inside.filter(day => day !== undefined).map(day => day.slice(0, 7)))]
}

/** SQL of the blocks among rows `of` that a bound cuts through. */
function cutSql(of: string, bits: number, { then, posted: { from, to }, revision }: Bounds): string {
  const ofRows = [
    then !== undefined && `last_position > ${then}::bigint`,
    revision !== undefined && `block = ${blockOf(`${revision}::bigint`, bits)}`,
  ].filter(condition => condition !== false)
  const ofBlocks = [
    from !== undefined && `(min(first_posted) < ${from} and max(last_posted) >= ${from})`,
    to !== undefined && `(min(first_posted) <= ${to} and max(last_posted) > ${to})`,
  ].filter(condition => condition !== false)
  const cut = `select block from ${of} where ${ofRows.join(' or ') || 'false'}`
  if (ofBlocks.length === 0) return `${cut} group by block`
  return `${cut} union select block from ${of} group by block having ${ofBlocks.join(' or ')}`
}

/** How cells, and postings, are added up before they are compared with bounds: by what bounds do not tell apart. */
const ADDED_UP = {
  days: { cells: ["t.month || '-01'", 'null', '0'], lines: ['t.effective_on', 'null', '0', '0'] },
  posting: { cells: ['null', 'min(t.first_posted)', 't.revision'], lines: undefined },
  both: { cells: ["t.month || '-01'", 'min(t.first_posted)', 't.revision'], lines: undefined },
}

/**
 * CTEs that end with `parts`: rows with `effective_on`, `posted_on`, `revision`, `line`, `places`, `credits`, `debits`
 * and `lines`. A part is the sum of a month in blocks where no bound lies inside either, and then every posting of it
 * is on the same side of each bound as the part is; or of a day; or it is a single posting.
 */
export function partsSql(bounds: Bounds): string {
  const { months, by } = bounds
  const { cells, lines } = ADDED_UP[by]
  const added = lines
    ? `select ${lines.join(', ')}, t.places, sum(greatest(t.amount, 0)), sum(greatest(-t.amount, 0)), count(*)`
    : `select t.effective_on, left(t.posted_at, 10), t.revision, t.line, t.places, greatest(t.amount, 0),
    greatest(-t.amount, 0), 1`
  const end = lines ? ' group by t.effective_on, t.places' : ''
  const within = [SCOPE, ...withinSql({ ...bounds, posted: {} })].join(' and ')
  const more = WIDE - NARROW
  return `wide as materialized (${blocksSql(WIDE, bounds)}),
    cut_wide as materialized (${cutSql('wide', WIDE, bounds)}),
    narrow as materialized (${firstSql(bounds)} union all
      select t.* from cut_wide w cross join lateral (${blocksSql(NARROW, bounds)}
      and t.block >= w.block << ${more} and t.block < (w.block + 1) << ${more}) t),
    cut_blocks as materialized (${cutSql('narrow', NARROW, bounds)}),
    cells as materialized (
      select * from wide where block not in (select block from cut_wide) union all select * from narrow),
    reach as materialized (${reachSql(bounds)}),
    cut_months(month) as materialized (select unnest(${months}::text[])),
    parts(effective_on, posted_on, revision, line, places, credits, debits, lines) as (
      select ${cells.join(', ')}, 0, ${PLACES}, sum(t.credits), sum(t.debits), sum(t.lines) from cells t
        where (t.bits = ${WIDE} or t.block not in (select block from cut_blocks))
          and t.month not in (select month from cut_months)
        group by ${by === 'posting' ? '' : 't.month, '}${by === 'days' ? '' : 't.revision, '}t.unit
      union all
      ${added} from cut_blocks b cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.revision >= case when b.block < 0 then 0 else greatest(b.block << ${NARROW}, ${FIRST}) end
        and t.revision < case when b.block < 0 then ${FIRST} else (b.block + 1) << ${NARROW} end) t${end}
      union all
      ${added} from cut_months m cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.effective_on >= m.month || '-01' and t.effective_on <= m.month || '-31') t
        where ${blockOf('t.revision', NARROW)} not in (select block from cut_blocks)${end})`
}
