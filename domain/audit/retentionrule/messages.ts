import { integer, oneOf, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

/** The categories of things that an erasure destroys data of: those with sealed personal data, and files. */
export const RETAINED = [
  'wallet',
  'note',
  'inbox',
  'webhook',
  'memory',
  'user',
  'file',
  'contact',
  'office',
  'calendarevent',
] as const

/** For how long the personal data in things of one category is kept. */
export const messages = recordMessages({
  one: 'retention rule',
  many: 'retention rules',
  fields: {
    category: oneOf(...RETAINED).meta({ description: 'the kind of things that hold the data' }),
    days: integer(1, 36_500).meta({
      description: 'days for which it is kept after the last data of the person in such things',
    }),
    basis: text(1000).meta({ description: 'why for so long: the law, the contract, or the purpose' }),
  },
  example: { category: 'note', days: 3_650, basis: 'Article 5 (1) (e) of the GDPR; records of the office, ten years.' },
})
