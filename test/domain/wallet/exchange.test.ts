import { expect } from 'chai'
import fc from 'fast-check'
import { approximated, decimalOf, decimalText, rounded } from '../../../domain/wallet/ratetable/decimal.ts'
import { exchanged, type Rate, waysTo } from '../../../domain/wallet/ratetable/exchange.ts'

const rate = (base: string, quote: string, value: string, day = '2015-12-31'): Rate => ({
  source: 'ecb',
  base,
  quote,
  day,
  rate: value,
})
const ecb = [rate('EUR', 'USD', '1.0887'), rate('EUR', 'JPY', '131.07'), rate('ACME', 'USD', '12.5')]
const cents = { from: 2, to: 2 }
const LONG = process.env.KOGI_LONG ? 5_000 : 200

describe('exchange', () => {
  const valued = (amount: bigint, from: string, to: string, places: { from: number; to: number }, rates = ecb) =>
    exchanged(amount, waysTo(to, rates).get(from)!, places)

  it('goes by a rate, against one, and through other currencies', () => {
    expect(valued(10_000n, 'EUR', 'USD', cents)).to.equal(10_887n)
    expect(valued(10_000n, 'USD', 'EUR', cents)).to.equal(9_185n) // 91.8526…
    expect(valued(10_000n, 'USD', 'JPY', { from: 2, to: 0 })).to.equal(12_039n) // 12,039.13…
    expect(valued(7n, 'ACME', 'JPY', { from: 0, to: 0 })).to.equal(10_534n) // three rates: 10,534.23…
    expect(
      waysTo('JPY', ecb)
        .get('ACME')!
        .rates.map(({ quote }) => quote),
    ).to.deep.equal(['USD', 'USD', 'JPY'])
  })
  it('is one for the currency itself, and unknown without rates', () => {
    expect(valued(5n, 'EUR', 'EUR', { from: 2, to: 3 })).to.equal(50n)
    expect(waysTo('XAU', ecb).get('EUR')).to.equal(undefined)
    expect([...waysTo('EUR', [rate('A', 'B', '1')]).keys()]).to.deep.equal(['EUR'])
  })
  it('takes at most three rates', () => {
    const chain = ['A', 'B', 'C', 'D'].map((code, n) => rate(code, 'BCDE'[n]!, '2'))
    expect([...waysTo('E', chain).keys()].sort().join('')).to.equal('BCDE')
  })
  it('takes the latest of several rates between two currencies, whichever way they are written', () => {
    const rates = [rate('EUR', 'USD', '1.1', '2015-12-30'), rate('USD', 'EUR', '0.5'), rate('EUR', 'USD', '4')]
    expect(valued(100n, 'EUR', 'USD', cents, rates)).to.equal(400n)
    expect(valued(100n, 'EUR', 'USD', cents, rates.slice(0, 2))).to.equal(200n)
    expect(valued(100n, 'EUR', 'USD', cents, rates.slice(0, 1))).to.equal(110n)
  })
  it('prefers fewer rates, then newer ones, then the first code', () => {
    const through = (code: string, value: string, day?: string) => [
      rate('A', code, value, day),
      rate(code, 'Z', '1', day),
    ]
    const [x, y] = [through('X', '2'), through('Y', '3')]
    expect(valued(1n, 'A', 'Z', { from: 0, to: 0 }, [...y, ...x])).to.equal(2n)
    expect(valued(1n, 'A', 'Z', { from: 0, to: 0 }, [...through('X', '2', '2015-12-30'), ...y])).to.equal(3n)
    const direct = rate('A', 'Z', '5', '2015-12-01')
    expect(valued(1n, 'A', 'Z', { from: 0, to: 0 }, [...x, ...y, direct])).to.equal(5n)
  })

  it('rounds a half away from zero, once', () => {
    expect([-15n, -14n, 14n, 15n, 25n].map(n => rounded({ n, d: 10n }))).to.deep.equal([-2n, -1n, 1n, 2n, 3n])
    expect(valued(-1n, 'A', 'B', { from: 0, to: 0 }, [rate('A', 'B', '0.5')])).to.equal(-1n)
    expect(approximated({ n: 2n, d: 3n }, 4)).to.equal('0.6667')
  })
  it('equals a division with fifty digits behind the point', () => {
    const decimal = fc.tuple(fc.bigInt(1n, 10n ** 12n), fc.integer({ min: 0, max: 12 }))
    fc.assert(
      fc.property(fc.bigInt(-(10n ** 25n), 10n ** 25n), decimal, decimal, (amount, [a, i], [b, j]) => {
        const text = (digits: bigint, scale: number) => decimalText({ digits, scale })
        const rates = [rate('EUR', 'A', text(a, i)), rate('EUR', 'B', text(b, j))]
        const found = valued(amount, 'A', 'B', { from: 2, to: 4 }, rates)
        // amount / rate(A) * rate(B) * 100, to fifty digits and cut: off by less than one of the last.
        const size = amount < 0n ? -amount : amount
        const exact = (size * b * 10n ** BigInt(50 + i + 2)) / (a * 10n ** BigInt(j))
        const size2 = found < 0n ? -found : found
        const twice = 2n * (exact - size2 * 10n ** 50n)
        expect(twice >= -(10n ** 50n) - 2n && twice <= 10n ** 50n, `${found} for ${exact}`).to.equal(true)
      }),
      { numRuns: LONG },
    )
  })
  it('comes back to where it began, but for the rounding', () =>
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 30n), fc.bigInt(1n, 10n ** 9n), (amount, digits) => {
        const rates = [rate('A', 'B', decimalText({ digits, scale: 6 }))]
        const there = valued(amount, 'A', 'B', { from: 0, to: 18 }, rates)
        const back = valued(there, 'B', 'A', { from: 18, to: 0 }, rates)
        expect(back - amount <= 1n && amount - back <= 1n).to.equal(true)
      }),
      { numRuns: LONG },
    ))

  it('reads and writes decimals without loss', () =>
    fc.assert(
      fc.property(fc.bigInt(0n, 10n ** 20n - 1n), fc.stringMatching(/^[0-9]{1,18}$/), (whole, rest) => {
        const text = decimalText(decimalOf(`${whole}.${rest}`))
        expect(text).to.equal(`${whole}.${rest}`.replace(/\.?0+$/, match => (match.includes('.') ? '' : '')))
      }),
    ))
})
