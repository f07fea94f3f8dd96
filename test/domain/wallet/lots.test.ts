import { expect } from 'chai'
import fc from 'fast-check'
import { membersOf } from '../../../domain/record/keyed.ts'
import { investment } from '../../../domain/wallet/investment/investment.ts'
import { divided, isLongTerm, type Lot, METHODS, type Method, take } from '../../../domain/wallet/investment/lots.ts'
import type { Investment, OpenInvestment } from '../../../domain/wallet/investment/state.ts'
import { CONTEXT, codeOf } from '../../support/spec.ts'

const RUNS = process.env.KOGI_LONG ? 5_000 : 200
const at = (day: number) => `2025-01-${String(day).padStart(2, '0')}T00:00:00.000Z`
const days = fc.integer({ min: 1, max: 9 })
const lots: fc.Arbitrary<Lot[]> = fc
  .array(
    fc.record({
      quantity: fc.bigInt(1n, 50n),
      cost: fc.bigInt(0n, 10_000n),
      price: fc.constantFrom('1', '1.5', '2.25', '10'),
      acquiredAt: days.map(at),
    }),
    { maxLength: 8 },
  )
  .map(all => all.map((lot, order) => ({ ...lot, lot: `lot-${order}`, account: 'main', order })))

/** The naive way: single units, each the cheapest, dearest, first or last of what is left. */
function oneByOne(all: readonly Lot[], quantity: bigint, method: Method): Map<string, bigint> {
  const left = new Map(all.map(lot => [lot, lot.quantity]))
  const better: Record<Method, (a: Lot, b: Lot) => boolean> = {
    fifo: (a, b) => a.acquiredAt < b.acquiredAt || (a.acquiredAt === b.acquiredAt && a.order < b.order),
    lifo: (a, b) => a.acquiredAt > b.acquiredAt || (a.acquiredAt === b.acquiredAt && a.order > b.order),
    hifo: (a, b) => Number(a.price) > Number(b.price) || (a.price === b.price && better.fifo(a, b)),
    lofo: (a, b) => Number(a.price) < Number(b.price) || (a.price === b.price && better.fifo(a, b)),
    named: () => false,
  }
  const taken = new Map<string, bigint>()
  for (let n = 0n; n < quantity; n += 1n) {
    const there = [...left.keys()].filter(lot => left.get(lot)! > 0n)
    const best = there.reduce((found, lot) => (better[method](lot, found) ? lot : found))
    left.set(best, left.get(best)! - 1n)
    taken.set(best.lot, (taken.get(best.lot) ?? 0n) + 1n)
  }
  return taken
}

describe('lots', () => {
  it('are taken as one unit after another would be', () =>
    fc.assert(
      fc.property(lots, fc.bigInt(1n, 120n), days, fc.constantFrom(...METHODS), (all, quantity, day, method) => {
        const there = all.filter(({ acquiredAt }) => acquiredAt <= at(day))
        const sum = there.reduce((total, lot) => total + lot.quantity, 0n)
        const run = () => take(all, { quantity, method, at: at(day) })
        const isAmbiguous = method === 'named' && there.length > 1 && quantity < sum
        const refusal = there.length === 0 ? 'lot_unknown' : sum < quantity ? 'lots_insufficient' : undefined
        expect(codeOf(run)).to.equal(refusal ?? (isAmbiguous ? 'lots_ambiguous' : undefined))
        const found = refusal === undefined && !isAmbiguous ? run() : []
        if (found.length === 0) return
        const wanted = method === 'named' ? oneByOne(there, quantity, 'fifo') : oneByOne(there, quantity, method)
        expect(found.map(({ lot, quantity: part }) => [lot.lot, part])).to.deep.equal([...wanted])
        for (const { lot, quantity: part, cost } of found) {
          // The share of the cost is off by half a unit at most.
          const off = 2n * (cost * lot.quantity - lot.cost * part)
          expect(off <= lot.quantity && off >= -lot.quantity).to.equal(true)
        }
      }),
      { numRuns: RUNS },
    ))

  it('name the candidates where a choice is left', () => {
    const lot = (n: number): Lot => ({
      lot: `lot-${n}`,
      account: 'main',
      quantity: 10n,
      cost: 1_000n,
      price: '1',
      acquiredAt: at(n),
      order: n,
    })
    try {
      take([lot(2), lot(1)], { quantity: 5n, method: 'named', at: at(9) })
      expect.fail('nothing was refused')
    } catch (error) {
      const { details } = error as { details: { field: string; message: string }[] }
      expect(details).to.deep.equal([
        { field: 'candidates', message: '2' },
        { field: 'lot lot-1', message: '10 at 1, acquired 2025-01-01T00:00:00.000Z' },
        { field: 'lot lot-2', message: '10 at 1, acquired 2025-01-02T00:00:00.000Z' },
      ])
    }
  })

  it('divide an amount without loss', () =>
    fc.assert(
      fc.property(fc.bigInt(-1_000n, 1_000n), fc.array(fc.bigInt(1n, 9n), { minLength: 1 }), (amount, sizes) => {
        const shares = divided(amount, sizes)
        expect(shares.reduce((sum, share) => sum + share, 0n)).to.equal(amount)
        const whole = sizes.reduce((sum, size) => sum + size, 0n)
        for (const [n, share] of shares.entries()) {
          const off = share * whole - amount * sizes[n]!
          expect(off <= whole && off >= -whole).to.equal(true)
        }
      }),
      { numRuns: RUNS },
    ))

  it('are long-term from so many whole days on', () => {
    const from = '2023-06-30T12:00:00.500Z'
    expect(isLongTerm(from, '2024-06-29T12:00:00.499Z', 365)).to.equal(false)
    expect(isLongTerm(from, '2024-06-29T12:00:00.500Z', 365)).to.equal(true)
    expect(isLongTerm(from, from, 0)).to.equal(true)
  })
})

