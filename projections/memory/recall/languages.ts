/** Which language a text is in, and how the words of each are cut down to what their forms have in common. */
import { createRequire } from 'node:module'
import { stemmer as porter } from 'stemmer'
import { FUNCTION_WORDS } from './function-words.ts'

// The package has no types.
const require = createRequire(import.meta.url)
const snowball = require('snowball-stemmers') as { newStemmer: (name: string) => { stem: (word: string) => string } }

/** An ISO 639-1 code, or `''` where a text does not say. */
export type Language = string

/**
 * Snowball's stemmers by language. Those of Dutch, Romanian and Turkish in this package are far from the published
 * vocabularies, so that these languages stay as they are written.
 */
const STEMMERS: Readonly<Record<string, string>> = {
  ar: 'arabic',
  da: 'danish',
  de: 'german',
  en: 'english',
  es: 'spanish',
  fi: 'finnish',
  fr: 'french',
  hu: 'hungarian',
  it: 'italian',
  no: 'norwegian',
  pt: 'portuguese',
  ru: 'russian',
  sv: 'swedish',
}
/** Words of a text that are looked at, and how many of them must speak for a language. */
const LOOKED_AT = 200
const CERTAIN_MIN = 2
const ENGLISH = /^[a-z]+$/
const SCRIPTS: readonly (readonly [RegExp, Language])[] = [
  [/^\p{Script=Greek}/u, 'el'],
  [/^\p{Script=Arabic}/u, 'ar'],
  [/^\p{Script=Devanagari}/u, 'hi'],
  [/^\p{Script=Hangul}/u, 'ko'],
  [/^[\p{Script=Hiragana}\p{Script=Katakana}]/u, 'ja'],
  [/^\p{Script=Han}/u, 'zh'],
  [/^\p{Script=Thai}/u, 'th'],
]
const made = new Map<Language, (word: string) => string>()
const stemsOf = new Map<Language, ReadonlySet<string>>()

/** The languages that a word is a function word of. */
const languagesOf = new Map<string, Language[]>()
for (const [language, words] of FUNCTION_WORDS) {
  for (const word of words) languagesOf.set(word, [...(languagesOf.get(word) ?? []), language])
}
/** The last letter of the Latin blocks of Unicode. */
const LATIN_LAST = 0x24f

/** The language of a text by its function words, or by its script where that has but one; given its words in order. */
export function languageOf(words: readonly string[]): Language {
  const counts = new Map<Language, number>()
  const add = (language: Language, count: number) => counts.set(language, (counts.get(language) ?? 0) + count)
  for (const word of words.slice(0, LOOKED_AT)) {
    for (const language of languagesOf.get(word) ?? []) add(language, 1)
    if (word.charCodeAt(0) <= LATIN_LAST) continue
    const script = SCRIPTS.find(([letters]) => letters.test(word))
    // A word of a script speaks for its language as much as two function words: texts quote names in Latin letters.
    if (script) add(script[1], 2)
  }
  const [best, next] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
  if (!best || best[1] < CERTAIN_MIN || best[1] === next?.[1]) return ''
  return best[0]
}

/** What the forms of a word have in common, in a language; a text of no known language is read as English. */
export function stemOf(form: string, language: Language): string {
  let stem = made.get(language)
  if (!stem) {
    stem = stemmerOf(language)
    made.set(language, stem)
  }
  return stem(form)
}

function stemmerOf(language: Language): (word: string) => string {
  if (language === '') return form => (ENGLISH.test(form) ? porter(form) : form)
  const name = STEMMERS[language]
  if (name === undefined) return form => form
  const stemmer = snowball.newStemmer(name)
  return form => stemmer.stem(form)
}

/** The stems of the words that say little about what a text of this language means. */
export function functionStems(language: Language): ReadonlySet<string> {
  let stems = stemsOf.get(language)
  if (!stems) {
    const words = FUNCTION_WORDS.get(language === '' ? 'en' : language) ?? []
    stems = new Set([...words].map(word => stemOf(word, language)))
    stemsOf.set(language, stems)
  }
  return stems
}
