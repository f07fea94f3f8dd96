import type { z } from 'zod'
import { currency, date, id, object } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/ratetable/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'

const row = object({
  org: id('org'),
  source: id('rate table'),
  base: currency,
  quote: currency,
  first_day: date,
  last_day: date,
})
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  RateTableOpened: null,
  RateTableChanged: null,
  RatesRecorded: {
    keys: ({ data: { rates }, metadata: { org, id } }) =>
      rates.map(({ base, quote }) => ({ org, source: id, base, quote })),
    fold(row, { data: { rates }, metadata: { org, id } }, { base, quote }) {
      const mine = rates.filter(rate => rate.base === base && rate.quote === quote).map(({ day }) => day)
      const days = [...mine, ...(row ? [row.first_day, row.last_day] : [])].sort()
      return { org, source: id, base: String(base), quote: String(quote), first_day: days[0]!, last_day: days.at(-1)! }
    },
  },
  // The days stay bounds: no rate lies outside of them.
  RatesWithdrawn: null,
}

/** One row per pair of currencies of a rate table, so that the rates of a day are looked up pair by pair. */
export const ratePairs = projection({
  name: 'rate_pairs',
  service: 'wallet',
  version: 1,
  history: false,
  of: { ratetable: events },
  row,
  key: ['org', 'source', 'base', 'quote'],
  on,
})