type Step = { readonly name: 'acquire' | 'dispose' | 'move' | 'split'; readonly body: object }
const account = fc.constantFrom('main', 'vault')
const quantity = fc.bigInt(1n, 60n)
const when = fc.integer({ min: 1, max: 28 }).map(at)
const how = { method: fc.constantFrom(...METHODS, undefined), at: when }
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .record({
      account,
      quantity,
      cost: fc.bigInt(0n, 9_999n),
      type: fc.constantFrom('buy', 'staking'),
      at: when,
      fee_quantity: fc.constantFrom(undefined, undefined, 1n),
    })
    .map(body => ({ name: 'acquire' as const, body })),
  fc
    .record({ account, quantity, proceeds: fc.bigInt(0n, 9_999n), type: fc.constant('sell'), ...how })
    .map(body => ({ name: 'dispose' as const, body })),
  fc
    .record({ from: account, to: account, quantity, fee_value: fc.bigInt(0n, 99n), ...how })
    .chain(body =>
      fc.bigInt(1n, body.quantity).map(received => ({ name: 'move' as const, body: { ...body, received } })),
    ),
  fc
    .record({ numerator: fc.integer({ min: 1, max: 4 }), denominator: fc.integer({ min: 1, max: 7 }) })
    .map(body => ({ name: 'split' as const, body })),
)

describe('an investment, whatever happens', () => {
  const { decide, evolve, initial } = investment
  const opened = (pool: 'position' | 'account') =>
    evolve.InvestmentOpened(
      initial,
      {
        wallet: 'w',
        owner: 'o',
        kind: 'equity',
        asset: 'A',
        currency: 'EUR',
        places: 2,
        quantityPlaces: 0,
        method: 'fifo',
        pool,
        longTermDays: 365,
      },
      CONTEXT.at,
    )

  it('has lots that add up to what the accounts hold, and loses no cost and no proceeds', () =>
    fc.assert(
      fc.property(fc.constantFrom('position', 'account'), fc.array(step, { maxLength: 30 }), (pool, steps) => {
        let state: Investment = opened(pool)
        let [bought, spent, cameIn, realised] = [0n, 0n, 0n, 0n]
        for (const [n, { name, body }] of steps.entries()) {
          const context = { ...CONTEXT, newId: (m: number) => `${n}-${m}` }
          let facts: ReturnType<typeof decide.acquire> = []
          codeOf(() => {
            facts = decide[name](state, body as never, context)
          })
          for (const { type, data } of facts) {
            state = evolve[type](state, data as never, CONTEXT.at)
            if (type === 'LotAcquired') bought += data.cost
            if (type === 'LotsDisposed') {
              cameIn += data.proceeds
              spent += data.parts.reduce((sum, part) => sum + part.cost, 0n)
              realised += data.parts.reduce((sum, part) => sum + part.proceeds, 0n)
              const taken = data.parts.reduce((sum, part) => sum + part.quantity, 0n)
              expect(taken).to.equal(data.quantity + data.feeQuantity)
            }
          }
          const { lots: open, accounts } = state as OpenInvestment
          const sum = (of: readonly { readonly quantity: bigint }[]) => of.reduce((all, one) => all + one.quantity, 0n)
          expect(sum(membersOf(open))).to.equal(sum(membersOf(accounts)))
          expect(membersOf(open).reduce((all, lot) => all + lot.cost, 0n) + spent).to.equal(bought)
          expect(realised).to.equal(cameIn)
          for (const { quantity } of [...membersOf(open), ...membersOf(accounts)]) expect(quantity > 0n).to.equal(true)
          if (pool === 'position') continue
          for (const { account, quantity } of membersOf(accounts)) {
            expect(sum(membersOf(open).filter(lot => lot.account === account))).to.equal(quantity)
          }
        }
      }),
      { numRuns: RUNS },
    ))
})
