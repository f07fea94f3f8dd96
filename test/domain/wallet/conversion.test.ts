import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { decimalText } from '../../../domain/wallet/ratetable/decimal.ts'
import { type Conversion, plan } from '../../../domain/wallet/wallet/conversion.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { codeOf, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
const { given } = specFor(wallet)
const opened = (
  account: string,
  currency: string,
  places: number,
  overdraft: 'allowed' | 'refused' = 'allowed',
): Fact => ({
  type: 'AccountOpened',
  data: { account, currency, places, overdraft },
})
const open: Fact[] = [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'personal' } },
  opened('euros', 'EUR', 2),
  opened('dollars', 'USD', 2),
  opened('coins', 'ETH', 18),
  opened('purse', 'EUR', 2, 'refused'),
]
const asked = {
  from_account: 'euros',
  from_currency: 'EUR',
  amount: 10_001n,
  to_account: 'dollars',
  to_currency: 'USD',
  rate: '1.0887',
  exchange_account: 'external:exchange',
  rounding_account: 'external:rounding',
}
const back = { ...asked, from_account: 'dollars', from_currency: 'USD', to_account: 'euros', to_currency: 'EUR' }
const entry = (conversion: object, ...postings: (readonly [string, string, bigint, number?])[]): Fact => ({
  type: 'EntryPosted',
  data: {
    kind: 'conversion',
    conversion: { base: 'EUR', quote: 'USD', rate: '1.0887', ...conversion },
    postings: postings.map(([account, currency, amount, places]) => ({
      account,
      currency,
      amount,
      ...(places !== undefined && { places }),
    })),
    entry: 'made-0',
    effectiveOn: '2026-01-31',
  },
})

describe('conversion', () => {
  it('posts what the rate gives, and what is rounded', () =>
    given(...open)
      .when('convert', { ...asked, rate_source: 'ecb', rate_day: '2015-12-31' })
      .then(
        entry(
          { source: 'ecb', day: '2015-12-31' },
          ['euros', 'EUR', -10_001n],
          ['dollars', 'USD', 10_888n],
          ['external:exchange', 'EUR', 10_001n],
          // 100.01 × 1.0887 is 108.880887 exactly.
          ['external:exchange', 'USD', -108_880_887n, 6],
          ['external:rounding', 'USD', 887n, 6],
        ),
      ))
  it('goes against a rate, and rounds in the currency that this is quoted in', () =>
    given(...open)
      .when('convert', { ...back, amount: 100_000n, rate_base: 'EUR' })
      .then(
        entry(
          {},
          ['dollars', 'USD', -100_000n],
          ['euros', 'EUR', 91_853n],
          ['external:exchange', 'EUR', -91_853n],
          // 918.53 × 1.0887 is 1000.003611 exactly.
          ['external:exchange', 'USD', 1_000_003_611n, 6],
          ['external:rounding', 'USD', -3_611n, 6],
        ),
      ))
  it('posts no rounding where there is none', () =>
    given(...open)
      .when('convert', { ...asked, amount: 10_000n })
      .then(
        entry(
          {},
          ['euros', 'EUR', -10_000n],
          ['dollars', 'USD', 10_887n],
          ['external:exchange', 'EUR', 10_000n],
          ['external:exchange', 'USD', -10_887n],
        ),
      ))
  it('takes what really arrived, if it is the rate up to a minor unit', () => {
    given(...open)
      .when('convert', { ...asked, to_amount: 10_889n })
      .then(
        entry(
          {},
          ['euros', 'EUR', -10_001n],
          ['dollars', 'USD', 10_889n],
          ['external:exchange', 'EUR', 10_001n],
          ['external:exchange', 'USD', -108_880_887n, 6],
          ['external:rounding', 'USD', -9_113n, 6],
        ),
      )
    given(...open)
      .when('convert', { ...asked, to_amount: 10_890n })
      .rejects('conversion_off_rate')
    given(...open)
      .when('convert', { ...asked, to_amount: 10_887n })
      .rejects('conversion_off_rate')
  })
  it('refuses what is no conversion', () => {
    const rejects = (body: object, code: string) =>
      given(...open)
        .when('convert', { ...asked, ...body })
        .rejects(code)
    rejects({ to_account: 'euros', to_currency: 'EUR' }, 'conversion_within_currency')
    rejects({ rate_base: 'ETH' }, 'conversion_rate_of_others')
    rejects({ amount: 1n, rate: '0.1' }, 'conversion_too_small')
    rejects({ from_account: 'coins', from_currency: 'ETH', rate: '0.0000000000001' }, 'conversion_too_small')
    rejects({ to_account: 'nowhere' }, 'account_not_open')
    rejects({ from_account: 'purse' }, 'insufficient_funds')
    rejects(
      { from_account: 'coins', from_currency: 'ETH', amount: 10n ** 18n + 1n, rate: '2000.1234567890123' },
      'conversion_too_fine',
    )
  })
  it('keeps accounts of the wallet in their minor unit', () =>
    given(...open)
      .when('convert', { ...asked, amount: 10_001n, places: 3 })
      .rejects('currency_places_mismatch'))
})

const LONG = process.env.KOGI_LONG ? 5_000 : 300
const places = fc.integer({ min: 0, max: 8 })

describe('a conversion, whatever is converted', () => {
  it('balances in both currencies, with less than a minor unit of rounding', () =>
    fc.assert(
      fc.property(
        fc.bigInt(1n, 10n ** 20n),
        places,
        places,
        fc.bigInt(1n, 10n ** 9n),
        places,
        fc.boolean(),
        (amount, fromPlaces, toPlaces, digits, scale, isForward) => {
          const conversion: Conversion = {
            from: { account: 'a', currency: 'A', amount, places: fromPlaces },
            to: { account: 'b', currency: 'B', places: toPlaces },
            rate: { base: isForward ? 'A' : 'B', rate: decimalText({ digits, scale }) },
            exchange: 'external:x',
            rounding: 'external:r',
          }
          let postings: ReturnType<typeof plan> = []
          const code = codeOf(() => {
            postings = plan(conversion)
          })
          expect(code).to.be.oneOf([undefined, 'conversion_too_small'])
          if (code !== undefined) return
          const inUnits = (one: { amount: bigint; places: number }) => one.amount * 10n ** BigInt(30 - one.places)
          for (const currency of ['A', 'B']) {
            const own = postings.filter(one => one.currency === currency)
            expect(own.reduce((sum, one) => sum + inUnits(one), 0n)).to.equal(0n)
          }
          const [given, taken, base, quote, ...rest] = postings
          expect([given!.amount, given!.account]).to.deep.equal([-amount, 'a'])
          // What the exchange gives and takes is exactly the rate, in fractions of whole numbers.
          const [b, q] = [inUnits(base!), -inUnits(quote!)]
          expect(q * 10n ** BigInt(scale)).to.equal(b * digits)
          expect(taken!.amount > 0n).to.equal(true)
          for (const { amount: left, places: unit } of rest) {
            const [numerator, limit] = [
              left < 0n ? -left : left,
              isForward ? 10n ** BigInt(unit - toPlaces) : undefined,
            ]
            if (limit !== undefined) expect(2n * numerator <= limit).to.equal(true)
          }
        },
      ),
      { numRuns: LONG },
    ))
})
