import { expect } from 'chai'
import fc from 'fast-check'
import { budget } from '../../../domain/wallet/budget/budget.ts'
import { PERIODS, periodsIn } from '../../../domain/wallet/budget/periods.ts'
import { specFor } from '../../support/spec.ts'

const asked = { title: 'Paper', currency: 'EUR', amount: 20_000n, period: 'month', tag: 'material' } as const
const added = { type: 'BudgetAdded', data: { ...asked, owner: 'user-1' } }

describe('budget', () => {
  const { given } = specFor(budget)

  it('is added, changed and removed', () => {
    given().when('add', asked).then(added)
    given(added).when('add', asked).rejects('budget_already_added')
    given(added)
      .when('change', { amount: 30_000n, tag: null })
      .then({ type: 'BudgetChanged', data: { amount: 30_000n, tag: null } })
    given(added).when('change', { amount: 20_000n }).changesNothing()
    given(added).when('remove', {}).then({ type: 'BudgetRemoved', data: {} })
  })

  it('says once for each period that more was spent than may be', () => {
    const may = { from: '2026-05-01', to: '2026-05-31', currency: 'EUR', places: 2, amount: 20_000n, actual: 20_001n }
    const passed = { type: 'BudgetPassed', data: { ...may, owner: 'user-1' } }
    given(added).when('notePassed', may, { actor: 'process:budgets' }).then(passed)
    given(added, passed)
      .when('notePassed', { ...may, actual: 30_000n })
      .changesNothing()
    given(added, passed, { type: 'BudgetChanged', data: { amount: 25_000n } })
      .when('notePassed', { ...may, actual: 30_000n })
      .changesNothing()
    const june = { ...may, from: '2026-06-01', to: '2026-06-30' }
    given(added, passed)
      .when('notePassed', june)
      .then({ ...passed, data: { ...june, owner: 'user-1' } })
    given(added, { type: 'BudgetRemoved', data: {} }).when('notePassed', may).changesNothing()
  })
})

describe('the periods of a budget', () => {
  const spans = (from: string, to: string, period: (typeof PERIODS)[number], bounds = {}) =>
    periodsIn({ from, to }, period, bounds).map(span => `${span.from} ${span.to}`)

  it('are those of the calendar', () => {
    expect(spans('2024-01-31', '2024-02-01', 'month')).to.deep.equal(['2024-01-01 2024-01-31', '2024-02-01 2024-02-29'])
    expect(spans('2026-01-01', '2026-01-01', 'week')).to.deep.equal(['2025-12-29 2026-01-04'])
    expect(spans('2026-06-30', '2026-07-01', 'quarter')).to.deep.equal([
      '2026-04-01 2026-06-30',
      '2026-07-01 2026-09-30',
    ])
    expect(spans('2026-06-30', '2026-07-01', 'year')).to.deep.equal(['2026-01-01 2026-12-31'])
  })
  it('end at the bounds of the budget', () => {
    const bounds = { starts_on: '2026-01-10', ends_on: '2026-02-05' }
    expect(spans('2025-01-01', '2027-01-01', 'month', bounds)).to.deep.equal([
      '2026-01-10 2026-01-31',
      '2026-02-01 2026-02-05',
    ])
    expect(spans('2026-01-20', '2026-01-20', 'once', bounds)).to.deep.equal(['2026-01-10 2026-02-05'])
    expect(spans('2026-03-01', '2026-04-01', 'month', bounds)).to.deep.equal([])
    expect(spans('9999-12-31', '9999-12-31', 'week')).to.deep.equal(['9999-12-27 9999-12-31'])
  })
  it('follow one another without a gap', () => {
    const days = fc.integer({ min: 0, max: 20_000 }).map(n => new Date(n * 86_400_000).toISOString().slice(0, 10))
    fc.assert(
      fc.property(days, fc.integer({ min: 0, max: 800 }), fc.constantFrom(...PERIODS), (from, more, period) => {
        const to = new Date(Date.parse(from) + more * 86_400_000).toISOString().slice(0, 10)
        const found = periodsIn({ from, to }, period, {})
        expect(found[0]!.from <= from && found.at(-1)!.to >= to).to.equal(true)
        for (const [n, span] of found.entries()) {
          expect(span.from <= span.to).to.equal(true)
          const before = found[n - 1]
          if (before) expect(Date.parse(span.from) - Date.parse(before.to)).to.equal(86_400_000)
        }
      }),
      { numRuns: process.env.KOGI_LONG ? 3_000 : 100 },
    )
  })
})
