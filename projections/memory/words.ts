import { stemmer } from 'stemmer'

/** Longer runs are no words: keys, hashes, encoded data. Their beginning stands for them. */
const WORD_MAX = 64
// A word of any script; the scripts that write without spaces give one word per character.
const WORD = /\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}|\p{Script=Thai}|[\p{L}\p{N}]+/gu
const MARKS = /\p{M}+/gu
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

/**
 * The words of a text as the index knows them, in order: compatibility forms and accents folded, lower case, English
 * words reduced to their Porter stem. The same text gives the same words on every machine.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(MARKS, '')
    .toLowerCase()
    .replace(MARKS, '')
    .replace(UNDECOMPOSED, letter => FOLDED[letter]!)
    .replaceAll(/['’]/g, '')
  const words = plain.match(WORD) ?? []
  return words.map(word => (ENGLISH.test(word) ? stemmer(word.slice(0, WORD_MAX)) : word.slice(0, WORD_MAX)))
}
