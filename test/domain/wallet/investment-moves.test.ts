import { investment } from '../../../domain/wallet/investment/investment.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'
import { acquired, disposed, type Fact, first, opened, second, two, unit } from './position.ts'

const sell = { account: 'main', type: 'sell' } as const

describe('investment', () => {
  const { given } = specFor(investment)

  describe('move', () => {
    const moved = (quantity: bigint, ...parts: object[]): Fact => ({
      type: 'LotsMoved',
      data: {
        from: 'main',
        to: 'vault',
        quantity,
        movedAt: CONTEXT.at,
        parts: parts.map(part => ({ price: '10', acquiredAt: first, ...part })) as never,
        ...unit,
      },
    })
    const way = { from: 'main', to: 'vault' }

    it('keeps price and time; a part of a lot becomes a lot', () =>
      given(...two)
        .when('move', { ...way, quantity: 15n })
        .then(
          moved(
            15n,
            { lot: 'a', into: 'a', quantity: 10n, cost: 10_100n },
            { lot: 'b', into: 'made-3', quantity: 5n, cost: 6_000n, price: '12', acquiredAt: second },
          ),
        ))
    it('disposes of what does not arrive', () =>
      given(...two)
        .when('move', { ...way, quantity: 3n, received: 2n, fee_value: 1_500n })
        .then(
          disposed(
            { type: 'move', quantity: 1n, proceeds: 1_500n },
            { lot: 'a', quantity: 1n, cost: 1_010n, proceeds: 1_500n },
          ),
          moved(2n, { lot: 'a', into: 'made-2', quantity: 2n, cost: 2_020n }),
        ))
    it('moves nothing where all of it is lost', () =>
      given(...two)
        .when('move', { ...way, quantity: 1n, received: 0n, fee_value: 1_500n })
        .then(
          disposed(
            { type: 'move', quantity: 1n, proceeds: 1_500n },
            { lot: 'a', quantity: 1n, cost: 1_010n, proceeds: 1_500n },
          ),
        ))
    it('moves no lots where the position is one pool', () =>
      given(opened({ pool: 'position' }), acquired('a', 10n, 10_100n))
        .when('move', { ...way, quantity: 3n })
        .then(moved(3n)))
    it('does nothing within an account', () =>
      given(...two)
        .when('move', { from: 'main', to: 'main', quantity: 3n })
        .changesNothing())
    it('refuses more than there is, more than was sent, and a fee without a value', () => {
      const rejects = (body: object, code: string) =>
        given(...two)
          .when('move', { ...way, quantity: 3n, ...body })
          .rejects(code)
      rejects({ quantity: 21n }, 'holding_insufficient')
      rejects({ received: 4n }, 'move_receives_more')
      rejects({ received: 2n }, 'fee_value_missing')
    })
    it('leaves lots that can be sold there', () => {
      const facts = [...two, moved(10n, { lot: 'a', into: 'a', quantity: 10n, cost: 10_100n })]
      given(...facts)
        .when('dispose', { ...sell, account: 'vault', quantity: 10n, proceeds: 0n })
        .then(
          disposed(
            { account: 'vault', quantity: 10n, proceeds: 0n },
            { lot: 'a', quantity: 10n, cost: 10_100n, proceeds: 0n },
          ),
        )
    })
  })

  describe('split', () => {
    const split = (numerator: number, denominator: number, lots: object[], quantity: bigint, change: bigint): Fact => ({
      type: 'LotsSplit',
      data: {
        numerator,
        denominator,
        splitAt: CONTEXT.at,
        change,
        lots: lots as never,
        accounts: [{ account: 'main', quantity }],
        ...unit,
      },
    })
    it('changes quantities and prices, and no cost', () => {
      const lots = [
        { lot: 'a', quantity: 20n, price: '5' },
        { lot: 'b', quantity: 20n, price: '6' },
      ]
      given(...two)
        .when('split', { numerator: 2, denominator: 1 })
        .then(split(2, 1, lots, 40n, 20n))
      given(...two, split(2, 1, lots, 40n, 20n))
        .when('dispose', { ...sell, quantity: 20n, proceeds: 0n })
        .then(disposed({ quantity: 20n, proceeds: 0n }, { lot: 'a', quantity: 20n, cost: 10_100n, proceeds: 0n }))
    })
    it('keeps the sum where lots have fractions', () =>
      given(...two)
        .when('split', { numerator: 1, denominator: 4 })
        .then(
          split(
            1,
            4,
            [
              { lot: 'a', quantity: 3n, price: '40' },
              { lot: 'b', quantity: 2n, price: '48' },
            ],
            5n,
            -15n,
          ),
        ))
    it('leaves in each account what its lots add up to', () =>
      given(opened(), acquired('a', 10n, 1n), acquired('b', 1n, 1n, { account: 'vault' }), acquired('c', 5n, 1n))
        .when('split', { numerator: 1, denominator: 2 })
        .then({
          type: 'LotsSplit',
          data: {
            numerator: 1,
            denominator: 2,
            splitAt: CONTEXT.at,
            change: -8n,
            lots: [
              { lot: 'a', quantity: 5n, price: '20' },
              { lot: 'b', quantity: 1n, price: '20' },
              { lot: 'c', quantity: 2n, price: '20' },
            ],
            accounts: [
              { account: 'main', quantity: 7n },
              { account: 'vault', quantity: 1n },
            ],
            ...unit,
          },
        }))
    it('is refused for a time before something that was recorded', () => {
      given(...two)
        .when('split', { numerator: 2, denominator: 1, at: first })
        .rejects('split_too_early')
    })
    it('refuses to leave nothing of a lot, and to split nothing', () => {
      given(...two)
        .when('split', { numerator: 1, denominator: 100 })
        .rejects('split_too_small')
      given(opened()).when('split', { numerator: 2, denominator: 1 }).rejects('lots_insufficient')
      given(...two)
        .when('split', { numerator: 3, denominator: 3 })
        .changesNothing()
    })
  })
})
