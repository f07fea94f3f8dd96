import { list, oneOf, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** Who offers something on the exchange, in their own words; what others say of them are their ratings. */
export const messages = recordMessages({
  one: 'vendor',
  many: 'vendors',
  fields: {
    name: text(255),
    party: text(128).meta({ description: 'the subject, as orders, ratings and reviews have it' }),
    about: text(10_000).optional(),
    categories: list(text(64), 50).default([]),
    location: text(255).optional(),
    website: text(2_000).optional(),
    status: oneOf('open', 'away').default('open'),
  },
  example: { name: 'Okonjo Illustration', party: 'mira', categories: ['illustration'], location: 'Rotterdam' },
})
