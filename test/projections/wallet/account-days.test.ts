import { accountDays } from '../../../projections/wallet/account-days.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { withGold } from './book.ts'

describe('rows: account days', () => {
  it('add up what was posted to each account for each day, in each unit, external accounts too', () => {
    const sums = (account: string, credits: bigint, debits: bigint, lines: bigint, more: object = {}) => ({
      account,
      currency: 'EUR',
      effective_on: '2026-02-28',
      unit: 'usual',
      credits,
      debits,
      lines,
      ...more,
    })
    return rowsFor(accountDays)
      .given(...withGold)
      .then(
        sums('external:client', 0n, 500n, 1n),
        sums('external:fee', 100n, 0n, 1n),
        sums('external:mint', 0n, 125n, 1n, { currency: 'GAU', unit: '3' }),
        sums('external:mint', 0n, 2n, 1n, { currency: 'GAU' }),
        sums('main', 500n, 200n, 3n),
        sums('main', 2n, 0n, 1n, { currency: 'GAU' }),
        sums('main', 125n, 0n, 1n, { currency: 'GAU', unit: '3', effective_on: '2026-03-02' }),
        sums('taxes', 100n, 0n, 1n),
      )
  })
})
