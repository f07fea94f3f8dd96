import { messages } from '../../domain/center/measurement/messages.ts'
import { rowsWith } from '../rows/as-of.ts'
import { recordModel } from '../rows/record-model.ts'

/** One row per measurement. */
export const measurements = recordModel(messages, {
  service: 'center',
  filters: ['metric', 'measured_at'],
  groups: ['metric', 'measured_at'],
  // The last value of a metric is found without its others.
  indexes: [['org', 'metric', 'measured_at', 'id']],
  versionLookups: ['metric'],
})

/** SQL of the last measured value of a metric, or of when that was, by SQL of the id of the metric. */
export const latestOf = (metric: string, then: string | undefined, column: 'value' | 'measured_at' = 'value'): string =>
  `(select m.${column} from ${rowsWith(measurements, ['metric', metric], then)} m
    where m.org = $2 and m.metric = ${metric} order by m.measured_at desc, m.id desc limit 1)`
