/** How sentences for the activity feed are written. */
import type { Mention, Phrase } from '../kernel/activity.ts'

/** The thing that the event happened to. */
export const THING: Mention = {}

/** Another thing, by its category and id. */
export const mention = (category: string, id: string): Mention => ({ category, id })

/** Makes a phrase: `said`assigned the task ${THING} to ${to}``. */
export const said = (texts: TemplateStringsArray, ...values: readonly (string | Mention)[]): Phrase =>
  texts.flatMap((text, n) => [text, values[n] ?? '']).filter(part => part !== '')
