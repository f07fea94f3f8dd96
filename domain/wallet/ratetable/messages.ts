/** The rate table's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { currency, date, id, integer, list, object, text } from '../../kernel/schema.ts'
import { positiveDecimal } from '../../record/decimal.ts'
import { reason } from '../../record/reason.ts'

/** Rates of one command. */
const RATES_MAX = 1000

const title = text(200).meta({ description: 'what people call the source: European Central Bank' })
const validDays = integer(0, 3660).meta({
  description: 'for how many days after its own a rate counts while there is no later one: weekends need two or more',
})
const rated = { day: date, base: currency, quote: currency }
const rate = object({
  ...rated,
  rate: positiveDecimal.meta({
    description:
      'what one unit of `base` costs in `quote`, as 1.0887: at most 20 digits before the point, 18 behind it',
  }),
}).meta({ title: 'Rate' })

export const events = {
  RateTableOpened: object({ title: title.optional(), validDays }),
  RateTableChanged: object({ title: title.nullable().optional(), validDays: validDays.optional() }),
  /** `validDays` is that of the table then: a later change of it leaves these rates as they are. */
  RatesRecorded: object({ rates: list(rate, RATES_MAX, 1), validDays }),
  /** These days have no rate of these pairs any more: the day before counts. */
  RatesWithdrawn: object({ rates: list(object(rated), RATES_MAX, 1), reason: reason.optional() }),
} as const

export const commands = {
  open: object({
    id: id('rate table').optional(),
    title: title.optional(),
    valid_days: validDays.default(7),
  }).meta({ examples: [{ id: 'ecb', title: 'European Central Bank', valid_days: 7 }] }),
  change: object({ title: title.nullable().optional(), valid_days: validDays.optional() }).meta({
    examples: [{ title: 'European Central Bank, reference rates' }],
  }),
  record: object({ rates: list(rate, RATES_MAX, 1) }).meta({
    examples: [
      {
        rates: [
          { day: '2015-12-31', base: 'EUR', quote: 'USD', rate: '1.0887' },
          { day: '2015-12-31', base: 'EUR', quote: 'JPY', rate: '131.07' },
        ],
      },
    ],
  }),
  withdraw: object({ ...rated, reason: reason.optional() }).meta({
    examples: [{ day: '2015-12-31', base: 'EUR', quote: 'JPY', reason: 'Two digits were swapped' }],
  }),
} as const

export const rejections = [
  'rate_table_already_open',
  'rate_of_itself',
  'rate_recorded_twice',
  'rate_not_recorded',
] as const
