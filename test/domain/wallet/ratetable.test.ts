import { rateTable } from '../../../domain/wallet/ratetable/ratetable.ts'
import { specFor } from '../../support/spec.ts'

const dollar = (rate: string, day = '2015-12-31') => ({ day, base: 'EUR', quote: 'USD', rate })
const yen = (rate: string, day = '2015-12-31') => ({ day, base: 'EUR', quote: 'JPY', rate })
const opened = { type: 'RateTableOpened', data: { title: 'ECB', validDays: 7 } } as const
const recorded = (...rates: ReturnType<typeof dollar>[]) =>
  ({ type: 'RatesRecorded', data: { rates, validDays: 7 } }) as const

describe('ratetable', () => {
  const { given } = specFor(rateTable)

  it('is opened once', () => {
    given().when('open', { title: 'ECB', valid_days: 7 }).then(opened)
    given()
      .when('open', { valid_days: 0 })
      .then({ type: 'RateTableOpened', data: { validDays: 0 } })
    given(opened).when('open', { valid_days: 7 }).rejects('rate_table_already_open')
  })

  describe('change', () => {
    it('says what is other now', () => {
      given(opened)
        .when('change', { title: null, valid_days: 7 })
        .then({ type: 'RateTableChanged', data: { title: null } })
      given(opened)
        .when('change', { valid_days: 3 })
        .then({ type: 'RateTableChanged', data: { validDays: 3 } })
    })
    it('says nothing where all is so', () => {
      given(opened).when('change', { title: 'ECB', valid_days: 7 }).changesNothing()
      const changed = { type: 'RateTableChanged', data: { title: null, validDays: 3 } } as const
      given(opened, changed).when('change', { title: null, valid_days: 3 }).changesNothing()
    })
    it('is how long rates count that are recorded from then on', () =>
      given(opened, { type: 'RateTableChanged', data: { validDays: 3 } })
        .when('record', { rates: [dollar('1.1')] })
        .then({ type: 'RatesRecorded', data: { rates: [dollar('1.1')], validDays: 3 } }))
  })

  describe('record', () => {
    it('keeps rates exactly, without zeros at their end', () =>
      given(opened)
        .when('record', { rates: [dollar('1.08870'), yen('131.000000000000000001'), dollar('0.50', '2016-01-01')] })
        .then(recorded(dollar('1.0887'), yen('131.000000000000000001'), dollar('0.5', '2016-01-01'))))
    it('says nothing where the latest rate of a pair is so', () => {
      given(opened, recorded(dollar('1.0887')))
        .when('record', { rates: [dollar('1.08870')] })
        .changesNothing()
      given(opened, recorded(dollar('1.0887')))
        .when('record', { rates: [dollar('1.0887'), yen('131.07')] })
        .then(recorded(yen('131.07')))
    })
    it('records a day again, and days before the latest', () => {
      given(opened, recorded(dollar('1.0887')))
        .when('record', { rates: [dollar('1.0888')] })
        .then(recorded(dollar('1.0888')))
      given(opened, recorded(dollar('1.0887')))
        .when('record', { rates: [dollar('1.0887', '2015-12-30')] })
        .then(recorded(dollar('1.0887', '2015-12-30')))
      given(opened, recorded(dollar('1.0887')), recorded(dollar('1.2', '2015-12-30')))
        .when('record', { rates: [dollar('1.0887')] })
        .changesNothing()
    })
    it('refuses a currency with itself, and a pair named twice for a day', () => {
      given(opened)
        .when('record', { rates: [{ ...dollar('1'), quote: 'EUR' }] })
        .rejects('rate_of_itself')
      given(opened)
        .when('record', { rates: [dollar('1.1'), dollar('1.2')] })
        .rejects('rate_recorded_twice')
    })
  })

  describe('withdraw', () => {
    const found = (fact: object) => ({ found: fact as never })
    const { rate: _, ...named } = dollar('1.0887')
    const withdrawn = { type: 'RatesWithdrawn' as const, data: { rates: [named] } }

    it('takes a rate of a day away, once', () => {
      given(opened, recorded(dollar('1.0887')))
        .when('withdraw', { ...named, reason: 'Wrong' }, found(recorded(dollar('1.0887'))))
        .then({ type: 'RatesWithdrawn', data: { rates: [named], reason: 'Wrong' } })
      given(opened, recorded(dollar('1.0887')), withdrawn)
        .when('withdraw', named, found(withdrawn))
        .changesNothing()
    })
    it('takes only what was recorded', () => given(opened).when('withdraw', named).rejects('rate_not_recorded'))
    it('lets the same rate be recorded again', () =>
      given(opened, recorded(dollar('1.0887')), withdrawn)
        .when('record', { rates: [dollar('1.0887')] })
        .then(recorded(dollar('1.0887'))))
    it('leaves a later day as it is', () => {
      const { rate: __, ...before } = dollar('1', '2015-12-30')
      const facts = [recorded(dollar('1', '2015-12-30')), recorded(dollar('1.0887'))]
      given(opened, ...facts, { type: 'RatesWithdrawn', data: { rates: [before] } })
        .when('record', { rates: [dollar('1.0887')] })
        .changesNothing()
    })
  })
})
