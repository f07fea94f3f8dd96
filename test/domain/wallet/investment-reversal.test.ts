import { expect } from 'chai'
import fc from 'fast-check'
import { Rejection } from '../../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../../domain/kernel/event.ts'
import { investment } from '../../../domain/wallet/investment/investment.ts'
import type { Investment } from '../../../domain/wallet/investment/state.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'
import { acquired, disposed, type Fact, first, later, opened, two, unit } from './position.ts'

/** The context of a reversal of one of the facts. */
const of = (facts: readonly Fact[], revision: number) => ({
  found: { ...facts[revision]!, metadata: { actor: { subject: 'user-1', roles: [] } } } as unknown as DomainEvent,
  before: stateOf(investment, facts.slice(0, revision)),
})

describe('investment', () => {
  const { given } = specFor(investment)
  const lot = (name: string, quantity: bigint, cost: bigint, more: object = {}) => ({
    lot: name,
    quantity,
    cost,
    account: 'main',
    price: '10',
    acquiredAt: first,
    order: 0,
    ...more,
  })
  const none = { lots: [], removed: [], accounts: [], quantity: 0n, cost: 0n, gain: 0n, income: 0n, realised: [] }

  describe('reverse', () => {
    it('takes a purchase back', () =>
      given(...two)
        .when('reverse', { revision: 2n, reason: 'Twice' }, of(two, 2))
        .then({
          type: 'TradeReversed',
          data: {
            ...none,
            revision: 2n,
            trade: 'acquire',
            happenedAt: later.acquiredAt,
            removed: ['b'],
            accounts: [{ account: 'main', change: -10n }],
            quantity: -10n,
            cost: -12_000n,
            ...unit,
            reason: 'Twice',
          },
        }))
    it('takes a sale back: lots that were used up are there again, and what was gained is not', () => {
      const parts = [
        { lot: 'a', quantity: 10n, cost: 10_100n, proceeds: 20_000n },
        { lot: 'b', quantity: 1n, cost: 1_200n, proceeds: 2_000n, acquiredAt: later.acquiredAt, isLongTerm: false },
      ]
      const facts = [...two, disposed({ quantity: 11n, proceeds: 22_000n }, ...parts)]
      given(...facts)
        .when('reverse', { revision: 3n }, of(facts, 3))
        .then({
          type: 'TradeReversed',
          data: {
            ...none,
            revision: 3n,
            trade: 'dispose',
            happenedAt: CONTEXT.at,
            lots: [
              lot('a', 10n, 10_100n),
              lot('b', 10n, 12_000n, { acquiredAt: later.acquiredAt, price: '12', order: 1 }),
            ],
            accounts: [{ account: 'main', change: 11n }],
            quantity: 11n,
            cost: 11_300n,
            gain: -10_700n,
            realised: parts.map(part => ({
              account: 'main',
              type: 'sell' as const,
              acquiredAt: first,
              isLongTerm: true,
              ...part,
            })),
            ...unit,
          },
        })
    })
    it('takes back what was no trade of lots: a dividend', () => {
      const dividend: Fact = {
        type: 'DividendReceived',
        data: { dividend: 'x', amount: 450n, receivedAt: first, ...unit },
      }
      const facts = [...two, dividend]
      const part = { type: 'dividend', isLongTerm: false, quantity: 0n, proceeds: 450n, cost: 0n } as const
      given(...facts)
        .when('reverse', { revision: 3n }, of(facts, 3))
        .then({
          type: 'TradeReversed',
          data: {
            ...none,
            revision: 3n,
            trade: 'receive',
            happenedAt: first,
            income: -450n,
            realised: [part],
            ...unit,
          },
        })
    })
    it('is refused where a later trade changed a lot of it, and where there is no such trade', () => {
      const part = { lot: 'a', quantity: 1n, cost: 1_010n, proceeds: 1n }
      const facts = [...two, disposed({ quantity: 1n, proceeds: 1n }, part)]
      given(...facts)
        .when('reverse', { revision: 1n }, of(facts, 1))
        .rejects('trade_followed')
      given(...facts)
        .when('reverse', { revision: 9n })
        .rejects('trade_unknown')
    })
    it('is refused where what came is no more where it came to', () => {
      const facts = [
        opened({ pool: 'position' }),
        acquired('a', 10n, 10_100n),
        { type: 'LotsMoved', data: { from: 'main', to: 'vault', quantity: 8n, movedAt: first, parts: [], ...unit } },
      ] as Fact[]
      given(...facts)
        .when('reverse', { revision: 1n }, of(facts, 1))
        .rejects('holding_insufficient')
    })

    it('leads back through any history, one trade after another, to exactly the lots before it', () => {
      const account = fc.constantFrom('main', 'vault')
      const quantity = fc.bigInt({ min: 1n, max: 9n })
      const at = fc.constantFrom(first, later.acquiredAt, CONTEXT.at)
      const act = fc.oneof(
        fc.record({
          name: fc.constant('acquire'),
          body: fc.record({ account, quantity, cost: quantity, type: fc.constantFrom('buy', 'staking'), at }),
        }),
        fc.record({
          name: fc.constant('dispose'),
          body: fc.record({ account, quantity, proceeds: quantity, type: fc.constant('sell'), at }),
        }),
        fc.record({ name: fc.constant('move'), body: fc.record({ from: account, to: account, quantity, at }) }),
        fc.record({
          name: fc.constant('split'),
          body: fc.record({ numerator: fc.constantFrom(2, 3), denominator: fc.constantFrom(1, 2) }),
        }),
        fc.record({ name: fc.constant('receive'), body: fc.record({ amount: quantity, at }) }),
      )
      const lotsOf = (state: Investment) => state.status === 'open' && { lots: state.lots, accounts: state.accounts }
      const runs = process.env.KOGI_LONG ? 2_000 : 150
      fc.assert(
        fc.property(
          fc.constantFrom('account', 'position'),
          fc.array(act, { minLength: 1, maxLength: 15 }),
          (pool, acts) => {
            const facts: Fact[] = [opened({ pool })]
            let state: Investment = stateOf(investment, facts)
            const apply = (made: readonly Fact[]) => {
              for (const fact of made) state = investment.evolve[fact.type](state, fact.data as never, CONTEXT.at)
              facts.push(...made)
            }
            for (const [n, { name, body }] of acts.entries()) {
              const newId = (id: number) => `made-${n}-${id}`
              try {
                apply(investment.decide[name as 'acquire'](state, body as never, { ...CONTEXT, newId }))
              } catch (error) {
                if (!(error instanceof Rejection)) throw error
              }
            }
            for (let revision = facts.length - 1; revision > 0; revision -= 1) {
              const context = { ...CONTEXT, ...of(facts, revision) }
              const [fact] = investment.decide.reverse(state, { revision: BigInt(revision) }, context)
              state = investment.evolve.TradeReversed(state, fact!.data as never, CONTEXT.at)
              expect(lotsOf(state)).to.deep.equal(lotsOf(context.before))
            }
          },
        ),
        { numRuns: runs },
      )
    })
  })
})
