/** `GET /kctr/projects/:id/plan`: when the tasks of a project can and must be done, by dependencies and by people. */
import { z } from 'zod'
import { criticalPath } from '../../domain/center/plan/critical-path.ts'
import { levelled } from '../../domain/center/plan/levelling.ts'
import type { Network } from '../../domain/center/plan/network.ts'
import { LEFT } from '../../domain/center/workflow/built-in.ts'
import type { Parameter } from '../../domain/kernel/route.ts'
import { boolean, date, id, integer, object, oneOf, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { projects } from '../../projections/center/projects.ts'
import { taskDependencies } from '../../projections/center/task-dependencies.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { inQuery, invalidParameter, whole } from '../parameters.ts'
import { type Dependency, Networks, SINCE_MAX, type Since, type Task, type Tasks, tasksOf, UNITS } from './networks.ts'
import { type Asked, dayWithin, type Question } from './question.ts'

/** Tasks of one plan, those of other projects that it waits for included. */
const TASKS_MAX = 20_000
const TRIES = 50
/** Tasks of a levelled plan, and how long it is looked for: some tenths of a second, while nothing else is answered. */
const LEVELLED_MAX = 2_000
const STEPS_MAX = 500_000

const parameters: readonly Parameter[] = [
  inQuery('left', z.enum(['true', 'false']), '`true`: what is done takes no time, and what was worked is taken off'),
  inQuery('level', z.enum(['true', 'false']), '`true`: everybody does one task at a time; see `planned_start`'),
  inQuery('seed', whole(0, 4_294_967_295), 'another one may find another plan of the same quality'),
  inQuery('from', date, 'the first day: that of the project, or today, if left out'),
  inQuery('hours_per_day', whole(1, 24), 'hours of work in a day, for the days of the answer; 8 if left out'),
]

const hours = number(0, 1e12).meta({ description: 'hours of work from the start' })
const day = date.optional().meta({ description: 'absent where it lies behind the year 9999' })
const response = object({
  project: id('project'),
  length: hours,
  level_length: hours.optional(),
  from: date,
  to: day,
  tasks: z.array(
    object({
      task: id('task'),
      name: text(500),
      project: id('project').optional(),
      assignee: text(128).optional(),
      hours,
      earliest_start: hours,
      earliest_finish: hours,
      latest_start: hours,
      latest_finish: hours,
      slack: hours,
      is_critical: boolean,
      planned_start: hours.optional(),
      starts_on: day,
      ends_on: day,
    }),
  ),
  dependencies: integer(0, 1_000_000),
  status: oneOf('whole', 'without_estimates').meta({ description: 'whether every task that is left has an estimate' }),
}).meta({ title: 'ProjectPlan' })

const COLUMNS = 't.id, t.name, t.project, t.assignee, t.estimated_hours, t.minutes, t.stage'
const LINK = 'd.task, d.dependency, d.type, d.lag'
/** The one row of each statement: JSON is read faster than thousands of rows. */
type Found = readonly [
  startsOn: string | null,
  tables: string,
  tasks: readonly Task[] | null,
  dependencies: readonly Dependency[] | null,
]
type FoundSince = readonly [
  startsOn: string | null,
  tables: string,
  events: number,
  since: readonly Since[] | null,
  changed: readonly Task[] | null,
]

/** What says that a table is the one of before: a rebuild makes another one. */
const TABLES_SQL = `concat_ws(' ', ${[tasks, taskDependencies]
  .map(model => `pg_relation_filenode('${tableOf(model)}')`)
  .join(', ')})`

const ORG = ['org', '$2'] as const
const dependenciesOf = (some: Asked['some'], task: string) => some(taskDependencies, [ORG, ['task', task]])

/** The question of plans, which keeps what it read: of a project that is planned again it reads what changed. */
export function planQuestion(): Question {
  const networks = new Networks()
  return {
    path: '/kctr/projects/:id/plan',
    operationId: 'getProjectPlan',
    summary:
      'When the tasks of a project can and must be done: critical path and slack, by their estimates and ' +
      'dependencies, those of other projects included and cancelled ones left out.',
    permission: 'center.tasks.read',
    parameters,
    of: [tasks, taskDependencies],
    within: projects,
    sql: wholeSql,
    answer([row], asked, position) {
      const [startsOn, tables, found, dependencies] = row as unknown as Found
      const network = tasksOf(found ?? [], dependencies ?? [])
      const { org, params } = asked
      if (network.tasks.length > TASKS_MAX)
        throw invalidParameter('id', `is of a project of more than ${TASKS_MAX} tasks`)
      if (!asked.isOfThePast) networks.keep(org, params.id!, { ...network, position, tables })
      return planOf(network, startsOn, asked)
    },
    short: {
      sql(asked) {
        const known = networks.knownTo(asked.org, asked.params.id!)
        return known === undefined ? undefined : sinceSql(asked, known)
      },
      answer([row], asked, position) {
        const [startsOn, tables, events, since, changed] = row as unknown as FoundSince
        if (events > SINCE_MAX) return undefined
        const now = { position, tables, since: since ?? [], changed: changed ?? [] }
        const network = networks.since(asked.org, asked.params.id!, now)
        return network && planOf(network, startsOn, asked)
      },
    },
    response,
  }
}

function wholeSql({ put, rows, some, row, params }: Asked): string {
  const project = put(params.id)
  const isBeyond = (task: string) => `not exists (select from seed s where s.id = ${task})`
  return `with recursive seed as materialized (
        select ${COLUMNS} from ${rows(tasks)} t where t.project = ${project}
          and t.stage <> 'cancelled' limit ${TASKS_MAX + 1}
      ), direct as materialized (
        select ${LINK} from seed s cross join lateral ${dependenciesOf(some, 's.id')} d
      ), beyond as (
        select d.dependency as id from direct d where ${isBeyond('d.dependency')}
        union select d.dependency from beyond b cross join lateral ${dependenciesOf(some, 'b.id')} d
          where ${isBeyond('d.dependency')}
      ), links as (
        select * from direct
        union all select ${LINK} from beyond b cross join lateral ${dependenciesOf(some, 'b.id')} d
      ), own as (
        select * from seed
        union all (select ${COLUMNS} from beyond b cross join lateral ${row(tasks, [ORG, ['id', 'b.id']])} t
          where t.stage <> 'cancelled' limit ${TASKS_MAX + 1}))
      select (select p.starts_on from ${rows(projects)} p where p.id = ${project}) as starts_on,
        ${TABLES_SQL} as tables,
        (select json_agg(json_build_array(${COLUMNS}) order by t.id) from own t) as tasks,
        (select json_agg(json_build_array(${LINK})) from links d) as links`
}

/** SQL of what events after a position say of tasks and dependencies, and of the tasks that they are about. */
const sinceSql = ({ put, rows, row, params }: Asked, known: bigint): string =>
  `with events as materialized (
      select e.category, e.id, e.data from ${tableOf(auditLog)} e
      where e.org = $2 and e.position > ${put(known)}::bigint order by e.position limit ${SINCE_MAX + 1}
    ), since as materialized (
      select e.category, e.id, case when e.category = 'taskgraph' then e.data ->> 'task' end as task from events e
      where e.category in ('task', 'taskgraph'))
    select (select p.starts_on from ${rows(projects)} p where p.id = ${put(params.id)}) as starts_on,
      ${TABLES_SQL} as tables,
      (select count(*)::int from events) as events,
      (select json_agg(json_build_array(s.category, s.id, s.task)) from since s) as since,
      (select json_agg(json_build_array(${COLUMNS}))
        from (select distinct s.id from since s where s.category = 'task') c
        cross join lateral ${row(tasks, [ORG, ['id', 'c.id']])} t) as changed`

function planOf({ tasks: found, links }: Tasks, startsOn: string | null, { query, params, today }: Asked) {
  if (query.level === 'true' && found.length > LEVELLED_MAX)
    throw invalidParameter('level', `is for plans of at most ${LEVELLED_MAX} tasks; this one has ${found.length}`)
  const network: Network = { durations: found.map(task => unitsOf(task, query.left === 'true')), links }
  const { length, earliest, latest, slack } = criticalPath(network)
  const level = query.level === 'true' ? byPeople(network, found, Number(query.seed ?? 1)) : undefined
  const starts = level?.starts ?? earliest
  const from = query.from ?? startsOn ?? today
  const dayAt = daysFrom(from, Number(query.hours_per_day ?? 8))
  return {
    project: params.id!,
    length: length / UNITS,
    level_length: level && level.length / UNITS,
    from,
    to: dayAt(Math.max(0, (level?.length ?? length) - 1)),
    tasks: found.map(([task, name, project, assignee], at) => {
      const units = network.durations[at]!
      return {
        task,
        name,
        project: project ?? undefined,
        assignee: assignee ?? undefined,
        hours: units / UNITS,
        earliest_start: earliest[at]! / UNITS,
        earliest_finish: (earliest[at]! + units) / UNITS,
        latest_start: latest[at]! / UNITS,
        latest_finish: (latest[at]! + units) / UNITS,
        slack: slack[at]! / UNITS,
        is_critical: slack[at] === 0,
        planned_start: level && level.starts[at]! / UNITS,
        starts_on: dayAt(starts[at]!),
        ends_on: dayAt(Math.max(starts[at]!, starts[at]! + units - 1)),
      }
    }),
    dependencies: network.links.length,
    status: found.some(task => task[4] === null && LEFT.includes(task[6])) ? 'without_estimates' : 'whole',
  }
}

/** What a task takes, in hundredths of an hour. */
function unitsOf([, , , , estimate, minutes, stage]: Task, left: boolean): number {
  const whole = Math.round((estimate ?? 0) * UNITS)
  if (!left) return whole
  return stage === 'done' ? 0 : Math.max(0, whole - Math.round((minutes / 60) * UNITS))
}

/** The day of a time in a plan: each day is worked out once. */
function daysFrom(from: string, hours: number): (at: number) => string | undefined {
  const known = new Map<number, string | undefined>()
  return at => {
    const days = Math.floor(at / UNITS / hours)
    if (!known.has(days)) known.set(days, workday(from, days))
    return known.get(days)
  }
}

/** The plan in which everybody does one task at a time. */
function byPeople(network: Network, rows: readonly Task[], seed: number) {
  const people = new Map<string, number>()
  for (const [, , , name] of rows) if (name !== null && !people.has(name)) people.set(name, people.size)
  const needs = rows.map(([, , , name]) => (name === null ? [] : [[people.get(name)!, 1] as const]))
  // A plan is answered at once: large ones are made of fewer tries.
  const tries = Math.min(TRIES, Math.floor(20_000 / Math.max(1, rows.length)))
  const capacities = Array.from(people, () => 1)
  return levelled({ ...network, needs, capacities }, { tries, seed, steps: STEPS_MAX })
}

/**
 * The working day, Monday to Friday, that lies so many working days after the first one on or behind a day; `undefined`
 * behind the year 9999.
 */
function workday(from: string, days: number): string | undefined {
  const weekday = (new Date(from).getUTCDay() + 6) % 7
  const first = Math.min(weekday, 5) + days
  return dayWithin(from, Math.floor(first / 5) * 7 + (first % 5) - weekday)
}
