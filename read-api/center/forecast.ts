/** `GET /kctr/forecast`: when what is left will be done, by what was done before. */
import { z } from 'zod'
import {
  DAYS_MAX,
  daysAt,
  daysUntilDone,
  LEARNT_DAYS,
  type Learnt,
  percentileOf,
  stretchOf,
  triedBefore,
} from '../../domain/center/plan/forecast.ts'
import { date, integer, object } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, whole } from '../parameters.ts'
import { isAsked, ofTasks } from './of-tasks.ts'
import { type Asked, dayAfter, dayParameter, dayWithin, type Question } from './question.ts'

const RUNS = 5_000
const PERCENTILES = [50, 70, 85, 95]
/** Days before today that are drawn from: longer ago, teams were others (docs/center.md says how well that holds). */
const HISTORY_DAYS = 60

const count = integer(0, 2 ** 31 - 1)

export const forecastQuestion: Question = {
  path: '/kctr/forecast',
  operationId: 'getForecast',
  summary:
    'The day by which the tasks that are left are done with a probability of `percentile`, by a simulation over what ' +
    'was completed on each of the last days, corrected by how often such forecasts held on earlier days.',
  permission: 'center.tasks.read',
  parameters: [
    ...ofTasks,
    dayParameter,
    inQuery('percentile', whole(1, 99), 'how sure the day is, in percent; 85 if left out'),
    inQuery('left', whole(1, 1_000_000), 'tasks that are left: those to do and in work, if left out'),
    inQuery('history', whole(7, 3_650), `days before today that are drawn from; ${HISTORY_DAYS} if left out`),
    inQuery('seed', whole(0, 4_294_967_295), 'the same seed gives the same answer; 1 if left out'),
  ],
  of: [tasks],
  sql(asked) {
    const condition = isAsked(asked, 't')
    const first = asked.put(dayAfter(asked.today, -historyOf(asked) - LEARNT_DAYS))
    return `select 'left' as kind, null as day, count(*)::int as n from ${asked.rows(tasks)} t
        where t.stage in ('todo', 'doing') and ${condition}
      union all select 'done', left(t.completed_at, 10), count(*)::int from ${asked.rows(tasks)} t
        where t.completed_at >= ${first} and t.completed_at < ${asked.put(asked.today)} and ${condition} group by 2`
  },
  answer(rows, asked) {
    const { query, today } = asked
    const done = new Map(rows.filter(([kind]) => kind === 'done').map(([, day, n]) => [String(day), Number(n)]))
    const history = historyOf(asked)
    const all = Array.from({ length: history + LEARNT_DAYS }, (_, at) => {
      return done.get(dayAfter(today, at - history - LEARNT_DAYS)) ?? 0
    })
    const daily = all.slice(LEARNT_DAYS)
    const open = Number(rows.find(([kind]) => kind === 'left')![2])
    const left = Number(query.left ?? open)
    const days = daysUntilDone({ daily, left, runs: RUNS, seed: Number(query.seed ?? 1) })
    // Days before the first completion say nothing: the team was not there yet.
    const learnt = triedBefore(
      all.slice(
        Math.max(
          0,
          all.findIndex(n => n > 0),
        ),
      ),
      { left, history },
    )
    const percentile = Number(query.percentile ?? 85)
    const values = daysOf(days, learnt, [...PERCENTILES, percentile])
    const on = (percent: number) => {
      const value = values.get(percent)
      if (value === undefined) return {}
      const day = dayWithin(today, Math.max(0, value - 1))
      return { days: value, ...(day && { on: day }) }
    }
    return {
      left,
      percentile,
      ...on(percentile),
      throughput: Math.round((daily.reduce((sum, n) => sum + n, 0) / history) * 1000) / 1000,
      history,
      learnt_from: learnt.tried.length,
      percentiles: PERCENTILES.map(percent => ({ percentile: percent, ...on(percent) })),
    }
  },
  response: object({
    left: count,
    percentile: integer(1, 99),
    days: count.optional().meta({
      description: `absent where none was completed on the days that are drawn from, and for ${DAYS_MAX} days or more`,
    }),
    on: date.optional(),
    throughput: number(0, 1e9).meta({ description: 'tasks completed on a day, on average' }),
    history: integer(7, 3_650),
    learnt_from: integer(0, LEARNT_DAYS).meta({
      description: 'forecasts of as many tasks for earlier days, by which the days were made longer or shorter',
    }),
    percentiles: z.array(object({ percentile: integer(1, 99), days: count.optional(), on: date.optional() })),
  }).meta({ title: 'Forecast' }),
}

/** The days of each percentile, as forecasts held before; none where a run was given up. A surer day is no sooner. */
function daysOf(days: readonly number[] | undefined, learnt: Learnt, percents: readonly number[]) {
  const found = new Map<number, number>()
  let least = 0
  for (const percent of days ? percents.toSorted((a, b) => a - b) : []) {
    if (percentileOf(days!, percent) >= DAYS_MAX) break
    least = Math.max(least, daysAt(days!, percent, stretchOf(learnt, percent)))
    if (least < DAYS_MAX) found.set(percent, least)
  }
  return found
}

const historyOf = ({ query }: Asked) => Number(query.history ?? HISTORY_DAYS)
