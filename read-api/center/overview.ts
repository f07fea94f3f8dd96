/** A project at a glance, and the matrix of risks. */
import { z } from 'zod'
import { currency, date, id, integer, minorUnits, object } from '../../domain/kernel/schema.ts'
import { placesOf } from '../../domain/record/currencies.ts'
import { number } from '../../domain/record/measures.ts'
import { POSTINGS_MAX } from '../../domain/wallet/wallet/fields.ts'
import { addUp, type Held } from '../../domain/wallet/wallet/places.ts'
import { projects } from '../../projections/center/projects.ts'
import { risks } from '../../projections/center/risks.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { budgets } from '../../projections/wallet/budgets.ts'
import { entries } from '../../projections/wallet/entries.ts'
import { postings } from '../../projections/wallet/postings.ts'
import { inQuery } from '../parameters.ts'
import { dayParameter, type Question } from './question.ts'

const count = integer(0, 2 ** 31 - 1)
const hours = number(-1e12, 1e12)
const money = object({ currency, places: integer(0, 30), amount: minorUnits })

export const analyticsQuestion: Question = {
  path: '/kctr/projects/:id/analytics',
  operationId: 'getProjectAnalytics',
  summary: 'A project at a glance: its tasks by stage, hours, what is overdue and its risks.',
  permission: 'center.projects.read',
  parameters: [dayParameter],
  of: [tasks, risks],
  within: projects,
  sql(asked) {
    const { rows, put, params, today } = asked
    const project = put(params.id)
    return `select count(*)::int, count(*) filter (where stage = 'todo')::int,
        count(*) filter (where stage = 'doing')::int, count(*) filter (where stage = 'done')::int,
        count(*) filter (where stage = 'cancelled')::int,
        count(*) filter (where stage in ('todo', 'doing') and due_on < ${put(today)})::int,
        coalesce(sum(estimated_hours) filter (where stage <> 'cancelled')::numeric, 0)::float8,
        round(coalesce(sum(minutes), 0) / 60.0, 2)::float8,
        round(coalesce(sum(greatest(0, coalesce(estimated_hours, 0) - minutes / 60.0))
          filter (where stage in ('todo', 'doing')), 0)::numeric, 2)::float8,
        min(due_on) filter (where stage in ('todo', 'doing') and due_on >= ${put(today)}),
        (select count(*) from ${rows(risks)} r where r.project = ${project} and r.status <> 'closed')::int,
        (select max(risk_score) from ${rows(risks)} r where r.project = ${project} and r.status <> 'closed')
      from ${rows(tasks)} t where t.project = ${project}`
  },
  answer([row], { params }) {
    const [all, todo, doing, done, cancelled, overdue, ...more] = row! as readonly number[]
    const [estimated, actual, left, next, open, score] = more as readonly unknown[]
    const wanted = all! - cancelled!
    return {
      project: params.id,
      tasks: { all, todo, doing, done, cancelled, overdue },
      progress: wanted === 0 ? 0 : Math.round((done! / wanted) * 1_000) / 1_000,
      hours: { estimated, actual, left },
      ...(next !== null && { next_due_on: next }),
      risks: { open, ...(score !== null && { highest_score: score }) },
    }
  },
  response: object({
    project: id('project'),
    tasks: object({ all: count, todo: count, doing: count, done: count, cancelled: count, overdue: count }),
    progress: number(0, 1).meta({ description: 'the part that is done of the tasks that are not cancelled' }),
    hours: object({ estimated: hours, actual: hours, left: hours }),
    next_due_on: date.optional(),
    risks: object({ open: count, highest_score: number(0, 10).optional() }),
  }).meta({ title: 'ProjectAnalytics' }),
}

