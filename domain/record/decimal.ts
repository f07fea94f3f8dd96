import { z } from 'zod'
import { column } from '../kernel/schema.ts'

const FORM = /^(?=.*[1-9])(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?$/
const WORDS = 'a decimal above zero, as 1.0887: at most 20 digits before the point and 18 behind it'

/** A rate, a price or a share: a decimal that stays text, because a number of the language would round it. */
export const positiveDecimal = column(
  z
    .string()
    .refine(value => FORM.test(value), `must be ${WORDS}`)
    .meta({
      minLength: 1,
      maxLength: 39,
      pattern: '^(0|[1-9][0-9]{0,19})(\\.[0-9]{1,18})?$',
      description: WORDS,
      examples: ['1.0887'],
    }),
  'text',
)
