import { messages } from '../../domain/center/keyresult/messages.ts'
import { number } from '../../domain/record/measures.ts'
import { rowsWith } from '../rows/as-of.ts'
import type { Computed } from '../rows/projection.ts'
import { recordModel } from '../rows/record-model.ts'
import { latestOf, measurements } from './measurements.ts'

const currentOf = (row: string, then: string | undefined) =>
  `coalesce(${latestOf(`${row}.metric`, then)}, ${row}.value)`

/**
 * Null where nothing was measured: `least` and `greatest` would make a bound of that. `offset 0` keeps PostgreSQL from
 * looking for the last value as often as it is named.
 */
const progressOf = (row: string, then: string | undefined) => `(
  select round(least(1, greatest(0, done.share))::numeric, 4)::float8
  from (select (${currentOf(row, then)} - ${row}.start) / nullif(${row}.target - ${row}.start, 0) as share
    offset 0) done
  where done.share is not null)`

const progress = number(0, 1).optional().meta({ description: 'from 0 to 1; absent where nothing was measured' })

/** One row per key result. */
export const keyResults = recordModel(messages, {
  service: 'center',
  filters: ['objective', 'metric', 'projects'],
  groups: ['objective'],
  versionLookups: ['objective'],
  computed: {
    current: {
      schema: number(-1e15, 1e15).optional().meta({ description: 'the last value of the metric, or `value`' }),
      of: [measurements],
      isDaily: false,
      sql: (row, _, then) => currentOf(row, then),
    },
    progress: { schema: progress, of: [measurements], isDaily: false, sql: (row, _, then) => progressOf(row, then) },
  },
})

/** SQL of the mean progress of the key results of an objective, by SQL of its id; those without one count as zero. */
export const meanProgress = (objective: string, then: string | undefined): string =>
  `(select round(avg(coalesce(${progressOf('k', then)}, 0))::numeric, 4)::float8
    from ${rowsWith(keyResults, ['objective', objective], then)} k where k.org = $2 and k.objective = ${objective})`

/** The column of the progress of an objective. */
export const objectiveProgress: Computed = {
  schema: progress,
  of: [keyResults, measurements],
  isDaily: false,
  sql: (row, _, then) => meanProgress(`${row}.id`, then),
}
