import { column, integer, list, object, refined, text } from '../../kernel/schema.ts'
import { recordMessages } from '../../record/record.ts'

const DIMENSIONS_MAX = 50
const WORDS_MAX = 50

const weight = integer(0, 100)
const pole = list(text(64), WORDS_MAX, 1)

/** How an organization searches its memories: what each leg counts, and the dimensions that texts have places on. */
export const messages = recordMessages({
  one: 'search profile',
  many: 'search profiles',
  fields: {
    name: text(100),
    weights: column(
      refined(
        object({ lexical: weight, neural: weight, conceptual: weight, knowledge: weight }),
        weights => Object.values(weights).some(each => each > 0),
        'must have a leg that counts',
      ),
      'jsonb',
    )
      .optional()
      .meta({ description: 'what each leg counts in hybrid searches: their proportions alone matter' }),
    dimensions: list(object({ name: text(64), low: pole, high: pole }), DIMENSIONS_MAX, 1)
      .optional()
      .meta({ description: 'in place of the built-in dimensions: each between two poles, which words stand for' }),
  },
  example: {
    name: 'By meaning',
    weights: { lexical: 40, neural: 50, conceptual: 5, knowledge: 5 },
    dimensions: [{ name: 'noise', low: ['quiet', 'silent'], high: ['loud', 'noisy'] }],
  },
})
