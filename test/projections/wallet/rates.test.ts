import { ratePairs } from '../../../projections/wallet/rate-pairs.ts'
import { rates } from '../../../projections/wallet/rates.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const opened = { type: 'RateTableOpened', data: { validDays: 7 } }
const dollar = (rate: string, day: string) => ({ day, base: 'EUR', quote: 'USD', rate })
const yen = (rate: string, day: string) => ({ day, base: 'EUR', quote: 'JPY', rate })
const recorded = (rates: object[], validDays = 7) => ({ type: 'RatesRecorded', data: { rates, validDays } })

describe('rows: rates', () => {
  const { given } = rowsFor(rates)

  it('has every rate that was recorded, a replaced one too, and until when it counts', () =>
    given(
      opened,
      recorded([yen('131.07', '2015-12-31'), dollar('1.08', '2015-12-31')]),
      recorded([dollar('1.0887', '2015-12-31')], 0),
    ).then(
      { source: CONTEXT.id, base: 'EUR', quote: 'JPY', day: '2015-12-31', rate: '131.07', valid_until: '2016-01-07' },
      { quote: 'USD', rate: '1.08', valid_until: '2016-01-07' },
      { quote: 'USD', rate: '1.0887', valid_until: '2015-12-31', recorded_by: CONTEXT.actor, recorded_at: CONTEXT.at },
    ))
  it('has that a rate was withdrawn', () =>
    given(opened, recorded([dollar('1.0887', '2015-12-31')]), {
      type: 'RatesWithdrawn',
      data: { rates: [{ day: '2015-12-31', base: 'EUR', quote: 'USD' }] },
    }).then({ day: '2015-12-31', rate: '1.0887' }, { day: '2015-12-31', rate: undefined, recorded_at: CONTEXT.at }))
  it('ends with the calendar', () =>
    given(opened, recorded([dollar('1', '9999-12-30')])).then({ valid_until: '9999-12-31' }))
})

describe('rows: rate pairs', () => {
  const { given } = rowsFor(ratePairs)

  it('have the first and the last day of each pair', () =>
    given(
      opened,
      recorded([dollar('1.1', '2015-12-30'), dollar('1.2', '2015-12-31')]),
      recorded([dollar('1.0', '2015-01-01'), yen('131', '2015-06-01')]),
    ).then(
      { quote: 'JPY', first_day: '2015-06-01', last_day: '2015-06-01' },
      { quote: 'USD', first_day: '2015-01-01', last_day: '2015-12-31' },
    ))
})
