/** Facts of a position in shares, for its specifications. */
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { events } from '../../../domain/wallet/investment/messages.ts'
import { CONTEXT } from '../../support/spec.ts'

export type Fact = EventOf<typeof events>
export const unit = { asset: 'ACME', currency: 'EUR', places: 2, quantityPlaces: 0 }
export const opened = (more: object = {}): Fact => ({
  type: 'InvestmentOpened',
  data: {
    wallet: 'studio',
    owner: 'user-1',
    kind: 'equity',
    ...unit,
    method: 'fifo',
    pool: 'account',
    longTermDays: 365,
    ...more,
  },
})
export const first = '2025-01-31T12:00:00.000Z'
export const second = '2025-06-30T12:00:00.000Z'
export const acquired = (lot: string, quantity: bigint, cost: bigint, more: object = {}): Fact => ({
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
export const later = { acquiredAt: second, price: '12' }
export const disposed = (more: object, ...parts: object[]): Fact => ({
  type: 'LotsDisposed',
  data: {
    disposal: 'made-1',
    account: 'main',
    type: 'sell',
    feeQuantity: 0n,
    disposedAt: CONTEXT.at,
    method: 'fifo',
    parts: parts.map(part => ({ acquiredAt: first, isLongTerm: true, ...part })),
    ...unit,
    ...more,
  } as never,
})
export const two = [opened(), acquired('a', 10n, 10_100n), acquired('b', 10n, 12_000n, later)]
