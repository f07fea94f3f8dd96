/** What is wrong with a value, as a sentence goes on that begins with the name of its field. */
import type { z } from 'zod'

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
  never: 'left out',
}

const FORMS: Readonly<Record<string, string>> = {
  uuid: 'a UUID',
  guid: 'a UUID',
  url: 'a URL',
  email: 'a mail address',
  base64: 'in base64',
  base64url: 'in base64url',
  date: 'a date: YYYY-MM-DD',
  datetime: 'a UTC timestamp: YYYY-MM-DDTHH:MM:SS.sssZ',
}

/** Items of a list, characters of a text, or nothing for a number. */
const unitOf = (origin: string, count: number | bigint) => {
  if (origin === 'string') return count === 1 ? ' character' : ' characters'
  if (origin === 'array' || origin === 'set') return count === 1 ? ' item' : ' items'
  return ''
}

/** The message of an issue whose schema has none of its own; `undefined` leaves it to the library. */
function inWords(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_type') return `must be ${TYPES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') {
    const values = issue.values.map(String)
    return `must be ${[values.slice(0, -1).join(', '), ...values.slice(-1)].filter(Boolean).join(' or ')}`
  }
  if (issue.code === 'too_small') {
    const { origin, minimum: count } = issue
    const unit = unitOf(origin, count)
    return unit === ''
      ? `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${count}`
      : `must have at least ${count}${unit}`
  }
  if (issue.code === 'too_big') {
    const { origin, maximum: count } = issue
    const unit = unitOf(origin, count)
    return unit === ''
      ? `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${count}`
      : `must have at most ${count}${unit}`
  }
  if (issue.code === 'invalid_format') return `must be ${FORMS[issue.format] ?? `as its description says`}`
  if (issue.code === 'invalid_union') return 'has none of the forms that it may have'
  return issue.code === 'custom' ? 'is not valid' : undefined
}

/** How schemas are asked to say what is wrong in words for users: the library speaks to programmers. */
export const IN_WORDS = { error: inWords } as const

/** What no text may hold, whatever its form; `undefined` for a text without it, and for what is none. */
export function textFault(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  if (value.includes('\0')) return 'must not hold U+0000'
  return value.isWellFormed() ? undefined : 'must not hold half a character: an unpaired surrogate, as \\ud83d alone'
}
