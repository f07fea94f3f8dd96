import { expect } from 'chai'
import { Watch } from '../../projections/runner/watch.ts'
import { randomHistory } from './history.ts'
import { freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: a log that is an older copy', () => {
  it('is told from one that lags, and from the right one', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 7, count: 60 })
    const [middle, last] = [events[30]!.position, events.at(-1)!.position]
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, last)
    let head = last
    const watch = new Watch(runner, { head: async () => head }, { lookMs: 3_600_000 })
    await watch.look()
    expect(watch.checkHead()).to.include({ head: last })
    head = middle
    await watch.look()
    expect(() => watch.checkHead()).to.throw(`the log ends at ${middle}, but rows were made of events up to ${last}`)
    head = last
    await watch.look()
    expect(watch.checkHead()).to.include({ head: last })
    watch.close()
    await runner.close()
  })
})
