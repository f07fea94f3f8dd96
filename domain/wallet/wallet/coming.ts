/** Credits of an account that count from a later day on, by that day. Days are in UTC. */

/** What is still to come: the sum, and the days it comes on, found by year and month (`2027`, `2027-03`). */
export type Coming = { readonly total: bigint; readonly years: ByYear }
type ByYear = { readonly [year: string]: { readonly [month: string]: { readonly [day: string]: bigint } } }

/** Adds a credit that counts from the day `on` on. */
export function withCredit({ total, years }: Coming = { total: 0n, years: {} }, on: string, amount: bigint): Coming {
  const [year, month] = [on.slice(0, 4), on.slice(0, 7)]
  const months = years[year] ?? {}
  const days = months[month] ?? {}
  const sum = (days[on] ?? 0n) + amount
  return { total: total + amount, years: { ...years, [year]: { ...months, [month]: { ...days, [on]: sum } } } }
}

/** What is still to come after a day. Costs as much as what came by then, which the next `withoutCome` drops. */
export function toComeAfter(coming: Coming | undefined, today: string): bigint {
  if (coming === undefined) return 0n
  let left = coming.total
  // A year or a month sorts before its own days, so that each level is compared with the day itself.
  for (const [year, months] of Object.entries(coming.years)) {
    if (year > today) continue
    for (const [month, days] of Object.entries(months)) {
      if (month > today) continue
      for (const [day, amount] of Object.entries(days)) if (day <= today) left -= amount
    }
  }
  return left
}

/** The same without what has come by a day; `undefined` where nothing is left. */
export function withoutCome(coming: Coming | undefined, today: string): Coming | undefined {
  const total = toComeAfter(coming, today)
  if (coming === undefined || total === coming.total) return coming
  if (total === 0n) return undefined
  const [year, month] = [today.slice(0, 4), today.slice(0, 7)]
  const months = kept(coming.years[year], month)
  const days = kept(months[month], today)
  const { [today]: _, ...later } = days
  return { total, years: { ...kept(coming.years, year), [year]: { ...months, [month]: later } } }
}

/** The same in a unit that is `factor` times finer. */
export function rescaled(coming: Coming, factor: bigint): Coming {
  const years = mapped(coming.years, months => mapped(months, days => mapped(days, amount => amount * factor)))
  return { total: coming.total * factor, years }
}

type Tree<T> = { readonly [key: string]: T }

const kept = <T>(tree: Tree<T> = {}, from: string): Tree<T> =>
  Object.fromEntries(Object.entries(tree).filter(([key]) => key >= from))

const mapped = <T, R>(tree: Tree<T>, to: (value: T) => R): Tree<R> =>
  Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, to(value)]))
