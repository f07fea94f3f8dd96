import { column, refined, text } from '../kernel/schema.ts'

const SUBJECT = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,128}$/u
const WORDS = '1 to 128 characters, none of them control characters'

const name = (is: (subject: string) => boolean, words: string) =>
  column(refined(text(128), is, words).meta({ pattern: '^[^\\x00-\\x1f\\x7f]+$', description: WORDS }), 'text')

/** How tokens name a person (`sub`): an id that may have outer blanks, or be `.` or `..`. */
export const subjectName = name(subject => SUBJECT.test(subject), `must be ${WORDS}`)

/** The name of someone who is to act as a person: see `isPerson`. */
export const personName = name(
  subject => SUBJECT.test(subject) && isPerson(subject),
  `must be ${WORDS}, and not begin as the names of processes and memories do`,
)

/** Characters of the ids of things that have a key of their own: with their category they are the name of that key. */
export const ID_MAX = 120

/** Categories of things whose texts have keys of their own. */
const OF_THINGS = ['memory'] as const

/**
 * The name of the key of one thing, where its texts are sealed under a key of its own, so that they can be destroyed
 * alone. It stands among the names of persons, none of which begins so.
 */
export const ownKeyOf = (category: string, id: string): string => `${category}:${id}`

/** The thing whose key has a name, `undefined` where it is a person's. */
export function thingOfKey(name: string): { readonly category: string; readonly id: string } | undefined {
  const category = OF_THINGS.find(each => name.startsWith(`${each}:`))
  return category && { category, id: name.slice(category.length + 1) }
}

/** Begins the names of processes, which act without tokens. */
const OF_PROCESS = 'process:'

/** Whether a person can have a name: none that processes have, or the keys of things. */
export function isPerson(subject: string): boolean {
  return !subject.startsWith(OF_PROCESS) && thingOfKey(subject) === undefined
}
