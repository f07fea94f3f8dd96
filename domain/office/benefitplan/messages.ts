import { boolean, column, integer, object, oneOf, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

const vesting = column(
  object({
    cliff_months: integer(0, 600).meta({ description: 'whole months before which nothing is theirs' }),
    months: integer(1, 600).meta({ description: 'whole months after which all is theirs' }),
  }),
  'jsonb',
)

/** A plan of benefits: health, retirement or insurance. */
export const messages = recordMessages({
  one: 'benefit plan',
  many: 'benefit plans',
  fields: {
    name: text(255),
    kind: oneOf('health', 'retirement', 'insurance'),
    provider: text(255).optional(),
    terms: text(20_000).optional(),
    vesting: vesting.optional().meta({ description: 'when what the employer gives is theirs: at once, without it' }),
    portable: boolean.default(true).meta({ description: 'whether who leaves takes along what is theirs' }),
  },
  example: { name: 'Pension', kind: 'retirement', provider: 'Harbour', vesting: { cliff_months: 12, months: 48 } },
})
