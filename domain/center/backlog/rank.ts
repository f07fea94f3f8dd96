/**
 * Ranks between ranks: texts in the order of which things stand, so that moving one changes no other. A rank is a
 * fraction between 0 and 1 in base 36, without its last zeros (the idea is David Greenspan's, 2017).
 */
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const BASE = DIGITS.length

const digitOf = (rank: string, at: number, otherwise: number) => {
  const digit = rank[at]
  return digit === undefined ? otherwise : DIGITS.indexOf(digit)
}

/** A rank behind `before` and in front of `after`; `undefined` stands for the beginning and the end of all. */
export function rankBetween(before: string | undefined, after: string | undefined): string {
  let rank = ''
  let isBelow = after !== undefined
  for (let at = 0; ; at += 1) {
    const low = digitOf(before ?? '', at, 0)
    const high = isBelow ? digitOf(after!, at, 0) : BASE
    if (high - low > 1) return rank + DIGITS[(low + high) >> 1]
    // One digit lies between no two neighbours: the lower one stays, and the next digit may be any above it.
    rank += DIGITS[low]
    if (high > low) isBelow = false
  }
}
