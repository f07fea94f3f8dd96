/** Budgets and what was spent of them, as their rows stand in PostgreSQL. */
import { periodsIn, type Span } from '../../domain/wallet/budget/periods.ts'
import { CHECKPOINTS } from '../../projections/ownership/tables.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { budgets } from '../../projections/wallet/budgets.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { wireTypes } from '../../read-api/consistency.ts'
import {
  actualsOf,
  BUDGET_COLUMNS,
  type Budget,
  budgetOf,
  COUNTED_AS,
  countedAs,
  OF_BUDGETS,
  spentStatement,
} from '../../read-api/wallet/budget-sums.ts'
import type { Pool } from '../postgres.ts'

/** A budget that is watched. */
export type Watched = {
  readonly org: string
  readonly id: string
  readonly revision: string
  readonly budget: Budget
}

/** A budget of which something was spent on a day. */
type Spent = { readonly org: string; readonly id: string; readonly day: string }

/** The positions between which the entries of an org are looked at. */
export type Stretch = { readonly org: string; readonly after: bigint; readonly upto: bigint }

export type BudgetRows = {
  /** The orgs that have budgets, each with a mark that is another one once a budget is added, changed or removed. */
  readonly marks: () => Promise<ReadonlyMap<string, string>>
  /** The budgets of some orgs. */
  readonly budgets: (orgs: readonly string[]) => Promise<readonly Watched[]>
  /** The position that the rows of an org have come to. */
  readonly reached: () => Promise<(org: string) => bigint>
  /** The budgets that new entries are about, with the days that these count for. */
  readonly spent: (stretches: readonly Stretch[]) => Promise<readonly Spent[]>
  /** Each of some periods of a budget beside what was spent. */
  readonly actuals: (watched: Watched, spans: readonly Span[]) => Promise<ReturnType<typeof actualsOf>>
}

const MARKS = `select org, concat_ws(' ', count(*), sum(revision), max(updated_at)) as mark
  from ${tableOf(budgets)} group by org`
const BUDGETS = `select org, id, revision, ${BUDGET_COLUMNS.join(', ')} from ${tableOf(budgets)} where org = any($1)`

const named = OF_BUDGETS.map(({ name, version }) => `('${name}', ${version})`).join(', ')
const REACHED = `select bucket, min(position) as position from ${CHECKPOINTS}
  where (projection, version) in (${named}) group by bucket having count(*) = ${OF_BUDGETS.length}`

const SPENT = `select distinct b.org, b.id, p.effective_on as day
  from unnest($1::text[], $2::bigint[], $3::bigint[]) s(org, after, upto)
  join ${tableOf(entries)} e on e.org = s.org and e.position > s.after and e.position <= s.upto
  join ${tableOf(postings)} p on p.org = e.org and p.wallet = e.wallet and p.revision = e.revision
  ${COUNTED_AS}
  join ${tableOf(budgets)} b on b.org = e.org and coalesce(b.wallet, e.wallet) = e.wallet
    and (b.project is null or b.project = ${countedAs('project')})
    and (b.counterparty is null or b.counterparty = ${countedAs('counterparty')})
    and (b.tag is null or ${countedAs('tags')} @> jsonb_build_array(b.tag))
  where not p.external and p.amount < 0`

export const budgetRows = (pool: Pick<Pool, 'query'>): BudgetRows => ({
  async marks() {
    const { rows } = await pool.query<{ org: string; mark: string }>({ name: 'budget_marks', text: MARKS })
    return new Map(rows.map(({ org, mark }) => [org, mark]))
  },
  async budgets(orgs) {
    const asked = { name: 'watched_budgets', text: BUDGETS, values: [orgs], types: wireTypes }
    const { rows } = await pool.query({ ...asked, rowMode: 'array' })
    return (rows as unknown as readonly (readonly unknown[])[]).map(([org, id, revision, ...columns]) => ({
      org: String(org),
      id: String(id),
      revision: String(revision),
      budget: budgetOf(columns),
    }))
  },
  async reached() {
    const { rows } = await pool.query({ name: 'budgets_reached', text: REACHED })
    const positions = new Map(rows.map(({ bucket, position }) => [Number(bucket), BigInt(position)]))
    return org => positions.get(bucketOf(org)) ?? 0n
  },
  async spent(stretches) {
    const values = [
      stretches.map(({ org }) => org),
      stretches.map(({ after }) => String(after)),
      stretches.map(({ upto }) => String(upto)),
    ]
    return (await pool.query<Spent>({ name: 'budgets_spent', text: SPENT, values })).rows
  },
  async actuals({ org, budget }, spans) {
    const whole = { from: spans[0]!.from, to: spans.at(-1)!.to }
    const { text, values } = spentStatement(org, budget, whole, undefined)
    const { rows } = await pool.query({ text, values: [bucketOf(org), ...values], rowMode: 'array', types: wireTypes })
    return actualsOf(budget, spans, rows as unknown as readonly (readonly unknown[])[])
  },
})

/** The periods of a budget that some days lie in, in order. */
export const spansOf = ({ budget }: Watched, days: readonly string[]): readonly Span[] => {
  const spans = days.flatMap(day => periodsIn({ from: day, to: day }, budget.period, budget))
  return [...new Map(spans.map(span => [span.from, span])).values()].toSorted((a, b) => (a.from < b.from ? -1 : 1))
}
