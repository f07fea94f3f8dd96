import { accountBlocks, NARROW, WIDE } from '../../../projections/wallet/account-blocks.ts'
import { rowsFor } from '../../support/rows-spec.ts'
import { withGold } from './book.ts'

/** The book, as the last of very many events of its wallet. */
const from = (first: bigint) => withGold.map((fact, n) => ({ ...fact, revision: first + BigInt(n) }))

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
const gold = { currency: 'GAU' }
const finer = { ...gold, unit: '3' }
const booked = [
  sums('external:client', 0n, 500n, 1n),
  sums('external:fee', 100n, 0n, 1n),
  sums('external:mint', 0n, 125n, 1n, finer),
  sums('external:mint', 0n, 2n, 1n, gold),
  sums('main', 500n, 200n, 3n),
  sums('main', 2n, 0n, 1n, gold),
  sums('main', 125n, 0n, 1n, { ...finer, month: '2026-03' }),
  sums('taxes', 100n, 0n, 1n),
]

const inBlocks = (bits: bigint, block: bigint) => booked.map(row => ({ ...row, bits, block }))

describe('rows: account blocks', () => {
  it('add up what was posted to each account in blocks of two sizes for each month', () => {
    const [narrow, wide] = [inBlocks(BigInt(NARROW), 64n), inBlocks(BigInt(WIDE), 2n)]
    // In the order of keys: the rows of an account and a currency stand together, narrow ones first.
    const ofOne = (at: number) => `${booked[at]!.account} ${booked[at]!.currency}`
    const places = booked.map((_, at) => at)
    const ends = places.filter(at => at === 0 || ofOne(at) !== ofOne(at - 1))
    const groups = ends.map((from, n) => places.slice(from, ends[n + 1]))
    return rowsFor(accountBlocks)
      .given(...from(2n << BigInt(WIDE)))
      .then(...groups.flatMap(group => [...group.map(at => narrow[at]!), ...group.map(at => wide[at]!)]))
  })

  it('are none of the first entries of a wallet, whose postings are read', () =>
    rowsFor(accountBlocks)
      .given(...withGold)
      .then())
})
