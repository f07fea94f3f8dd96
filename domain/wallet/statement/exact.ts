/** Decimal numbers as journals write them: exact, without a double anywhere. */

/** `digits` × 10^-`places`. */
export type Exact = { readonly digits: bigint; readonly places: number }

export const NOTHING: Exact = { digits: 0n, places: 0 }

export const at = ({ digits, places }: Exact, more: number): bigint => digits * 10n ** BigInt(more - places)

export function plus(a: Exact, b: Exact): Exact {
  const places = Math.max(a.places, b.places)
  return { digits: at(a, places) + at(b, places), places }
}

export const negative = ({ digits, places }: Exact): Exact => ({ digits: -digits, places })

export const times = (a: Exact, b: Exact): Exact => ({ digits: a.digits * b.digits, places: a.places + b.places })

export const isEqual = (a: Exact, b: Exact): boolean => plus(a, negative(b)).digits === 0n

/** The same number with as few decimal places as it needs. */
export function shortest({ digits, places }: Exact): Exact {
  let short = { digits, places }
  while (short.places > 0 && short.digits % 10n === 0n) short = { digits: short.digits / 10n, places: short.places - 1 }
  return short
}

/** The nearest number with so many decimal places; half way it is the even one, as hledger has it. */
export function rounded(number: Exact, places: number): Exact {
  if (number.places <= places) return { digits: at(number, places), places }
  const unit = 10n ** BigInt(number.places - places)
  const size = number.digits < 0n ? -number.digits : number.digits
  const [whole, rest] = [size / unit, size % unit]
  const up = rest * 2n > unit || (rest * 2n === unit && whole % 2n === 1n)
  const digits = up ? whole + 1n : whole
  return { digits: number.digits < 0n ? -digits : digits, places }
}

/** `-1.50`, with the places it has. */
export function written({ digits, places }: Exact): string {
  const text = String(digits < 0n ? -digits : digits).padStart(places + 1, '0')
  const whole = text.slice(0, text.length - places)
  return `${digits < 0n ? '-' : ''}${whole}${places > 0 ? `.${text.slice(-places)}` : ''}`
}

/** `1234`, `-1234.50` or, with `,` as the mark, `-1234,50`: no digits are grouped; `undefined` for any other text. */
export function exactOf(text: string, marks = '.'): Exact | undefined {
  const [, sign, whole, mark, fraction = ''] = /^([+-]?)(\d+)(?:([.,])(\d*))?$/.exec(text) ?? []
  if (whole === undefined || (mark !== undefined && !marks.includes(mark))) return undefined
  const digits = BigInt(`${whole}${fraction}`)
  return { digits: sign === '-' ? -digits : digits, places: fraction.length }
}
