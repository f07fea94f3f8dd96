import { messages } from '../../domain/center/measurement/messages.ts'
import { tableAsOf } from '../rows/as-of.ts'
import type { AnyProjection } from '../rows/projection.ts'
import { recordModel } from '../rows/record-model.ts'
import { tableOf } from '../rows/tables.ts'

/** One row per measurement. */
export const measurements = recordModel(messages, {
  service: 'center',
  filters: ['metric', 'measured_at'],
  groups: ['metric', 'measured_at'],
})

/** SQL of the rows of a read model of an org, as they stand or stood. */
export const rowsOf = (model: AnyProjection, then: string | undefined): string =>
  then === undefined ? tableOf(model) : tableAsOf(model, [['org', '$2']], then)

/** SQL of the last measured value of a metric, by SQL of its org and id. */
export const latestOf = (org: string, metric: string, then: string | undefined): string =>
  `(select m.value from ${rowsOf(measurements, then)} m where m.org = ${org} and m.metric = ${metric}
    order by m.measured_at desc, m.id desc limit 1)`
