/** One measured figure. `bare` is the same work without Kogi in the same run, `ratio` = value / bare. */
export type Figure = {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly bare: number | null
  readonly ratio: number | null
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
export function paired(name: string, unit: string, rounds: readonly { value: number; bare: number }[]): Figure {
  return {
    name,
    unit,
    value: median(rounds.map(({ value }) => value)),
    bare: median(rounds.map(({ bare }) => bare)),
    ratio: median(rounds.map(({ value, bare }) => value / bare)),
  }
}

/** A figure that has nothing bare to stand against. */
export const alone = (name: string, value: number, unit: string): Figure => ({
  name,
  value,
  unit,
  bare: null,
  ratio: null,
})

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
