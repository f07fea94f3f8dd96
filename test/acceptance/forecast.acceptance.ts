import { expect } from 'chai'
import { daysAt, daysUntilDone, LEARNT_DAYS, stretchOf, triedBefore } from '../../domain/center/plan/forecast.ts'
import { stageOf } from '../../domain/center/workflow/statuses.ts'
import { csv, dataSet, groupBy } from './data-sets.ts'

type Row = Record<string, string>

/** Tasks that a forecast is about, days before it that it draws from, and how sure it says to be. */
const HORIZONS = [5, 20, 50, 100]
const HISTORY_DAYS = 60
const PERCENTILE = 85
/** Forecasts by which one horizon is judged alone, and days from one to the next, where there are many. */
const ENOUGH = 30
const EVERY = 3

/** The share of forecasts made on days of the last third that held, and how many there were. */
function held(daily: readonly number[], left: number): readonly [share: number, count: number] {
  const all = daily.reduce((sum, done) => sum + done, 0)
  let [before, first] = [0, 0]
  while (before < (all * 2) / 3) before += daily[first++]!
  let [kept, count] = [0, 0]
  const every = daily.length - first > EVERY * ENOUGH ? EVERY : 1
  for (let day = first; day < daily.length - 1; day += every) {
    let [done, actual] = [0, 0]
    while (done < left && day + actual < daily.length) done += daily[day + actual++]!
    if (done < left) continue
    const before = daily.slice(Math.max(0, day - HISTORY_DAYS - LEARNT_DAYS), day)
    const days = daysUntilDone({ daily: before.slice(-HISTORY_DAYS), left, runs: 400, seed: 1 })!
    const stretch = stretchOf(triedBefore(before, { left, history: HISTORY_DAYS }), PERCENTILE)
    if (actual <= daysAt(days, PERCENTILE, stretch)) kept += 1
    count += 1
  }
  return [kept / count, count]
}

for (const [name, statusOf] of [
  ['helpdesk', (row: Row) => row['concept:name']!],
  ['volvo_incidents', (row: Row) => `${row['concept:name']}/${row['lifecycle:transition']}`],
] as const) {
  describe(`${name}: forecasts`, function () {
    const set = dataSet(this, name, 'events.csv')
    const cases = set.oracle ? groupBy(csv(set.text('events.csv')), 'case_no') : new Map<string, Row[]>()

    it('hold as often as they say: the 85 % day in 80 to 90 % of the last third', () => {
      const ends = [...cases.values()].flatMap(rows => {
        const isDone = rows.map(row => stageOf(undefined, statusOf(row)) === 'done')
        return isDone.at(-1) ? [rows[isDone.lastIndexOf(false) + 1]!['time:timestamp']!.slice(0, 10)] : []
      })
      const days = ends.map(day => Date.parse(day) / 86_400_000)
      const first = Math.min(...days)
      const daily = Array<number>(Math.max(...days) - first + 1).fill(0)
      for (const day of days) daily[day - first]! += 1
      const shares = HORIZONS.map(left => held(daily, left))
      const said = HORIZONS.map((left, n) => `${left}: ${(shares[n]![0] * 100).toFixed(1)} % of ${shares[n]![1]}`)
      console.log(`    the next tasks were done by the day: ${said.join(', ')}`)
      expect(shares.reduce((sum, [share]) => sum + share, 0) / shares.length).to.be.within(0.8, 0.9)
      for (const [share, count] of shares) if (count >= ENOUGH) expect(share).to.be.within(0.8, 0.9)
    })
  })
}
