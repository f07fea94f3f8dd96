import { column, refined, text } from '../kernel/schema.ts'

const SUBJECT = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u
const WORDS = '1 to 128 characters, none of them control characters'

/** How tokens name a person (`sub`): an id that may have outer blanks, or be `.` or `..`. */
export const subjectName = column(
  refined(text(128), subject => SUBJECT.test(subject), `must be ${WORDS}`).meta({
    pattern: '^[^\\x00-\\x1f\\x7f]+$',
    description: WORDS,
  }),
  'text',
)
