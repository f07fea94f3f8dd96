/** A query as every leg understands it. */
import { pairedRuns } from '../words.ts'
import { functionStems, type Language, languageOf, stemOf } from './languages.ts'

/** A word of the query, and the forms under which texts may have it. */
export type Asked = { readonly text: string; readonly forms: readonly string[] }

const QUOTED = /"([^"]+)"/g

export class Question {
  readonly text: string
  readonly language: Language
  /** What is asked for, each word once, in order; function words only where there are no others. */
  readonly words: readonly Asked[]
  /** All forms in order, for names of several words. */
  readonly forms: readonly string[]
  /** What stands in quotes: texts that have it word for word come first. */
  readonly phrases: readonly (readonly string[])[]

  constructor(text: string, language?: Language) {
    this.text = text
    const runs = pairedRuns(text, false)
    this.forms = runs.flatMap(({ forms }) => forms)
    this.language = language ?? languageOf(this.forms)
    const asked = runs.flatMap(run => run.forms.map((form, _, { length }) => askedOf(run, form, length)))
    const once = [...new Map(asked.map(word => [word.forms.join(' '), word])).values()]
    const common = functionStems(this.language)
    const telling = once.filter(({ forms }) => !common.has(stemOf(forms[0]!, this.language)))
    this.words = telling.length > 0 ? telling : once
    this.phrases = [...text.matchAll(QUOTED)].map(([, inner]) => pairedRuns(inner!, false).flatMap(run => run.forms))
  }
}

/** Each form counts by itself; where a run has several, as of letters without spaces, each is named by itself. */
const askedOf = (run: Asked, form: string, forms: number): Asked => ({
  text: forms === 1 ? run.text : form,
  forms: [form],
})
