import { wordsOf } from '../../projections/memory/words.ts'

/** Positions that PostgreSQL keeps of one word, and the last position there is. */
const POSITIONS_MAX = 255
const POSITION_LAST = 16_383

/**
 * The words under which texts are found, with the places at which each stands, as the text of a `tsvector`
 * (PostgreSQL, "Text Search Types"): words in order, quotes and backslashes doubled.
 */
export function searchVectorOf(texts: readonly (string | null | undefined)[]): string {
  const places = new Map<string, number[]>()
  const words = texts.flatMap(text => (text === null || text === undefined ? [] : wordsOf(text)))
  for (const [at, word] of words.slice(0, POSITION_LAST).entries()) {
    const known = places.get(word)
    if (known === undefined) places.set(word, [at + 1])
    else if (known.length < POSITIONS_MAX) known.push(at + 1)
  }
  return [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([word, at]) => `'${word.replaceAll(/['\\]/g, '$&$&')}':${at.join(',')}`)
    .join(' ')
}
