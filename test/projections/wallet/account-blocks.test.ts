import { accountBlocks } from '../../../projections/wallet/account-blocks.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { withGold } from './book.ts'

describe('rows: account blocks', () => {
  it('add up what was posted to each account in blocks of two sizes for each month, and say when that was', () => {
    const sums = (account: string, credits: bigint, debits: bigint, lines: bigint, more: object = {}) =>
      [12n, 16n].map(bits => ({
        account,
        currency: 'EUR',
        bits,
        block: 0n,
        month: '2026-02',
        unit: 'usual',
        credits,
        debits,
        lines,
        ...more,
      }))
    const gold = { currency: 'GAU' }
    const finer = { ...gold, unit: '3' }
    const [mint, mintFiner] = [sums('external:mint', 0n, 2n, 1n, gold), sums('external:mint', 0n, 125n, 1n, finer)]
    const main = sums('main', 2n, 0n, 1n, gold)
    const mainFiner = sums('main', 125n, 0n, 1n, { ...finer, month: '2026-03' })
    return rowsFor(accountBlocks)
      .given(...withGold)
      .then(
        ...sums('external:client', 0n, 500n, 1n),
        ...sums('external:fee', 100n, 0n, 1n),
        ...[0, 1].flatMap(size => [mintFiner[size]!, mint[size]!]),
        ...sums('main', 500n, 200n, 3n),
        ...[0, 1].flatMap(size => [main[size]!, mainFiner[size]!]),
        ...sums('taxes', 100n, 0n, 1n),
      )
  })
})
