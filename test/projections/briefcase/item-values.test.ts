import { itemValues } from '../../../projections/briefcase/item-values.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const valued = (amount: bigint, on: string, more: object = {}) => ({
  type: 'ItemValued',
  data: { amount, currency: 'EUR', on, ...more },
})

describe('rows: item values', () => {
  const { given } = rowsFor(itemValues)

  it('has one value for each day, the one that was said last', () =>
    given(valued(5n, '2026-02-01'), valued(4n, '2026-01-01'), valued(6n, '2026-02-01', { note: 'Offer' })).then(
      { item: 'thing-1', on: '2026-01-01', amount: 4n, places: 2 },
      { on: '2026-02-01', amount: 6n, note: 'Offer' },
    ))
  it('keeps the decimal places that are said', () =>
    given(valued(5n, '2026-02-01', { currency: 'OWN', places: 4 })).then({ currency: 'OWN', places: 4 }))
  it('loses a value that is taken back, also one that was taken back before', () =>
    given(
      valued(5n, '2026-02-01'),
      { type: 'ItemValueWithdrawn', data: { on: '2026-02-01' } },
      { type: 'ItemValueWithdrawn', data: { on: '2026-02-01' } },
    ).then())
})
