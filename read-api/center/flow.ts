/** How work flows: how much is to do, in work and done on each day, and how long tasks take. */
import { z } from 'zod'
import { STAGES, type Stage } from '../../domain/center/workflow/built-in.ts'
import type { Parameter } from '../../domain/kernel/route.ts'
import { date, integer, object, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, invalidParameter, whole } from '../parameters.ts'
import { isAsked, ofTasks } from './of-tasks.ts'
import { type Asked, dayAfter, dayParameter, daysBetween, type Question } from './question.ts'

/** Days of one answer. */
const DAYS_MAX = 1_000

const span: readonly Parameter[] = [
  inQuery('from', date, 'first day: 90 days before the last one, if left out'),
  inQuery('to', date, 'last day: today, if left out'),
]
const count = integer(0, 2 ** 31 - 1)
const hours = number(-1e12, 1e12).meta({ description: 'estimated hours' })
const stage = object({ tasks: count, hours })
const dayOfFlow = object({ day: date, todo: stage, doing: stage, done: stage, cancelled: stage })

type Level = { tasks: number; hours: number }
type FlowDay = { readonly day: string } & Readonly<Record<Stage, Level>>

/** SQL of what comes to and leaves each stage on each day, of the versions of tasks that a condition holds for. */
const changesSql = (versions: string, condition: string): string => `
  select m.day, g.stage, sum(m.sign * g.n)::int as n, sum(m.sign * g.estimate) as estimate from (
    select left(v.at, 10) as came, left(v.until, 10) as went, v.stage, count(*) as n,
      coalesce(sum(v.estimated_hours), 0) as estimate
    from ${versions} v where not v._removed and ${condition} group by 1, 2, 3) g
  cross join lateral (values (g.came, 1), (g.went, -1)) m(day, sign) where m.day is not null group by 1, 2`

/** The flow on every day of a span, from rows of `changesSql`. */
export function flowOf(rows: readonly (readonly unknown[])[], from: string, to: string): FlowDay[] {
  const levels: Record<string, Level> = Object.fromEntries(STAGES.map(name => [name, { tasks: 0, hours: 0 }]))
  const byDay = [...rows].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1))
  let next = 0
  return Array.from({ length: daysBetween(from, to) + 1 }, (_, n) => {
    const day = dayAfter(from, n)
    for (; next < byDay.length && String(byDay[next]![0]) <= day; next += 1) {
      const [, name, n, estimate] = byDay[next]!
      const level = levels[String(name)]!
      level.tasks += Number(n)
      level.hours = Math.round((level.hours + Number(estimate)) * 100) / 100
    }
    return { day, ...(structuredClone(levels) as Record<Stage, Level>) }
  })
}

/** The days that are asked for. */
function spanOf({ query, today }: Asked, length = 90): { readonly from: string; readonly to: string } {
  const to = query.to ?? today
  const from = query.from ?? dayAfter(to, -length)
  if (from > to) throw invalidParameter('to', 'must not lie before from')
  if (daysBetween(from, to) > DAYS_MAX) throw invalidParameter('to', `must lie at most ${DAYS_MAX} days behind from`)
  return { from, to }
}

export const flowQuestion: Question = {
  path: '/kctr/flow',
  operationId: 'getFlow',
  summary: 'How many tasks, and hours of them, were to do, in work, done and cancelled at the end of each day.',
  permission: 'center.tasks.read',
  parameters: [...ofTasks, ...span],
  of: [tasks],
  sql(asked) {
    const condition = isAsked(asked, 'x')
    return changesSql(asked.versions(tasks, condition === 'true' ? undefined : condition), isAsked(asked, 'v'))
  },
  answer(rows, asked) {
    const { from, to } = spanOf(asked)
    return flowOf(rows, from, to)
  },
  response: z.array(dayOfFlow),
}

const time = number(0, 1e6).optional().meta({ description: 'days' })
const times = object({ mean: time, median: time, p85: time, p95: time })

