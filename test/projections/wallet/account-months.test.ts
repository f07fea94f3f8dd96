import { accountMonths } from '../../../projections/wallet/account-months.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { withGold } from './book.ts'

describe('rows: account months', () => {
  it('add up what was posted to each account for each month, in each unit, external accounts too', () => {
    const sums = (account: string, credits: bigint, debits: bigint, lines: bigint, more: object = {}) => ({
      account,
      currency: 'EUR',
      month: '2026-02',
      unit: 'usual',
      credits,
      debits,
      lines,
      ...more,
    })
    return rowsFor(accountMonths)
      .given(...withGold)
      .then(
        sums('external:client', 0n, 500n, 1n),
        sums('external:fee', 100n, 0n, 1n),
        sums('external:mint', 0n, 125n, 1n, { currency: 'GAU', unit: '3' }),
        sums('external:mint', 0n, 2n, 1n, { currency: 'GAU' }),
        sums('main', 500n, 200n, 3n),
        sums('main', 2n, 0n, 1n, { currency: 'GAU' }),
        sums('main', 125n, 0n, 1n, { currency: 'GAU', unit: '3', month: '2026-03' }),
        sums('taxes', 100n, 0n, 1n),
      )
  })
})
