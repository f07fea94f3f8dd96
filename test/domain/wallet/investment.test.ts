import { investment } from '../../../domain/wallet/investment/investment.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'
import { acquired, disposed, first, later, opened, second, two, unit } from './position.ts'

const asked = {
  wallet: 'studio',
  kind: 'equity',
  asset: 'ACME',
  currency: 'EUR',
  quantity_places: 0,
  method: 'fifo',
  pool: 'account',
  long_term_days: 365,
} as const
const sell = { account: 'main', type: 'sell' } as const
const buy = { account: 'main', type: 'buy' } as const

describe('investment', () => {
  const { given } = specFor(investment)

  it('is opened once, in places that the currency has at least', () => {
    given().when('open', asked).then(opened())
    given(opened()).when('open', asked).rejects('investment_already_open')
    given()
      .when('open', { ...asked, title: 'Acme', places: 4 })
      .then(opened({ title: 'Acme', places: 4 }))
    given()
      .when('open', { ...asked, places: 1 })
      .rejects('investment_places_too_few')
    given()
      .when('open', { ...asked, currency: 'POINTS' })
      .rejects('investment_places_unknown')
  })
  it('is changed where something is other', () => {
    given(opened())
      .when('change', { title: 'Acme', method: 'lifo', long_term_days: 365 })
      .then({ type: 'InvestmentChanged', data: { title: 'Acme', method: 'lifo' } })
    given(opened({ title: 'Acme' }), { type: 'InvestmentChanged', data: { title: null } })
      .when('change', { title: null, method: 'fifo' })
      .changesNothing()
  })

  describe('acquire', () => {
    it('makes a lot, whose price follows from its cost where none is said', () => {
      given(opened())
        .when('acquire', { ...buy, lot: 'a', quantity: 10n, cost: 10_100n, price: '10', at: first })
        .then(acquired('a', 10n, 10_100n))
      const cents = { price: '3.333333333333333333', acquiredAt: CONTEXT.at }
      given(opened())
        .when('acquire', { ...buy, quantity: 3n, cost: 1_000n })
        .then(acquired('made-0', 3n, 1_000n, cents))
      given(opened())
        .when('acquire', { ...buy, lot: 'a', type: 'staking', quantity: 1n, cost: 0n, at: first })
        .then(acquired('a', 1n, 0n, { type: 'staking', isIncome: true, price: '0.000000000000000001' }))
    })
    it('refuses a price that has no form', () =>
      given(opened())
        .when('acquire', { ...buy, quantity: 1n, cost: 10n ** 30n })
        .rejects('price_out_of_range'))
    it('refuses the id of a lot that is there', () =>
      given(...two)
        .when('acquire', { ...buy, lot: 'a', quantity: 1n, cost: 1n })
        .rejects('lot_already_acquired'))
    it('disposes of a fee in the asset itself at once', () =>
      given(opened())
        .when('acquire', { ...buy, lot: 'a', quantity: 10n, cost: 10_100n, price: '10', at: first, fee_quantity: 1n })
        .then(
          acquired('a', 10n, 10_100n),
          disposed(
            { type: 'fee', quantity: 1n, proceeds: 1_000n, disposedAt: first },
            { lot: 'a', quantity: 1n, cost: 1_010n, proceeds: 1_000n, isLongTerm: false },
          ),
        ))
  })

  describe('dispose', () => {
    it('takes lots by the method, with their share of cost and proceeds', () => {
      given(...two)
        .when('dispose', { ...sell, quantity: 14n, fee_quantity: 1n, proceeds: 20_000n })
        .then(
          disposed(
            { quantity: 14n, feeQuantity: 1n, proceeds: 20_000n },
            { lot: 'a', quantity: 10n, cost: 10_100n, proceeds: 13_333n },
            { lot: 'b', quantity: 5n, cost: 6_000n, proceeds: 6_667n, acquiredAt: second, isLongTerm: false },
          ),
        )
      given(...two)
        .when('dispose', { ...sell, quantity: 1n, proceeds: 0n, method: 'hifo' })
        .then(
          disposed(
            { method: 'hifo', quantity: 1n, proceeds: 0n },
            { lot: 'b', quantity: 1n, cost: 1_200n, proceeds: 0n, acquiredAt: second, isLongTerm: false },
          ),
        )
    })
    it('takes the lot that is named', () =>
      given(...two)
        .when('dispose', { ...sell, quantity: 10n, proceeds: 1n, lot: 'b' })
        .then(
          disposed(
            { method: 'named', quantity: 10n, proceeds: 1n },
            { lot: 'b', quantity: 10n, cost: 12_000n, proceeds: 1n, acquiredAt: second, isLongTerm: false },
          ),
        ))
    it('refuses a choice that is left, and takes all where none is', () => {
      const named = [opened({ method: 'named' }), ...two.slice(1)]
      given(...named)
        .when('dispose', { ...sell, quantity: 19n, proceeds: 0n })
        .rejects('lots_ambiguous')
      given(...named)
        .when('dispose', { ...sell, quantity: 20n, proceeds: 0n })
        .then(
          disposed(
            { method: 'named', quantity: 20n, proceeds: 0n },
            { lot: 'a', quantity: 10n, cost: 10_100n, proceeds: 0n },
            { lot: 'b', quantity: 10n, cost: 12_000n, proceeds: 0n, acquiredAt: second, isLongTerm: false },
          ),
        )
    })
    it('refuses what is not there', () => {
      const rejects = (body: object, code: string) =>
        given(...two)
          .when('dispose', { ...sell, quantity: 1n, proceeds: 0n, ...body })
          .rejects(code)
      rejects({ quantity: 21n }, 'holding_insufficient')
      rejects({ account: 'other' }, 'holding_insufficient')
      rejects({ lot: 'c' }, 'lot_unknown')
      rejects({ lot: 'a', quantity: 11n }, 'lots_insufficient')
      rejects({ price: '11' }, 'lot_unknown')
      rejects({ acquired_on: '2025-06-30', quantity: 11n }, 'lots_insufficient')
      rejects({ at: '2025-01-01T00:00:00.000Z' }, 'lot_unknown')
      rejects({ at: first, quantity: 11n }, 'lots_insufficient')
    })
    it('takes lots of other accounts only where the position is one pool', () => {
      const elsewhere = acquired('b', 10n, 12_000n, { ...later, account: 'other' })
      given(opened(), acquired('a', 10n, 10_100n), elsewhere)
        .when('dispose', { ...sell, account: 'other', quantity: 10n, proceeds: 0n })
        .then(
          disposed(
            { account: 'other', quantity: 10n, proceeds: 0n },
            { lot: 'b', quantity: 10n, cost: 12_000n, proceeds: 0n, acquiredAt: second, isLongTerm: false },
          ),
        )
      given(opened({ pool: 'position' }), acquired('a', 10n, 10_100n), elsewhere)
        .when('dispose', { ...sell, account: 'other', quantity: 10n, proceeds: 0n })
        .then(
          disposed(
            { account: 'other', quantity: 10n, proceeds: 0n },
            { lot: 'a', quantity: 10n, cost: 10_100n, proceeds: 0n },
          ),
        )
    })
  })

  it('receives dividends', () =>
    given(opened())
      .when('receive', { amount: 450n, description: 'For 2025' })
      .then({
        type: 'DividendReceived',
        data: { dividend: 'made-0', amount: 450n, receivedAt: CONTEXT.at, ...unit, description: 'For 2025' },
      }))
})