export const projectBudgetQuestion: Question = {
  path: '/kctr/projects/:id/budget',
  operationId: 'getProjectBudget',
  summary: 'What may be spent on a project by its budgets, and what left and came to accounts by its entries.',
  permission: 'wallet.budgets.read',
  parameters: [],
  of: [entries, postings, balances, budgets],
  within: projects,
  sql({ rows, row, put, params }) {
    const project = put(params.id)
    const account = row(balances, [
      ['org', '$2'],
      ['wallet', 's.wallet'],
      ['account', 's.account'],
      ['currency', 's.currency'],
    ])
    // The first lines of an entry that takes another one back count off what that one counted.
    return `with own as (select x.wallet, x.revision, x.id, x.reverses, x.taken_back from ${rows(entries)} x
        where x.project = ${project}),
      parts as (
        select wallet, revision, 1 as sign, ${POSTINGS_MAX} as after,
          case when reverses is null then 0 else coalesce(taken_back, ${POSTINGS_MAX}) end as first from own
        union all select r.wallet, r.revision, -1, coalesce(r.taken_back, ${POSTINGS_MAX}), 0
        from own o join ${rows(entries)} r on r.wallet = o.wallet and r.reverses = o.id),
      sums as (
        select p.wallet, p.account, p.currency, p.places, sign(p.amount) * e.sign as side,
          sum(e.sign * abs(p.amount)) as amount
        from parts e join ${rows(postings)} p on p.wallet = e.wallet and p.revision = e.revision
          and p.line >= e.first and p.line < e.after
        where not p.external group by 1, 2, 3, 4, 5)
      select 'budget' as kind, b.currency, b.places, sum(b.amount)::text
        from ${rows(budgets)} b where b.project = ${project} group by 2, 3
      union all select case when s.side < 0 then 'spent' else 'received' end, s.currency,
        coalesce(s.places, b.minor_places), sum(s.amount)::text
      from sums s join lateral ${account} b on b.type in ('asset', 'liability')
      group by 1, 2, 3 order by 1, 2, 3`
  },
  answer(rows, { params }) {
    const of = (wanted: string) => {
      const sums = new Map<string, Held>()
      for (const [kind, currency, unit, amount] of rows as readonly (readonly string[])[]) {
        if (kind !== wanted) continue
        const places = unit === null ? (placesOf(currency!) ?? 0) : Number(unit)
        const before = sums.get(currency!) ?? { amount: 0n, places }
        sums.set(currency!, addUp(before, [{ amount: BigInt(amount!), places }]))
      }
      return Array.from(sums, ([currency, { amount, places }]) => ({ currency, places, amount: String(amount) }))
    }
    return { project: params.id, budgets: of('budget'), spent: of('spent'), received: of('received') }
  },
  response: object({
    project: id('project'),
    budgets: z.array(money),
    spent: z.array(money),
    received: z.array(money),
  }).meta({ title: 'ProjectBudget' }),
}

const STEPS = 5

export const riskMatrixQuestion: Question = {
  path: '/kctr/risk-matrix',
  operationId: 'getRiskMatrix',
  summary:
    'How many open risks are how likely and how bad: five steps of each, the impact on the scale up to 1 or to 10.',
  permission: 'center.risks.read',
  parameters: [inQuery('project', risks.row.shape.project.unwrap(), 'only risks of this project')],
  of: [risks],
  sql: ({ rows, query, put }) => `with r as (select * from ${rows(risks)} x where x.status <> 'closed'
      and ${query.project === undefined ? 'true' : `x.project = ${put(query.project)}`}),
      s as (select case when max(impact) > 1 then 10 else 1 end as scale from r)
      select least(${STEPS}, greatest(1, ceil(probability * ${STEPS})))::int,
        least(${STEPS}, greatest(1, ceil(impact / scale * ${STEPS})))::int, count(*)::int,
        max(risk_score), min(scale)::int from r cross join s group by 1, 2 order by 1, 2`,
  answer: rows =>
    rows.map(([probability, impact, open, score, scale]) => ({
      probability,
      impact,
      risks: open,
      highest_score: score,
      impact_scale: scale,
    })),
  response: z.array(
    object({
      probability: integer(1, STEPS).meta({ description: 'the step of the probability, 5 the most likely' }),
      impact: integer(1, STEPS).meta({ description: 'the step of the impact, 5 the worst' }),
      risks: count,
      highest_score: number(0, 10),
      impact_scale: integer(1, 10),
    }),
  ),
}
