/** `GET /kctr/forecast`: when what is left will be done, by what was done before. */
import { z } from 'zod'
import { DAYS_MAX, daysUntilDone, percentileOf } from '../../domain/center/plan/forecast.ts'
import { date, integer, object } from '../../domain/kernel/schema.ts'
import { number } from '../../domain/record/measures.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { inQuery, whole } from '../parameters.ts'
import { isAsked, ofTasks } from './of-tasks.ts'
import { type Asked, dayAfter, dayParameter, dayWithin, type Question } from './question.ts'

const RUNS = 5_000
/** Days before today that are drawn from: longer ago, teams were others (docs/center.md says how well that holds). */
const HISTORY_DAYS = 60

const count = integer(0, 2 ** 31 - 1)

export const forecastQuestion: Question = {
  path: '/kctr/forecast',
  operationId: 'getForecast',
  summary:
    'The day by which the tasks that are left are done with a probability of `percentile`, by a simulation over what ' +
    'was completed on each of the last days.',
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
    const first = asked.put(dayAfter(asked.today, -historyOf(asked)))
    return `select 'left' as kind, null as day, count(*)::int as n from ${asked.rows(tasks)} t
        where t.stage in ('todo', 'doing') and ${condition}
      union all select 'done', left(t.completed_at, 10), count(*)::int from ${asked.rows(tasks)} t
        where t.completed_at >= ${first} and t.completed_at < ${asked.put(asked.today)} and ${condition} group by 2`
  },
  answer(rows, asked) {
    const { query, today } = asked
    const done = new Map(rows.filter(([kind]) => kind === 'done').map(([, day, n]) => [String(day), Number(n)]))
    const history = historyOf(asked)
    const daily = Array.from({ length: history }, (_, at) => done.get(dayAfter(today, at - history)) ?? 0)
    const open = Number(rows.find(([kind]) => kind === 'left')![2])
    const left = Number(query.left ?? open)
    const days = daysUntilDone({ daily, left, runs: RUNS, seed: Number(query.seed ?? 1) })
    const percentile = Number(query.percentile ?? 85)
    const on = (percent: number) => {
      const value = days && percentileOf(days, percent)
      if (value === undefined || value >= DAYS_MAX) return {}
      const day = dayWithin(today, Math.max(0, value - 1))
      return { days: value, ...(day && { on: day }) }
    }
    return {
      left,
      percentile,
      ...on(percentile),
      throughput: Math.round((daily.reduce((sum, n) => sum + n, 0) / history) * 1000) / 1000,
      history,
      percentiles: [50, 70, 85, 95].map(percent => ({ percentile: percent, ...on(percent) })),
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
    percentiles: z.array(object({ percentile: integer(1, 99), days: count.optional(), on: date.optional() })),
  }).meta({ title: 'Forecast' }),
}

const historyOf = ({ query }: Asked) => Number(query.history ?? HISTORY_DAYS)
