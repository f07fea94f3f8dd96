import { rateTables } from '../../../projections/wallet/rate-tables.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const opened = { type: 'RateTableOpened', data: { title: 'ECB', validDays: 7 } }
const recorded = (...days: string[]) => ({
  type: 'RatesRecorded',
  data: { rates: days.map(day => ({ day, base: 'EUR', quote: 'USD', rate: '1.1' })), validDays: 7 },
})

describe('rows: rate tables', () => {
  const { given } = rowsFor(rateTables)

  it('say whose rates they are, and how far they go', async () => {
    await given(opened).then({ id: CONTEXT.id, title: 'ECB', valid_days: 7, rates: 0n, last_day: undefined })
    await given(opened, recorded('2015-12-30', '2015-12-31'), recorded('2015-01-01')).then({
      rates: 3n,
      last_day: '2015-12-31',
      revision: 2n,
    })
  })
  it('change', () =>
    given(opened, { type: 'RateTableChanged', data: { title: null, validDays: 3 } }).then({
      title: undefined,
      valid_days: 3,
    }))
})
