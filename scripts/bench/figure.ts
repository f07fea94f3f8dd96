/** What a figure must reach: a ratio where there is one, otherwise the value. */
export type Goal = { readonly least: number } | { readonly most: number }

/** One measured figure. `bare` is the same work without Kogi in the same run, `ratio` = value / bare. */
export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bare: number | null
  readonly ratio: number | null
  readonly goal?: Goal | undefined
  /** What else is known of the time of answers. */
  readonly timing?: Timing
}

/** Milliseconds, but for `asked`. `cpu` is that of the read API and of PostgreSQL together. */
export type Timing = {
  readonly asked: number
  readonly p50: number
  readonly cpu: number
  readonly target: number | null
  /** The question of several that took longest, and a deep page against the first. */
  readonly slowest?: string
  readonly deep?: number
}

/** A figure from paired rounds: the medians, and the median of the rounds' own ratios, which noise moves least. */
export function paired(
  name: string,
  unit: string,
  rounds: readonly { value: number; bare: number }[],
  goal?: Goal,
): Figure {
  return {
    name,
    unit,
    value: median(rounds.map(({ value }) => value)),
    bare: median(rounds.map(({ bare }) => bare)),
    ratio: median(rounds.map(({ value, bare }) => value / bare)),
    ...(goal && { goal }),
  }
}

/** A figure that has nothing bare to stand against. */
export const alone = (name: string, value: number, unit: string, goal?: Goal): Figure => ({
  name,
  value,
  unit,
  bare: null,
  ratio: null,
  ...(goal && { goal }),
})

/** The goal of a figure, and whether it was reached; empty where it has none. */
export function reachedText({ goal, value, ratio }: Figure): string {
  if (!goal) return ''
  const found = ratio ?? value
  const [sign, bound, isReached] =
    'least' in goal ? ['≥', goal.least, found >= goal.least] : ['≤', goal.most, found <= goal.most]
  return `${sign} ${bound.toLocaleString('en')}${ratio === null ? '' : ' times'}: ${isReached ? 'reached' : 'missed'}`
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
