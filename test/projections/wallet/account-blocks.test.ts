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

describe('rows: account blocks', () => {
  it('add up what was posted to each account in blocks for each month, and say when that was', () =>
    rowsFor(accountBlocks)
      .given(...from(3n << BigInt(NARROW)))
      .then(...booked.map(row => ({ ...row, bits: 12n, block: 3n }))))

  it('are of two sizes where a wallet has very many entries', () => {
    const blockOf = { 12: 32n, 16: 2n } as const
    const sizes = ([12, 16] as const).map(bits =>
      booked.map(row => ({ ...row, bits: BigInt(bits), block: blockOf[bits] })),
    )
    const rows = sizes.flat()
    const keyOf = ({
      account,
      currency,
      bits,
      month,
      unit,
    }: (typeof rows)[number] & { month?: string; unit?: string }) => [account, currency, bits, month, unit].join()
    return rowsFor(accountBlocks)
      .given(...from(2n << BigInt(WIDE)))
      .then(...rows.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)))
  })

  it('are none of the first entries of a wallet, whose postings are read', () =>
    rowsFor(accountBlocks)
      .given(...withGold)
      .then())
})
