import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { EXTERNAL, type events } from '../../../domain/wallet/wallet/messages.ts'
import { availableOf } from '../../../domain/wallet/wallet/state.ts'
import { accountOf, type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, codeOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

/** The n-th day of the tests: through the end of a month and of a year. */
const dayAt = (n: number) => new Date(Date.UTC(2026, 11, 27 + n)).toISOString().slice(0, 10)
const instant = (n: number) => `${dayAt(n)}T12:00:00.000Z`

/** A wallet whose clock the tests move: its facts, each with the day on which it was stated, and its state. */
class Book {
  state: Wallet = wallet.initial
  readonly facts: { readonly fact: Fact; readonly madeOn: number }[] = []

  constructor(accounts: Readonly<Record<string, 'refused' | 'allowed'>>) {
    this.#apply(0, [{ type: 'WalletOpened', data: { owner: 'user-1', kind: 'personal' } }])
    for (const [account, overdraft] of Object.entries(accounts)) {
      this.#apply(0, [{ type: 'AccountOpened', data: { account, currency: 'GAU', places: 0, overdraft } }])
    }
  }

  /** Runs a command on a day and returns the code of its refusal. */
  run<K extends 'post' | 'credit' | 'debit' | 'close'>(
    on: number,
    command: K,
    body: Parameters<(typeof wallet.decide)[K]>[1],
  ): string | undefined {
    return codeOf(() => {
      const context = { ...CONTEXT, at: instant(on) }
      this.#apply(on, wallet.decide[command](this.state, body, context))
    })
  }

  #apply(madeOn: number, facts: readonly Fact[]): void {
    for (const fact of facts) {
      this.facts.push({ fact, madeOn })
      this.state = wallet.evolve[fact.type](this.state, fact.data as never, instant(madeOn))
    }
  }

  available(account: string, on: number): bigint {
    const held = accountOf(this.state, account, 'GAU')!
    return availableOf(held, dayAt(on)) * 10n ** BigInt(3 - (held.places ?? 0))
  }

  /** Every posting of an account in thousandths, the slow way. */
  #postings(account: string) {
    return this.facts.flatMap(({ fact }) => {
      if (fact.type !== 'EntryPosted') return []
      const own = fact.data.postings.filter(posting => posting.account === account)
      return own.map(({ amount, places = 0, effectiveOn = fact.data.effectiveOn }) => ({
        amount: amount * 10n ** BigInt(3 - places),
        on: effectiveOn,
      }))
    })
  }

  naiveAvailable(account: string, on: number): bigint {
    const counting = this.#postings(account).filter(one => one.amount < 0n || one.on <= dayAt(on))
    return counting.reduce((sum, { amount }) => sum + amount, 0n)
  }

  /** What a statement says that the account holds at the end of a day. */
  naiveBalance(account: string, on: number): bigint {
    const counting = this.#postings(account).filter(one => one.on <= dayAt(on))
    return counting.reduce((sum, { amount }) => sum + amount, 0n)
  }
}

const LAST = 12
const account = fc.constantFrom('a', 'b', 'free')
const lines = fc.array(
  fc.record({
    account,
    amount: fc.bigInt(-40n, 40n),
    places: fc.constantFrom(undefined, undefined, undefined, 1, 3),
    /** A day of its own. */
    own: fc.option(fc.integer({ min: 0, max: LAST }), { nil: undefined }),
  }),
  { minLength: 1, maxLength: 3 },
)
const steps = fc.array(
  fc.record({
    lines,
    /** Days that the clock moves on before the entry. */
    pause: fc.constantFrom(0, 0, 0, 1, 2),
    /** Days before or after that day that the entry counts for. */
    shift: fc.integer({ min: -3, max: 4 }),
  }),
  { maxLength: 40 },
)

