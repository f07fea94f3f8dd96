import { currency, date, integer, list, oneOf, positiveMinorUnits, ref, text } from '../../kernel/schema.ts'
import { places } from '../../record/currencies.ts'
import { recordMessages } from '../../record/record.ts'

/** What is looked for: so many units of a resource with some traits, in a time, for a rate at most. */
export const messages = recordMessages({
  one: 'resource request',
  many: 'resource requests',
  fields: {
    title: text(255),
    traits: list(text(64), 50).default([]).meta({ description: 'skills or properties that it should have' }),
    units: integer(1, 1_000_000_000).meta({ description: 'how many are needed on each day' }),
    unit: text(32).meta({ description: 'what is counted: `hours`, `seats`' }),
    from: date,
    to: date.meta({ description: 'the last day' }),
    rate_at_most: positiveMinorUnits.optional().meta({ description: 'what a unit may cost, with its currency' }),
    currency: currency.optional(),
    places: places.optional(),
    project: ref('project').optional(),
    status: oneOf('open', 'filled', 'withdrawn').default('open'),
  },
  example: {
    title: 'Someone who draws maps',
    traits: ['maps', 'ink'],
    units: 4,
    unit: 'hours',
    from: '2026-12-01',
    to: '2026-12-11',
  },
})
