import { messages } from '../../domain/center/measurement/messages.ts'
import { rowAsOf } from '../rows/as-of.ts'
import { recordModel } from '../rows/record-model.ts'
import { historyTableOf, tableOf } from '../rows/tables.ts'

/** One row per measurement. */
export const measurements = recordModel(messages, {
  service: 'center',
  filters: ['metric', 'measured_at'],
  groups: ['metric', 'measured_at'],
  // The last value of a metric is found without its others.
  indexes: [['org', 'metric', 'measured_at', 'id']],
  versionLookups: ['metric'],
})

/** SQL of the last measured value of a metric, or of when that was, by SQL of its org and id. */
export const latestOf = (
  org: string,
  metric: string,
  then: string | undefined,
  column: 'value' | 'measured_at' = 'value',
): string =>
  `(select m.${column} from ${then === undefined ? tableOf(measurements) : everOf(org, metric, then)} m
    where m.org = ${org} and m.metric = ${metric} order by m.measured_at desc, m.id desc limit 1)`

/** A measurement may move to another metric: those that were ever of this one, as they stood then. */
const everOf = (org: string, metric: string, then: string): string => {
  const key = [
    ['org', org],
    ['id', 'e.id'],
  ] as const
  return `(select v.* from (select distinct h.id from ${historyTableOf(measurements)} h
      where h.org = ${org} and h.metric = ${metric}) e cross join lateral ${rowAsOf(measurements, key, then)} v)`
}
