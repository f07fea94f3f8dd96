import { expect } from 'chai'
import fc from 'fast-check'
import { benefit } from '../../../domain/office/benefit/benefit.ts'
import { monthsBetween, vestedOf } from '../../../domain/office/benefit/vesting.ts'
import { specFor } from '../../support/spec.ts'

const plain = { plan: 'pension', member: 'mira', starts_on: '2026-01-31', currency: 'EUR' }
const added = { type: 'BenefitAdded', data: { ...plain, owner: 'user-1' } }

describe('benefit', () => {
  const { given } = specFor(benefit)

  it('is added, changed and removed', () => {
    given().when('add', plain).then(added)
    const taken = { org: 'other', on: '2026-12-31' }
    given(added).when('change', { taken }).then({ type: 'BenefitChanged', data: { taken } })
    given(added).when('remove', {}).then({ type: 'BenefitRemoved', data: {} })
  })

  it('counts whole months, to the last day of months that are shorter', () => {
    const months = ['2026-01-31', '2026-02-27', '2026-02-28', '2026-03-30', '2026-03-31', '2027-01-30', '2027-01-31']
    expect(months.map(day => monthsBetween('2026-01-31', day))).to.deep.equal([0, 0, 1, 1, 2, 11, 12])
  })

  it('vests nothing before the cliff, all in the end, and never less than before', () => {
    const vesting = { cliff_months: 12, months: 48 }
    expect([0, 11, 12, 24, 47, 48, 600].map(months => vestedOf(48_000n, vesting, months))).to.deep.equal([
      0n,
      0n,
      12_000n,
      24_000n,
      47_000n,
      48_000n,
      48_000n,
    ])
    expect(vestedOf(5n, undefined, 0)).to.equal(5n)
    const month = fc.nat(700)
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 30n }),
        month,
        fc.integer({ min: 1, max: 600 }),
        month,
        (amount, cliff, months, at) => {
          const [before, after] = [at, at + 1].map(n => vestedOf(amount, { cliff_months: cliff, months }, n))
          expect(before! <= after! && after! <= amount).to.equal(true)
        },
      ),
    )
  })
})