export const cycleTimesQuestion: Question = {
  path: '/kctr/cycle-times',
  operationId: 'getCycleTimes',
  summary:
    'How long tasks took that were completed in a span: from their creation (lead time) and from the first work on ' +
    'them (cycle time), in days.',
  permission: 'center.tasks.read',
  parameters: [
    ...ofTasks,
    ...span,
    inQuery('by', z.enum(['all', 'assignee', 'team', 'type', 'priority']), 'one answer for each'),
  ],
  of: [tasks],
  sql(asked) {
    const { from, to } = spanOf(asked)
    const group = asked.query.by === undefined || asked.query.by === 'all' ? `'all'` : `t."${asked.query.by}"`
    const days = (start: string) => `(extract(epoch from done - ${start}::timestamptz) / 86400)::float8`
    const stats = (value: string) =>
      `avg(${value}), to_jsonb(percentile_disc(array[0.5, 0.85, 0.95]) within group (order by ${value}))`
    return `select g, count(*)::int, ${stats('lead')}, ${stats('cycle')} from (
        select ${group} as g, ${days('t.created_at')} as lead, ${days('t.started_at')} as cycle
        from ${asked.rows(tasks)} t cross join lateral (select t.completed_at::timestamptz as done offset 0) d
        where t.completed_at >= ${asked.put(from)} and t.completed_at < ${asked.put(`${to}T24`)}
          and ${isAsked(asked, 't')}
      ) s group by 1 order by count(*) desc, 1 limit 1000`
  },
  answer: rows =>
    rows.map(([group, completed, lead, leads, cycle, cycles]) => ({
      ...(group !== null && { group }),
      completed,
      lead: statsOf(lead, leads),
      cycle: statsOf(cycle, cycles),
    })),
  response: z.array(object({ group: text(128).optional(), completed: count, lead: times, cycle: times })),
}

/** Absent where no task has a time. */
function statsOf(mean: unknown, percentiles: unknown) {
  const values = [mean, ...((percentiles ?? []) as readonly unknown[])]
  return Object.fromEntries(
    ['mean', 'median', 'p85', 'p95'].flatMap((name, at) =>
      typeof values[at] === 'number' ? [[name, Math.round(values[at] * 1000) / 1000]] : [],
    ),
  )
}

export const workloadQuestion: Question = {
  path: '/kctr/workload',
  operationId: 'getWorkload',
  summary:
    'What each person has to do: tasks to do and in work, their hours that are left, and those that are overdue.',
  permission: 'center.tasks.read',
  parameters: [
    ...ofTasks,
    dayParameter,
    inQuery('limit', whole(1, 1_000), 'most people to answer with; 1,000 if left out'),
  ],
  of: [tasks],
  sql: asked => `select t.assignee, count(*) filter (where t.stage = 'todo')::int,
      count(*) filter (where t.stage = 'doing')::int,
      round(sum(greatest(0, coalesce(t.estimated_hours, 0) - t.minutes / 60.0))::numeric, 2)::float8,
      count(*) filter (where t.due_on < ${asked.put(asked.today)})::int,
      count(*) filter (where t.estimated_hours is null)::int
    from ${asked.rows(tasks)} t where t.stage in ('todo', 'doing') and ${isAsked(asked, 't')}
    group by 1 order by 4 desc, 1 limit ${Number(asked.query.limit ?? 1_000)}`,
  answer: rows =>
    rows.map(([assignee, todo, doing, left, overdue, unestimated]) => ({
      ...(assignee !== null && { assignee }),
      todo,
      doing,
      hours_left: left,
      overdue,
      without_estimate: unestimated,
    })),
  response: z.array(
    object({
      assignee: text(128).optional(),
      todo: count,
      doing: count,
      hours_left: number(0, 1e12),
      overdue: count,
      without_estimate: count,
    }),
  ),
}
