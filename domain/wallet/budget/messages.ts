/** The budget's storage and wire contract: add, never rename; change a shape with an upcaster. */
import {
  currency,
  date,
  integer,
  minorUnits,
  object,
  oneOf,
  positiveMinorUnits,
  ref,
  text,
} from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'
import { subjectName } from '../../record/subject.ts'
import { PERIODS } from './periods.ts'

export const messages = recordMessages({
  one: 'budget',
  many: 'budgets',
  fields: {
    title: text(200),
    currency,
    amount: positiveMinorUnits.meta({ description: 'what may be spent in each period, in minor units' }),
    places: integer(0, 18)
      .meta({ description: 'decimal places of `amount`: those of ISO 4217 if left out, and none where it has none' })
      .optional(),
    period: oneOf(...PERIODS).meta({ description: '`once` is the whole time from `starts_on` to `ends_on`' }),
    starts_on: date.meta({ description: 'first day that it counts' }).optional(),
    ends_on: date.meta({ description: 'last day that it counts' }).optional(),
    wallet: ref('wallet').meta({ description: 'only entries of this wallet' }).optional(),
    project: ref('project').meta({ description: 'only entries for this project' }).optional(),
    tag: text(64).meta({ description: 'only entries with this tag' }).optional(),
    counterparty: text(255).meta({ description: 'only entries with this counterparty' }).optional(),
  },
  example: { title: 'Paper and paint', currency: 'EUR', amount: '20000', period: 'month', tag: 'material' },
})

/** A period of it, and what was spent in that, in a unit of `places` decimal places. */
const passed = { from: date, to: date, currency, places: integer(0, 30), amount: minorUnits, actual: minorUnits }

export const events = {
  ...messages.events,
  /** More was spent in a period than may be: said once for each period. */
  BudgetPassed: object({ ...passed, owner: subjectName }),
}

export const notePassed = object(passed)
