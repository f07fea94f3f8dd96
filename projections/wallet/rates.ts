import type { z } from 'zod'
import { currency, date, id, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { positiveDecimal } from '../../domain/record/decimal.ts'
import { events } from '../../domain/wallet/ratetable/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { rateTables } from './rate-tables.ts'

const row = object({
  org: id('org'),
  source: id('rate table'),
  base: currency,
  quote: currency,
  day: date,
  position: unsigned64,
  rate: positiveDecimal
    .optional()
    .meta({ description: 'what one unit of `base` costs in `quote`; absent where the rate of the day was withdrawn' }),
  valid_until: date.meta({ description: 'the last day that it counts for while there is no later one' }),
  recorded_by: text(128),
  recorded_at: timestamp,
})

/** The day that comes so many days after another; the calendar ends with the year 9999. */
function dayAfter(day: string, days: number): string {
  const later = new Date(Date.parse(`${day}T00:00:00.000Z`) + days * 86_400_000).toISOString()
  return later.startsWith('+') ? '9999-12-31' : later.slice(0, 10)
}

const on: Handlers<z.output<typeof row>, typeof events> = {
  RateTableOpened: null,
  RateTableChanged: null,
  RatesRecorded: {
    append: ({ data: { rates, validDays }, metadata: { org, id, at, actor }, position }) =>
      rates.map(rate => ({
        org,
        source: id,
        ...rate,
        position,
        valid_until: dayAfter(rate.day, validDays),
        recorded_by: actor.subject,
        recorded_at: at,
      })),
  },
  RatesWithdrawn: {
    append: ({ data: { rates }, metadata: { org, id, at, actor }, position }) =>
      rates.map(rated => ({
        org,
        source: id,
        ...rated,
        position,
        valid_until: rated.day,
        recorded_by: actor.subject,
        recorded_at: at,
      })),
  },
}

/** One row per rate that was recorded; of a pair and a day the last one counts, the others are its history. */
export const rates = projection({
  name: 'rates',
  service: 'wallet',
  version: 2,
  history: false,
  of: { ratetable: events },
  row,
  key: ['org', 'source', 'base', 'quote', 'day', 'position'],
  on,
  reads: [
    {
      one: 'rate',
      many: 'rates',
      path: '/rate-tables/:id/rates',
      permission: 'rates.read',
      parents: { id: 'source' },
      within: rateTables,
      names: [],
      order: ['base', 'quote', 'day', 'position'],
      filters: ['base', 'quote', 'day'],
      groups: ['base', 'quote', 'day'],
      summary: { list: 'The rates of a rate table, those that were replaced or withdrawn too.' },
    },
  ],
})
