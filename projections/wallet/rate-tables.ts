import type { z } from 'zod'
import { id, integer, object, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/wallet/ratetable/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const row = object({
  org: id('org'),
  id: id('rate table'),
  title: text(200).optional(),
  valid_days: integer(0, 3660).meta({
    description: 'for how many days after its own a rate counts while there is no later one',
  }),
  last_day: text(10).optional().meta({ description: 'the latest day that a rate was recorded of' }),
  rates: unsigned64.meta({ description: 'how many rates were recorded' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>

const on: Handlers<Row, typeof events> = {
  RateTableOpened: made(({ title, validDays }, at) => ({ title, valid_days: validDays, rates: 0n, opened_at: at })),
  RateTableChanged: changed(({ title, validDays }, row) => ({
    ...(title !== undefined && { title: title ?? undefined }),
    valid_days: validDays ?? row.valid_days,
  })),
  RatesRecorded: changed(({ rates }, row) => ({
    last_day: [row.last_day ?? '', ...rates.map(({ day }) => day)].sort().at(-1)!,
    rates: row.rates + BigInt(rates.length),
  })),
  RatesWithdrawn: changed(() => ({})),
}

/** One row per rate table: whose rates they are, and how far they go. */
export const rateTables = projection({
  name: 'rate_tables',
  service: 'wallet',
  version: 1,
  history: true,
  of: { ratetable: events },
  row,
  key: ['org', 'id'],
  on,
  reads: [
    {
      one: 'rate table',
      many: 'rate tables',
      path: '/rate-tables',
      permission: 'rates.read',
      names: ['id'],
      order: ['id'],
      filters: ['last_day'],
      groups: ['valid_days'],
      sums: ['rates'],
      units: { rates: null },
      summary: { list: 'The rate tables of the organization.', get: 'A rate table.' },
    },
  ],
})
