/** What became of sprints: burn-down of one, velocity of those that are completed. */
import { z } from 'zod'
import { date, id, integer, object, oneOf, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { projects } from '../../projections/center/projects.ts'
import { sprints } from '../../projections/center/sprints.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, whole } from '../parameters.ts'
import { flowOf } from './flow.ts'
import { type Asked, dayAfter, type Question } from './question.ts'

const count = integer(-(2 ** 31), 2 ** 31 - 1)
const part = object({ tasks: count, hours: number(-1e12, 1e12) })
const PARTS = ['start', 'added', 'removed', 'reestimated', 'todo', 'doing', 'done', 'cancelled'] as const
type Part = (typeof PARTS)[number]

/**
 * SQL that begins a statement about sprints, `s`: `v`, versions of the tasks that have been in them, and `m`, those
 * with which a task comes to a sprint, is in it or leaves it, until that ends.
 */
const withMoves = ({ versions }: Asked, sprint: string) => `with s as ${sprint},
    v as materialized (
      select x.*, lag(x.sprint) over w as before_sprint, lag(x._removed) over w as was_removed,
        coalesce(x.estimated_hours, 0) as hours, coalesce(lag(x.estimated_hours) over w, 0) as old
      from ${versions(tasks, 'x.sprint in (select id from s)')} x window w as (partition by x.id order by x._position)),
    m as (
      select s.id as own, s.completed_at as ended, v.at, v.until, v.stage, v.hours, v.old,
        coalesce(v.sprint = s.id and not v._removed, false) as is_in,
        coalesce(v.before_sprint = s.id and not v.was_removed, false) as was_in,
        coalesce(v.at > s.started_at, false) as is_late
      from s join v on s.id in (v.sprint, v.before_sprint) and v.at <= coalesce(s.completed_at, v.at))`

/**
 * SQL of the parts of each sprint, `own`. `kind`: what was in it when it started, what came later, what went, estimates
 * that changed, and the stages of what is in it in the end.
 */
const PARTS_SQL = `(
    select own, 'start' as kind, sum(is_in::int - was_in::int)::int as n,
      sum(case when is_in then hours else 0 end - case when was_in then old else 0 end) as h
      from m where not is_late group by 1
    union all select own, 'added', count(*)::int, sum(hours) from m where is_late and is_in and not was_in group by 1
    union all select own, 'removed', count(*)::int, sum(old) from m where is_late and was_in and not is_in group by 1
    union all select own, 'reestimated', count(*) filter (where hours <> old)::int, sum(hours - old) from m
      where is_late and is_in and was_in group by 1
    union all select own, stage, count(*)::int, sum(hours) from m
      where is_in and (until is null or until > ended) group by 1, 2)`

const partsOf = (rows: readonly (readonly unknown[])[]) => {
  const found = new Map(
    rows.map(([kind, n, h]) => [kind as Part, { tasks: Number(n ?? 0), hours: rounded(Number(h ?? 0)) }]),
  )
  return Object.fromEntries(PARTS.map(name => [name, found.get(name) ?? { tasks: 0, hours: 0 }])) as Record<
    Part,
    { tasks: number; hours: number }
  >
}
/** Days of one answer: those before the last ones are left out. */
const DAYS_MAX = 1_000

const laterOf = (a: string, b: string) => [a, b].toSorted().at(-1)!
const rounded = (value: number) => Math.round(value * 100) / 100

const partsSchema = Object.fromEntries(PARTS.map(name => [name, part])) as Record<Part, typeof part>

export const burndownQuestion: Question = {
  path: '/kctr/sprints/:id/burndown',
  operationId: 'getBurndown',
  summary:
    'What a sprint began with, what came, what went and what was estimated anew since, and how much was to do, in ' +
    'work, done and cancelled at the end of each day.',
  permission: 'center.sprints.read',
  parameters: [],
  of: [sprints, tasks],
  within: sprints,
  sql(asked) {
    const own = `(select * from ${asked.rows(sprints)} x where x.id = ${asked.put(asked.params.id)})`
    return `${withMoves(asked, own)}
      select 'sprint' as kind, s.status as a, left(coalesce(s.started_at, s.start_date), 10) as b,
        left(s.completed_at, 10) as c, null::float8 as h, s.end_date as e from s
      union all select 'part', p.kind, p.n::text, null, p.h, null from ${PARTS_SQL} p
      union all select 'move', left(at, 10), stage, count(*)::text, sum(hours), null from m where is_in group by 2, 3
      union all select 'move', left(until, 10), stage, (-count(*))::text, -sum(hours), null from m
        where is_in and until <= coalesce(ended, until) group by 2, 3`
  },
  answer(rows, { today, params }) {
    const [, status, from, completed, , end] = rows.find(([kind]) => kind === 'sprint')! as readonly string[]
    const last = completed ?? [today, end!].toSorted()[0]!
    const to = laterOf(last, from!)
    const moves = rows.filter(([kind]) => kind === 'move').map(([, day, stage, n, h]) => [day, stage, n, h])
    const days = flowOf(moves, laterOf(dayAfter(to, 1 - DAYS_MAX), from!), to)
    const parts = partsOf(rows.filter(([kind]) => kind === 'part').map(([, kind, n, , h]) => [kind, n, h]))
    return { sprint: params.id, status, ...parts, days }
  },
  response: object({
    sprint: id('sprint'),
    status: oneOf('planned', 'active', 'completed'),
    ...partsSchema,
    days: z.array(object({ day: date, todo: part, doing: part, done: part, cancelled: part })),
  }).meta({ title: 'Burndown' }),
}

export const velocityQuestion: Question = {
  path: '/kctr/projects/:id/velocity',
  operationId: 'getVelocity',
  summary: 'What each completed sprint of a project had committed to at its start, and what it completed.',
  permission: 'center.sprints.read',
  parameters: [inQuery('limit', whole(1, 100), 'the last so many sprints; 10 if left out')],
  of: [sprints, tasks],
  within: projects,
  sql(asked) {
    const last = `(select * from ${asked.rows(sprints)} x
      where x.project = ${asked.put(asked.params.id)} and x.status = 'completed'
      order by x.completed_at desc, x.id limit ${Number(asked.query.limit ?? 10)})`
    return `${withMoves(asked, last)} select s.id, s.name, s.completed_at, p.kind, p.n, p.h
      from s left join ${PARTS_SQL} p on p.own = s.id order by s.completed_at, s.id`
  },
  answer(rows) {
    const names = [...new Set(rows.map(([sprint]) => sprint as string))]
    return names.map(sprint => {
      const own = rows.filter(([id]) => id === sprint)
      const { start, done } = partsOf(own.map(([, , , kind, n, h]) => [kind, n, h]))
      const [, name, completed_at] = own[0]!
      return { sprint, name, completed_at, committed: start, completed: done }
    })
  },
  response: z.array(
    object({
      sprint: id('sprint'),
      name: text(255),
      completed_at: sprints.row.shape.completed_at.unwrap(),
      committed: part,
      completed: part,
    }),
  ),
}
