import { expect } from 'chai'
import fc from 'fast-check'
import { daysUntilDone, percentileOf } from '../../../../domain/center/plan/forecast.ts'

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
})
