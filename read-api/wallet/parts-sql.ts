/** The SQL of what the sums of a statement are made of: parts of an account that its question does not cut through. */
import type { Fixed } from '../../projections/rows/as-of.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { accountBlocks, BLOCK_BITS } from '../../projections/wallet/account-blocks.ts'
import { accountDays } from '../../projections/wallet/account-days.ts'
import { USUAL_UNIT } from '../../projections/wallet/posting-sums.ts'
import { postings } from '../../projections/wallet/postings.ts'

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
  /** Days that entries count for, at which the question begins or ends. */
  readonly effective: readonly string[]
  /** First and last day of posting. */
  readonly posted: { readonly from?: string | undefined; readonly to?: string | undefined }
  /** The revision at which the page begins, in the order of posting. */
  readonly revision: string | undefined
}

/** CTE of the months and blocks of the account, as far as they were there at the position of the question. */
const cellsSql = ({ then }: Bounds) =>
  `cells as materialized (select t.*, t.block << ${BLOCK_BITS} as revision from ${tableOf(accountBlocks)} t
    where ${SCOPE}${then === undefined ? '' : ` and t.first_position <= ${then}::bigint`})`

/**
 * SQL conditions on a posting `t` that hold for all that the question is about, in columns by which indexes find it: a
 * position and a day of posting are in none.
 */
export function withinSql({ then, posted: { from, to } }: Bounds): readonly string[] {
  const last = (condition: string) => `t.revision < (select (max(block) + 1) << ${BLOCK_BITS} from cells${condition})`
  return [
    ...(then === undefined ? [] : [`t.position <= ${then}::bigint`, last('')]),
    ...(from === undefined
      ? []
      : [`t.revision >= (select min(block) << ${BLOCK_BITS} from cells where last_posted >= ${from})`]),
    ...(to === undefined ? [] : [last(` where first_posted <= ${to}`)]),
  ]
}

/** The same for what has an effective day; a month ends with its 31st day at the latest. */
export const KNOWN_DAYS = [
  `t.effective_on >= (select min(month) || '-01' from cells)`,
  `t.effective_on <= (select max(month) || '-31' from cells)`,
] as const

/**
 * CTEs that end with `parts`: rows with `effective_on`, `posted_on`, `revision`, `line`, `places`, `credits`, `debits`
 * and `lines`. A part is the sum of a month in a block where no bound lies inside either, and then every posting of it
 * is on the same side of each bound as the part is; or it is a single posting.
 */
export function partsSql(bounds: Bounds): string {
  const { then, effective, posted, revision } = bounds
  const cuts = [
    then !== undefined && `max(last_position) > ${then}::bigint`,
    posted.from !== undefined && `min(first_posted) < ${posted.from} and max(last_posted) >= ${posted.from}`,
    posted.to !== undefined && `min(first_posted) <= ${posted.to} and max(last_posted) > ${posted.to}`,
    revision !== undefined && `block = ${revision}::bigint >> ${BLOCK_BITS}`,
  ].filter(cut => cut !== false)
  const lines = `select t.effective_on, left(t.posted_at, 10), t.revision, t.line, t.places, greatest(t.amount, 0),
    greatest(-t.amount, 0), 1`
  const within = [SCOPE, ...withinSql({ ...bounds, posted: {} })].join(' and ')
  const days = effective.map(day => `(${day})`).join(', ')
  const months = effective.length === 0 ? `select ''` : `select distinct left(day, 7) from (values ${days}) v(day)`
  return `${cellsSql(bounds)},
    cut_blocks as materialized (
      select block from cells group by block having ${cuts.map(cut => `(${cut})`).join(' or ') || 'false'}),
    cut_months(month) as materialized (${months}),
    parts(effective_on, posted_on, revision, line, places, credits, debits, lines) as (
      select t.month || '-01', t.first_posted, t.revision, 0, ${PLACES}, t.credits, t.debits, t.lines from cells t
        where t.block not in (select block from cut_blocks) and t.month not in (select month from cut_months)
      union all
      ${lines} from cut_blocks b cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.revision >= b.block << ${BLOCK_BITS} and t.revision < (b.block + 1) << ${BLOCK_BITS}) t
      union all
      ${lines} from cut_months m cross join lateral (select * from ${tableOf(postings)} t where ${within}
        and t.effective_on >= m.month || '-01' and t.effective_on <= m.month || '-31') t
        where t.revision >> ${BLOCK_BITS} not in (select block from cut_blocks))`
}