describe('wallet: entries for days to come', () => {
  const credit = (amount: bigint, on?: number) => ({
    account: 'a',
    currency: 'GAU',
    amount,
    counterparty: `${EXTERNAL}x`,
    ...(on !== undefined && { effective_on: dayAt(on) }),
  })

  it('a credit covers nothing before its day', () => {
    const book = new Book({ a: 'refused' })
    book.run(0, 'credit', credit(100n, 5))
    expect(book.available('a', 4)).to.equal(0n)
    expect(book.run(0, 'debit', credit(1n))).to.equal('insufficient_funds')
    expect(book.run(4, 'debit', credit(1n, 6))).to.equal('insufficient_funds')
    expect(book.run(5, 'debit', credit(100n))).to.equal(undefined)
    expect(book.available('a', 5)).to.equal(0n)
  })

  it('a debit is set aside at once', () => {
    const book = new Book({ a: 'refused' })
    book.run(0, 'credit', credit(100n))
    expect(book.run(0, 'debit', credit(70n, 9))).to.equal(undefined)
    expect(book.run(0, 'debit', credit(31n))).to.equal('insufficient_funds')
    expect(book.run(0, 'debit', credit(30n))).to.equal(undefined)
  })

  it('an entry of an earlier day is checked against what is there now', () => {
    const book = new Book({ a: 'refused' })
    book.run(5, 'credit', credit(100n))
    expect(book.run(6, 'debit', credit(101n, 1))).to.equal('insufficient_funds')
    expect(book.run(6, 'debit', credit(100n, 1))).to.equal(undefined)
  })

  it('what can be spent, and what is accepted, is what a naive reading of all postings says', () =>
    fc.assert(
      fc.property(steps, steps => {
        const book = new Book({ a: 'refused', b: 'refused', free: 'allowed' })
        let now = 0
        for (const { lines, pause, shift } of steps) {
          now += pause
          const before = new Map(['a', 'b'].map(name => [name, book.naiveAvailable(name, now)]))
          const postings = lines.map(({ own, ...line }) => ({
            ...line,
            currency: 'GAU',
            ...(own !== undefined && { effective_on: dayAt(own) }),
          }))
          const sum = postings.reduce((sum, { amount, places = 0 }) => sum + amount * 10n ** BigInt(3 - places), 0n)
          const rest = { account: `${EXTERNAL}x`, currency: 'GAU', amount: -sum, places: 3 }
          const effective_on = dayAt(now + shift)
          const code = book.run(now, 'post', { postings: [...postings, rest], effective_on })
          const isShort = [...before].some(([name, available]) => {
            const mine = postings.filter(one => one.account === name)
            const counting = mine.filter(one => one.amount < 0n || (one.effective_on ?? effective_on) <= dayAt(now))
            const change = counting.reduce((sum, one) => sum + one.amount * 10n ** BigInt(3 - (one.places ?? 0)), 0n)
            return change < 0n && available + change < 0n
          })
          expect(code).to.equal(isShort ? 'insufficient_funds' : undefined)
          for (const name of ['a', 'b', 'free']) {
            for (const day of [now, now + 1, now + 4]) {
              expect(book.available(name, day)).to.equal(book.naiveAvailable(name, day))
            }
          }
          for (let day = now; day <= now + LAST; day += 1) {
            for (const name of ['a', 'b'])
              expect(book.naiveBalance(name, day) >= 0n, `${name} on day ${day}`).to.equal(true)
          }
        }
      }),
      { numRuns: process.env.KOGI_LONG ? 2_000 : 100 },
    ))

  it('the state holds what is still to come, and no more', () => {
    const book = new Book({ a: 'refused' })
    for (let n = 1; n <= 400; n += 1) book.run(0, 'credit', credit(1n, n))
    expect(accountOf(book.state, 'a', 'GAU')!.coming!.total).to.equal(400n)
    book.run(399, 'credit', credit(1n))
    expect(
      JSON.stringify(accountOf(book.state, 'a', 'GAU')!.coming, (_, v) => (typeof v === 'bigint' ? `${v}` : v)),
    ).to.have.length.below(120)
    book.run(400, 'debit', credit(401n))
    expect(accountOf(book.state, 'a', 'GAU')).to.not.have.property('coming')
  })
})
