import { expect } from 'chai'
import fc from 'fast-check'
import { daysAt, daysUntilDone, percentileOf, stretchOf, triedBefore } from '../../../../domain/center/plan/forecast.ts'

const outlook = fc.record({
  daily: fc.array(fc.nat(5), { minLength: 1, maxLength: 40 }),
  left: fc.nat(60),
  runs: fc.constant(50),
  seed: fc.nat(),
})

describe('a forecast', () => {
  it('is certain where every day is like the others', () => {
    const days = daysUntilDone({ daily: Array(30).fill(2), left: 9, runs: 20, seed: 1 })!
    expect(new Set(days)).to.deep.equal(new Set([5]))
  })

  it('knows no day where nothing was ever done, and none is needed where nothing is left', () => {
    expect(daysUntilDone({ daily: [0, 0], left: 1, runs: 2, seed: 1 })).to.equal(undefined)
    expect(daysUntilDone({ daily: [0, 0], left: 0, runs: 2, seed: 1 })).to.deep.equal([0, 0])
  })

  it('is the same for the same seed, sorted, and never sooner than the best days allow', () => {
    fc.assert(
      fc.property(outlook, asked => {
        const days = daysUntilDone(asked)
        expect(daysUntilDone(asked)).to.deep.equal(days)
        if (!days) return
        expect(days).to.have.length(asked.runs)
        expect(days).to.deep.equal([...days].sort((a, b) => a - b))
        expect(days[0]).to.be.at.least(asked.left === 0 ? 0 : Math.ceil(asked.left / Math.max(...asked.daily)))
        expect(days.filter(day => day <= percentileOf(days, 85)).length).to.be.at.least(asked.runs * 0.85)
      }),
      { numRuns: process.env.KOGI_LONG ? 1_000 : 60 },
    )
  })

  it('has percentiles by their nearest rank', () =>
    expect([1, 25, 50, 85, 100].map(percent => percentileOf([1, 2, 3, 4], percent))).to.deep.equal([1, 1, 2, 4, 4]))

  it('learns from forecasts of earlier days, none of which knows what came after it', () => {
    const steady = triedBefore(Array(60).fill(2), { left: 9, history: 30 })
    expect(steady.tried).to.have.length(60 - 14 - 4)
    for (const { days, actual } of steady.tried) expect([...new Set(days), actual]).to.deep.equal([5, 5])
    expect(daysAt([5, 5, 5], 85, stretchOf(steady, 85)), 'a certain day stays as it is').to.equal(5)
    const slowed = triedBefore([...Array(40).fill(4), ...Array(40).fill(1)], { left: 8, history: 30 })
    expect(slowed.tried.filter(({ days, actual }) => actual > percentileOf(days, 85))).to.have.length.above(3)
    expect(triedBefore([1, 1], { left: 1, history: 7 }).tried, 'nothing to learn from yet').to.deep.equal([])
    expect(triedBefore(Array(60).fill(1), { left: 0, history: 7 }).tried).to.deep.equal([])
  })

  it('gets longer where forecasts did not hold, so that those of a percentile hold that often', () => {
    const tried = Array.from({ length: 2_000 }, (_, n) => ({ days: [1, 2, 10], actual: (n * 7) % 20 }))
    const stretch = stretchOf({ tried, step: 1 }, 85)
    const held = tried.filter(({ actual }) => actual <= daysAt([1, 2, 10], 85, stretch)).length
    expect(held / tried.length).to.be.within(0.8, 0.95)
    expect(stretchOf({ tried: [], step: 1 }, 85)).to.equal(1)
  })
})
