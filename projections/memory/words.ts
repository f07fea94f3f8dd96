/** From texts to the words of the index. The same text gives the same words on every machine. */
import { stemmer } from 'stemmer'

/** Longer runs are no words: keys, hashes, encoded data. Their beginning stands for them. */
const WORD_MAX = 64
/** Letters of the scripts that write without spaces, and the marks that they share, such as `ー` of Japanese. */
const UNSPACED = String.raw`[[\p{L}\p{N}]&&[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Script=Thai}]]`
const HANGUL = String.raw`[\p{L}&&\p{Script=Hangul}]`
/** Letters and numbers, and the vowel signs of scripts such as Devanagari, which are no accents. */
const SPACED = String.raw`[[\p{L}\p{N}\p{M}]--${UNSPACED}--${HANGUL}]+`
/** A letter of a script without spaces, a run of Korean, or a word with the apostrophes inside it. */
const RUN = new RegExp(`${UNSPACED}|${HANGUL}+|${SPACED}(?:'${SPACED})*`, 'gv')
/** The same, but all neighbouring letters of a script without spaces together. */
const LONG_RUN = new RegExp(`${UNSPACED}+|${HANGUL}+|${SPACED}(?:'${SPACED})*`, 'gv')
const NOT_PLAIN = /[^\s!-~]/
const PLAIN_RUN = /[a-z0-9]+(?:'[a-z0-9]+)*/g
const IS_UNSPACED = new RegExp(`^${UNSPACED}`, 'v')
const IS_HANGUL = /^\p{Script=Hangul}/u
/** Accents and points; vowel signs of Indian scripts belong to the word. */
const MARKED = 'Inherited Arabic Cyrillic Greek Hebrew Lao Syriac Thai'.split(' ')
const MARKS = new RegExp(`[\\p{M}&&[${MARKED.map(script => `\\p{Script=${script}}`).join('')}]]+`, 'gv')
/** The short i of Cyrillic is a letter of its own, which Unicode takes apart. */
const SHORT_I = /([иИ])\u0306/g
const APOSTROPHES = /[’‛ʼ]/g
/** Letters that Unicode does not decompose, as people type them without the key for it. */
const FOLDED: Readonly<Record<string, string>> = {
  ß: 'ss',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  ł: 'l',
  æ: 'ae',
  œ: 'oe',
  ı: 'i',
  þ: 'th',
}
const UNDECOMPOSED = /[ßøđðłæœıþ]/g
const ENGLISH = /^[a-z]+$/
const LETTERS = /^\p{L}+$/u
/** Ends of English contractions (you'll, we're, they've): no words of their own. */
const CONTRACTED = new Set(['ll', 're', 've'])
/** Particles that follow a Korean noun, longest first; they matter where the noun has one syllable. */
const PARTICLES = /(?:에서|으로|에게|까지|부터|은|는|이|가|을|를|의|에|로|와|과|도|만)$/u

/** What stands in a text between spaces, and the forms under which it is found. */
export type Typed = { readonly text: string; readonly forms: readonly string[] }

/** The words of a text as they are written, each with its forms, in order. */
export function typedWords(text: string): Typed[] {
  return (folded(text).match(RUN) ?? []).map(run => ({ text: run, forms: formsOfRun(run) }))
}

/** The forms of a text in order: accents, case and compatibility forms folded, but inflected as they are written. */
export function formsOf(text: string): string[] {
  const forms: string[] = []
  for (const run of folded(text).match(RUN) ?? []) {
    if (ENGLISH.test(run)) forms.push(run.length > WORD_MAX ? run.slice(0, WORD_MAX) : run)
    else forms.push(...formsOfRun(run))
  }
  return forms
}

/** The forms of a text to index, in order: those of `pairedRuns`, with letters. */
export function indexedForms(text: string): string[] {
  // Most texts have no other letters, and no accents to fold.
  if (NOT_PLAIN.test(text)) return pairedRuns(text, true).flatMap(({ forms }) => forms)
  const forms: string[] = []
  for (const run of text.toLowerCase().match(PLAIN_RUN) ?? []) {
    if (run.length <= WORD_MAX && !run.includes("'")) forms.push(run)
    else forms.push(...formsOfRun(run))
  }
  return forms
}

/**
 * The runs of a text as they are written, in order, each with its forms: of scripts without spaces the pairs of
 * neighbouring letters, which say more than letters do, and for a text to index the letters too, so that one alone is
 * found.
 */
export function pairedRuns(text: string, withLetters: boolean): Typed[] {
  return (folded(text).match(LONG_RUN) ?? []).map(run => ({
    text: run.length > WORD_MAX ? run.slice(0, WORD_MAX) : run,
    forms: IS_UNSPACED.test(run) ? lettersOf(run, withLetters) : formsOfRun(run),
  }))
}

/** The word that a form counts as: of English letters its Porter stem, otherwise itself. */
export const wordOf = (form: string): string => (ENGLISH.test(form) ? stemmer(form) : form)

/** The words of a text as the index counts them, in order. */
export const wordsOf = (text: string): string[] => formsOf(text).map(wordOf)

// Composed again at the end, because decomposition takes the syllables of Korean apart too.
const folded = (text: string) =>
  text
    .normalize('NFKD')
    .replace(SHORT_I, (_, letter: string) => (letter === 'и' ? 'й' : 'Й'))
    .replace(MARKS, '')
    .toLowerCase()
    .replace(MARKS, '')
    .replace(UNDECOMPOSED, letter => FOLDED[letter]!)
    .replace(APOSTROPHES, "'")
    .normalize('NFC')

function formsOfRun(run: string): string[] {
  const forms = IS_HANGUL.test(run) ? pairsOf(run) : run.includes("'") ? behindApostrophes(run) : [run]
  return forms.map(form => form.slice(0, WORD_MAX))
}

function lettersOf(run: string, withLetters: boolean): string[] {
  const letters = [...run]
  const pairs = letters.slice(1).map((letter, at) => letters[at]! + letter)
  return withLetters || pairs.length === 0 ? [...letters, ...pairs] : pairs
}

/**
 * Korean writes particles and compounds as one run: its pairs of syllables find the noun under any of them. A noun of
 * one syllable is in no pair, so that it stands beside the pair of itself and its particle.
 */
function pairsOf(run: string): string[] {
  const syllables = [...run]
  if (syllables.length === 1) return syllables
  const pairs = syllables.slice(1).map((syllable, at) => syllables[at]! + syllable)
  const noun = [...run.replace(PARTICLES, '')]
  return noun.length === 1 ? [...pairs, ...noun] : pairs
}

/**
 * `d'acompte`: the whole without apostrophes, as some write it, and what stands behind each of them. Of the possessive
 * `client's` the owner alone is left, which has the same stem.
 */
function behindApostrophes(run: string): string[] {
  const parts = run.split("'")
  const forms: string[] = []
  if (parts.at(-1) === 's') {
    parts.pop()
    if (!LETTERS.test(parts.join(''))) forms.push(`${parts.join('')}s`)
  }
  forms.push(parts.join(''))
  for (let at = 1; at < parts.length; at += 1) {
    const tail = parts.slice(at).join('')
    if (tail.length >= 2 && !CONTRACTED.has(tail)) forms.push(tail)
  }
  return forms
}
