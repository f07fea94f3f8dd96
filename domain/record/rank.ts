/** Digits of ranks, in the order of their code points. */
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** What ranks look like: no rank ends with the lowest digit, so that there is always room before it. */
export const RANK = /^[0-9A-Za-z]*[1-9A-Za-z]$/

const digitOf = (rank: string): number => (rank === '' ? 0 : DIGITS.indexOf(rank[0]!))

/**
 * A rank between two others in the order of code points, so that moving a thing in a list changes no other: `below` is
 * '' before the first, `above` is `undefined` behind the last. Ranks that are made one behind the other, or one before
 * the other, stay short. (The idea of ranks as fractions is David Greenspan's, 2017.)
 */
export function rankBetween(below: string, above: string | undefined): string {
  if (above === undefined) {
    const next = below === '' ? DIGITS.length >> 1 : digitOf(below) + 1
    return next < DIGITS.length ? DIGITS[next]! : below[0] + rankBetween(below.slice(1), undefined)
  }
  let same = 0
  while (same < above.length && (below[same] ?? DIGITS[0]) === above[same]) same += 1
  if (same > 0) return above.slice(0, same) + rankBetween(below.slice(same), above.slice(same))
  const [low, high] = [digitOf(below), digitOf(above)]
  if (high - low > 1) return DIGITS[below === '' ? high - 1 : (low + high) >> 1]!
  return above.length > 1 ? above[0]! : DIGITS[low] + rankBetween(below.slice(1), undefined)
}
