/** Exact decimals and fractions: rates, prices and shares are never numbers of the language, which round. */

/** The number `digits` × 10^−`scale`. */
export type Decimal = { readonly digits: bigint; readonly scale: number }

/** The number `n` / `d`, with `d` above zero. */
export type Fraction = { readonly n: bigint; readonly d: bigint }

/** The exact value of a text that `positiveDecimal` accepts. */
export function decimalOf(text: string): Decimal {
  const [whole = '', rest = ''] = text.split('.')
  return { digits: BigInt(whole + rest), scale: rest.length }
}

/** The same decimal as text, without zeros at its end. */
export function decimalText({ digits, scale }: Decimal): string {
  const sign = digits < 0n ? '-' : ''
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  const [whole, rest] = [text.slice(0, text.length - scale), scale === 0 ? '' : text.slice(-scale)]
  const short = rest.replace(/0+$/, '')
  return `${sign}${whole}${short === '' ? '' : `.${short}`}`
}

export const tenTo = (power: number): bigint => 10n ** BigInt(power)

export const fractionOf = (text: string): Fraction => {
  const { digits, scale } = decimalOf(text)
  return { n: digits, d: tenTo(scale) }
}

export const times = (a: Fraction, b: Fraction): Fraction => ({ n: a.n * b.n, d: a.d * b.d })

/** The whole number nearest to a fraction; a half goes away from zero, as banks round ("half up"). */
export function rounded({ n, d }: Fraction): bigint {
  const [size, sign] = n < 0n ? [-n, -1n] : [n, 1n]
  return (sign * (2n * size + d)) / (2n * d)
}

/** A fraction as a decimal of at most `scale` places, rounded half up. */
export const approximated = ({ n, d }: Fraction, scale: number): string =>
  decimalText({ digits: rounded({ n: n * tenTo(scale), d }), scale })
