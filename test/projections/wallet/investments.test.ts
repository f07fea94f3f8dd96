import { gains } from '../../../projections/wallet/gains.ts'
import { holdings } from '../../../projections/wallet/holdings.ts'
import { investments } from '../../../projections/wallet/investments.ts'
import { lots } from '../../../projections/wallet/lots.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { CONTEXT } from '../../support/spec.ts'

const unit = { asset: 'ACME', currency: 'EUR', places: 2, quantityPlaces: 0 }
const first = '2025-01-31T12:00:00.000Z'
const opened = {
  type: 'InvestmentOpened',
  data: {
    wallet: 'studio',
    owner: 'user-1',
    kind: 'equity',
    title: 'Acme',
    ...unit,
    method: 'fifo',
    pool: 'account',
    longTermDays: 365,
  },
}
const acquired = (lot: string, quantity: bigint, cost: bigint, more: object = {}) => ({
  type: 'LotAcquired',
  data: {
    lot,
    account: 'main',
    type: 'buy',
    isIncome: false,
    quantity,
    cost,
    price: '10',
    acquiredAt: first,
    ...unit,
    ...more,
  },
})
const part = { lot: 'a', quantity: 4n, cost: 4_000n, proceeds: 5_000n, acquiredAt: first, isLongTerm: true }
const disposed = {
  type: 'LotsDisposed',
  data: {
    disposal: 'd',
    account: 'main',
    type: 'sell',
    quantity: 5n,
    feeQuantity: 1n,
    proceeds: 7_000n,
    disposedAt: CONTEXT.at,
    method: 'fifo',
    parts: [part, { ...part, lot: 'b', quantity: 2n, cost: 3_000n, proceeds: 2_000n, isLongTerm: false }],
    ...unit,
  },
}
const staked = acquired('b', 5n, 7_500n, { type: 'staking', isIncome: true })
const book = [opened, acquired('a', 4n, 4_000n), staked, disposed]
const moved = (...parts: object[]) => ({
  type: 'LotsMoved',
  data: { from: 'main', to: 'vault', quantity: 3n, movedAt: CONTEXT.at, parts, ...unit },
})
const split = {
  type: 'LotsSplit',
  data: {
    numerator: 2,
    denominator: 1,
    splitAt: CONTEXT.at,
    change: 3n,
    lots: [{ lot: 'b', quantity: 6n, price: '5' }],
    accounts: [{ account: 'main', quantity: 6n }],
    ...unit,
  },
}
const dividend = { type: 'DividendReceived', data: { dividend: 'x', amount: 450n, receivedAt: first, ...unit } }

/** The sale taken back: what went is there again. */
const reversed = {
  type: 'TradeReversed',
  data: {
    revision: 3n,
    trade: 'dispose',
    happenedAt: CONTEXT.at,
    lots: [
      { lot: 'a', quantity: 4n, cost: 4_000n, account: 'main', price: '10', acquiredAt: first, order: 0 },
      { lot: 'b', quantity: 5n, cost: 7_500n, account: 'main', price: '10', acquiredAt: first, order: 1 },
    ],
    removed: [],
    accounts: [{ account: 'main', change: 6n }],
    quantity: 6n,
    cost: 7_000n,
    gain: 0n,
    income: 0n,
    realised: disposed.data.parts.map(one => ({ ...one, account: 'main', type: 'sell' })),
    ...unit,
    reason: 'By mistake',
  },
}

describe('rows: investments', () => {
  const { given } = rowsFor(investments)

  it('say what is held, what it cost, and what it brought', async () => {
    await given(opened).then({ id: CONTEXT.id, asset: 'ACME', quantity: 0n, cost: 0n, gain: 0n, income: 0n })
    await given(...book, split, dividend).then({ quantity: 6n, cost: 4_500n, gain: 0n, income: 7_950n, revision: 5n })
  })
  it('are as before a trade that is taken back', () =>
    given(...book, reversed).then({ quantity: 9n, cost: 11_500n, gain: 0n, income: 7_500n }))
  it('change', () =>
    given(opened, { type: 'InvestmentChanged', data: { title: null, method: 'lifo' } }).then({
      title: undefined,
      method: 'lifo',
      long_term_days: 365,
    }))
})

describe('rows: lots', () => {
  const { given } = rowsFor(lots)

  it('say what is left of each, and what it began with', () =>
    given(...book).then(
      { lot: 'a', status: 'closed', quantity: 0n, cost: 0n, acquired_quantity: 4n, acquired_cost: 4_000n },
      { lot: 'b', status: 'open', type: 'staking', quantity: 3n, cost: 4_500n, acquired_quantity: 5n, revision: 3n },
    ))
  it('move whole, or in part as a lot of their own', async () => {
    const whole = { lot: 'b', into: 'b', quantity: 3n, cost: 4_500n, price: '10', acquiredAt: first }
    await given(...book, moved(whole)).then({ lot: 'a' }, { lot: 'b', account: 'vault', quantity: 3n, cost: 4_500n })
    const some = { ...whole, into: 'c', quantity: 1n, cost: 1_500n }
    await given(...book, moved(some)).then(
      { lot: 'a', account: 'main' },
      { lot: 'b', account: 'main', quantity: 2n, cost: 3_000n, status: 'open' },
      { lot: 'c', account: 'vault', quantity: 1n, cost: 1_500n, origin: 'b', acquired_at: first, asset: 'ACME' },
    )
  })
  it('are as before a trade that is taken back, those that it made are gone', async () => {
    await given(...book, reversed).then(
      { lot: 'a', status: 'open', quantity: 4n, cost: 4_000n },
      { lot: 'b', status: 'open', quantity: 5n, cost: 7_500n },
    )
    const purchase = { ...reversed.data, revision: 1n, trade: 'acquire', lots: [], removed: ['a'], realised: [] }
    await given(opened, acquired('a', 4n, 4_000n), { type: 'TradeReversed', data: purchase }).then()
  })
  it('are split', () =>
    given(...book, split).then({ lot: 'a', quantity: 0n }, { lot: 'b', quantity: 6n, cost: 4_500n, price: '5' }))
})

describe('rows: gains', () => {
  const { given } = rowsFor(gains)

  it('has a row for each part of a lot that went, and for each income', () =>
    given(...book, dividend).then(
      {
        revision: 2n,
        lot: 'b',
        type: 'staking',
        term: 'short',
        proceeds: 7_500n,
        cost: 0n,
        gain: 7_500n,
        year: '2025',
      },
      { revision: 3n, line: 0, lot: 'a', type: 'sell', term: 'long', quantity: 4n, gain: 1_000n, year: '2026' },
      { revision: 3n, line: 1, lot: 'b', type: 'sell', term: 'short', quantity: 2n, gain: -1_000n },
      { revision: 4n, type: 'dividend', quantity: 0n, proceeds: 450n, gain: 450n, year: '2025' },
    ))
})

describe('rows: holdings', () => {
  const { given } = rowsFor(holdings)

  it('has what each event changed, by the day that it counts for', () =>
    given(...book, moved(), split, dividend).then(
      { revision: 1n, day: '2025-01-31', quantity: 4n, cost: 4_000n, asset: 'ACME' },
      { revision: 2n, day: '2025-01-31', quantity: 5n, cost: 7_500n },
      { revision: 3n, day: '2026-01-31', quantity: -6n, cost: -7_000n },
      { revision: 5n, day: '2026-01-31', quantity: 3n, cost: 0n },
    ))
})
