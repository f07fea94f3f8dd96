/** `GET /kctr/projects/:id/plan`: when the tasks of a project can and must be done, by dependencies and by people. */
import { z } from 'zod'
import { criticalPath } from '../../domain/center/plan/critical-path.ts'
import { levelled } from '../../domain/center/plan/levelling.ts'
import type { LinkKind, Network } from '../../domain/center/plan/network.ts'
import { LEFT, type Stage } from '../../domain/center/workflow/built-in.ts'
import type { Parameter } from '../../domain/kernel/route.ts'
import { boolean, date, id, integer, object, oneOf, text } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { projects } from '../../projections/center/projects.ts'
import { taskDependencies } from '../../projections/center/task-dependencies.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, invalidParameter, whole } from '../parameters.ts'
import { type Asked, dayWithin, type Question } from './question.ts'

/** Tasks of one plan, those of other projects that it waits for included. */
const TASKS_MAX = 20_000
/** Plans are made of whole hundredths of an hour, so that sums are exact. */
const UNITS = 100
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

/** What a plan needs of a task. */
type Task = readonly [
  id: string,
  name: string,
  project: string | null,
  assignee: string | null,
  estimate: number | null,
  minutes: number,
  stage: Stage,
]
const COLUMNS = 't.id, t.name, t.project, t.assignee, t.estimated_hours, t.minutes, t.stage'
type Link = readonly [task: string, dependency: string, kind: LinkKind, lag: number]
const LINK = 'd.task, d.dependency, d.type, d.lag'
/** The one row of the statement: JSON is read faster than thousands of rows. */
type Found = readonly [startsOn: string | null, tasks: readonly Task[] | null, links: readonly Link[] | null]

const ORG = ['org', '$2'] as const
const dependenciesOf = (some: Asked['some'], task: string) => some(taskDependencies, [ORG, ['task', task]])

export const planQuestion: Question = {
  path: '/kctr/projects/:id/plan',
  operationId: 'getProjectPlan',
  summary:
    'When the tasks of a project can and must be done: critical path and slack, by their estimates and dependencies, ' +
    'those of other projects included and cancelled ones left out.',
  permission: 'center.tasks.read',
  parameters,
  of: [tasks, taskDependencies],
  within: projects,
  sql({ put, rows, some, row, params }) {
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
        (select json_agg(json_build_array(${COLUMNS}) order by t.id) from own t) as tasks,
        (select json_agg(json_build_array(${LINK})) from links d) as links`
  },
  answer([row], { query, params, today }) {
    const [startsOn, tasks, links] = row as unknown as Found
    const found = tasks ?? []
    if (found.length > TASKS_MAX) throw invalidParameter('id', `is of a project of more than ${TASKS_MAX} tasks`)
    if (query.level === 'true' && found.length > LEVELLED_MAX)
      throw invalidParameter('level', `is for plans of at most ${LEVELLED_MAX} tasks; this one has ${found.length}`)
    const network: Network = {
      durations: found.map(task => unitsOf(task, query.left === 'true')),
      links: linksBetween(found, links ?? []),
    }
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
  },
  response,
}

/** The dependencies between tasks of the plan: others are of tasks that were cancelled. */
function linksBetween(tasks: readonly Task[], links: readonly Link[]): Network['links'] {
  const places = new Map(tasks.map(([id], at) => [id, at]))
  return links.flatMap(([task, dependency, kind, lag]) => {
    const [to, from] = [places.get(task), places.get(dependency)]
    return to === undefined || from === undefined ? [] : [{ from, to, kind, lag: Math.round(lag * UNITS) }]
  })
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
