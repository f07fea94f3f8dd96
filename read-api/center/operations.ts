/** The center at work: what has to be done these days, and how far each project is. */
import { z } from 'zod'
import { STAGES } from '../../domain/center/workflow/built-in.ts'
import { date, id, integer, object, oneOf, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { projects } from '../../projections/center/projects.ts'
import { risks } from '../../projections/center/risks.ts'
import { sprints } from '../../projections/center/sprints.ts'
import { taskDependencies } from '../../projections/center/task-dependencies.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, whole } from '../parameters.ts'
import { isAsked, ofTasks } from './of-tasks.ts'
import { dayAfter, dayParameter, type Question } from './question.ts'

const DAYS_AHEAD = 7
const TASKS_MAX = 100
const PROJECTS_MAX = 500

const count = integer(0, 2 ** 31 - 1)
const { shape } = tasks.row

export const operationsQuestion: Question = {
  path: '/kctr/operations',
  operationId: 'getOperations',
  summary:
    `Operations: what is in work, overdue, due today and within ${DAYS_AHEAD} days, what waits, and what is most ` +
    'urgent.',
  permission: 'center.tasks.read',
  parameters: [
    ...ofTasks,
    dayParameter,
    inQuery('limit', whole(1, TASKS_MAX), 'most urgent tasks to show; 20, if left out'),
  ],
  of: [tasks, taskDependencies],
  sql(asked) {
    const { rows, put, today, query } = asked
    const [day, week] = [put(today), put(dayAfter(today, DAYS_AHEAD))]
    const columns = 't.id, t.name, t.project, t.assignee, t.priority, t.stage, t.due_on'
    return `with open as materialized (select ${columns} from ${rows(tasks)} t
        where t.stage in ('todo', 'doing') and ${isAsked(asked, 't')}),
      waiting as (select count(*)::int as n from open o where o.stage = 'todo' and exists (
        select from ${rows(taskDependencies)} d join ${rows(tasks)} b on b.id = d.dependency
        where d.task = o.id and d.type = 'finish_start' and b.stage in ('todo', 'doing')))
      select 'counts' as kind, (count(*) filter (where stage = 'doing'))::text,
        (count(*) filter (where due_on < ${day}))::text, (count(*) filter (where due_on = ${day}))::text,
        (count(*) filter (where due_on > ${day} and due_on <= ${week}))::text,
        (count(*) filter (where assignee is null))::text, (select n from waiting)::text, count(*)::text from open
      union all (select 'task', ${columns} from open t where t.due_on <= ${week}
        order by t.due_on, t.id limit ${Number(query.limit ?? 20)})`
  },
  answer(rows, { today }) {
    const [[, doing, overdue, dueToday, dueSoon, unassigned, waiting, open] = []] = rows.filter(
      ([kind]) => kind === 'counts',
    )
    const counts = { open, doing, overdue, due_today: dueToday, due_soon: dueSoon, unassigned, waiting }
    return {
      day: today,
      ...Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, Number(value)])),
      tasks: rows
        .filter(([kind]) => kind === 'task')
        .map(([, task, name, project, assignee, priority, stage, due_on]) => ({
          task,
          name,
          ...(project !== null && { project }),
          ...(assignee !== null && { assignee }),
          ...(priority !== null && { priority }),
          stage,
          due_on,
        }))
        .toSorted((a, b) => (`${a.due_on} ${a.task}` < `${b.due_on} ${b.task}` ? -1 : 1)),
    }
  },
  response: object({
    day: date,
    open: count.meta({ description: 'tasks to do and in work' }),
    doing: count,
    overdue: count,
    due_today: count,
    due_soon: count.meta({ description: `due within ${DAYS_AHEAD} days` }),
    unassigned: count,
    waiting: count.meta({ description: 'tasks to do that wait for others to be finished' }),
    tasks: z.array(
      object({
        task: id('task'),
        name: shape.name,
        project: shape.project,
        assignee: shape.assignee,
        priority: shape.priority,
        stage: oneOf(...STAGES),
        due_on: date,
      }),
    ),
  }).meta({ title: 'Operations' }),
}

export const tacticsQuestion: Question = {
  path: '/kctr/tactics',
  operationId: 'getTactics',
  summary:
    'Tactics: of each project that has something left to do, how far its tasks and its sprint are, what is overdue, ' +
    'and its risks; the first to end comes first.',
  permission: 'center.projects.read',
  parameters: [
    inQuery('center', projects.row.shape.center.unwrap(), 'only projects of this center'),
    inQuery('team', projects.row.shape.team.unwrap(), 'only projects of this team'),
    dayParameter,
    inQuery('limit', whole(1, PROJECTS_MAX), 'most projects to answer with; 100, if left out'),
  ],
  of: [projects, tasks, sprints, risks],
  sql({ rows, put, query, today }) {
    const conditions = (['center', 'team'] as const)
      .filter(name => query[name] !== undefined)
      .map(name => ` and p."${name}" = ${put(query[name])}`)
      .join('')
    return `select p.id, p.name, p.status, p.ends_on, w.todo, w.doing, w.done, w.overdue, w.hours,
        s.id, s.name, s.end_date, r.n, r.score
      from ${rows(projects)} p
      join (select t.project, (count(*) filter (where t.stage = 'todo'))::int as todo,
          (count(*) filter (where t.stage = 'doing'))::int as doing,
          (count(*) filter (where t.stage = 'done'))::int as done,
          (count(*) filter (where t.stage in ('todo', 'doing') and t.due_on < ${put(today)}))::int as overdue,
          round(coalesce(sum(greatest(0, coalesce(t.estimated_hours, 0) - t.minutes / 60.0))
            filter (where t.stage in ('todo', 'doing')), 0)::numeric, 2)::float8 as hours
        from ${rows(tasks)} t where t.project is not null group by 1) w on w.project = p.id and w.todo + w.doing > 0
      left join lateral (select x.id, x.name, x.end_date from ${rows(sprints)} x
        where x.project = p.id and x.status = 'active' order by x.end_date, x.id limit 1) s on true
      left join (select x.project, count(*)::int as n, max(x.risk_score) as score from ${rows(risks)} x
        where x.status <> 'closed' group by 1) r on r.project = p.id
      where true${conditions} order by p.ends_on, p.id limit ${Number(query.limit ?? 100)}`
  },
  answer: rows =>
    rows.map(
      ([project, name, status, ends_on, todo, doing, done, overdue, left, sprint, called, ends, open, score]) => ({
        project,
        name,
        status,
        ...(ends_on !== null && { ends_on }),
        tasks: { todo, doing, done, overdue },
        hours_left: left,
        ...(sprint !== null && { sprint: { sprint, name: called, ends_on: ends } }),
        risks: { open: open ?? 0, ...(score !== null && { highest_score: score }) },
      }),
    ),
  response: z.array(
    object({
      project: id('project'),
      name: projects.row.shape.name,
      status: text(64),
      ends_on: date.optional(),
      tasks: object({ todo: count, doing: count, done: count, overdue: count }),
      hours_left: number(0, 1e12),
      sprint: object({ sprint: id('sprint'), name: text(255), ends_on: date }).optional(),
      risks: object({ open: count, highest_score: number(0, 10).optional() }),
    }).meta({ title: 'ProjectTactics' }),
  ),
}
