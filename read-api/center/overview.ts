/** A project at a glance, and the matrix of risks. */
import { z } from 'zod'
import { currency, date, id, integer, minorUnits, object } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { projects } from '../../projections/center/projects.ts'
import { risks } from '../../projections/center/risks.ts'
import { timeEntries } from '../../projections/center/task-parts.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { tableOf } from '../../projections/rows/tables.ts'
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
  of: [tasks, risks, timeEntries],
  within: projects,
  sql(asked) {
    const { rows, put, params, today } = asked
    const project = put(params.id)
    return `select count(*)::int, count(*) filter (where stage = 'todo')::int,
        count(*) filter (where stage = 'doing')::int, count(*) filter (where stage = 'done')::int,
        count(*) filter (where stage <> 'done' and due_on < ${put(today)})::int,
        coalesce(sum(estimated_hours)::numeric, 0)::float8, round(coalesce(sum(minutes), 0) / 60.0, 2)::float8,
        round(coalesce(sum(greatest(0, coalesce(estimated_hours, 0) - minutes / 60.0))
          filter (where stage <> 'done'), 0)::numeric, 2)::float8,
        min(due_on) filter (where stage <> 'done' and due_on >= ${put(today)}),
        (select count(*) from ${rows(risks)} r where r.project = ${project} and r.status <> 'closed')::int,
        (select max(risk_score) from ${rows(risks)} r where r.project = ${project} and r.status <> 'closed')
      from ${rows(tasks)} t where t.project = ${project}`
  },
  answer([row], { params }) {
    const [all, todo, doing, done, overdue, estimated, actual, left, next, open, score] = row! as readonly unknown[]
    return {
      project: params.id,
      tasks: { all, todo, doing, done, overdue },
      progress: all === 0 ? 0 : Math.round((Number(done) / Number(all)) * 1_000) / 1_000,
      hours: { estimated, actual, left },
      ...(next !== null && { next_due_on: next }),
      risks: { open, ...(score !== null && { highest_score: score }) },
    }
  },
  response: object({
    project: id('project'),
    tasks: object({ all: count, todo: count, doing: count, done: count, overdue: count }),
    progress: number(0, 1),
    hours: object({ estimated: hours, actual: hours, left: hours }),
    next_due_on: date.optional(),
    risks: object({ open: count, highest_score: number(0, 10).optional() }),
  }).meta({ title: 'ProjectAnalytics' }),
}

/** Budgets of a project beside what was spent, needs what reading budgets needs: amounts are those of the wallet. */
export const projectBudgetQuestion: Question = {
  path: '/kctr/projects/:id/budget',
  operationId: 'getProjectBudget',
  summary: 'What may be spent on a project by its budgets, and what left and came to accounts by its entries.',
  permission: 'wallet.budgets.read',
  parameters: [],
  of: [entries, postings, balances, budgets],
  within: projects,
  sql({ rows, put, params }) {
    const project = put(params.id)
    return `select 'budget' as kind, b.currency, coalesce(b.places, 2), sum(b.amount)::text
        from ${rows(budgets)} b where b.project = ${project} group by 2, 3
      union all select case when p.amount < 0 then 'spent' else 'received' end, p.currency,
        coalesce(p.places, b.minor_places), sum(abs(p.amount))::text
      from ${tableOf(entries)} e
      join ${tableOf(postings)} p on p.org = e.org and p.wallet = e.wallet and p.revision = e.revision
      join ${tableOf(balances)} b
        on b.org = p.org and b.wallet = p.wallet and b.account = p.account and b.currency = p.currency
      where e.org = $2 and e.project = ${project} and not p.external and b.type in ('asset', 'liability')
      group by 1, 2, 3 order by 1, 2, 3`
  },
  answer(rows, { params }) {
    const of = (kind: string) =>
      rows
        .filter(row => row[0] === kind)
        .map(([, currency, places, amount]) => ({ currency, places: Number(places), amount }))
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
