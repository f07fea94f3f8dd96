import { serialize } from 'node:v8'
import { expect } from 'chai'
import { investment } from '../../../domain/wallet/investment/investment.ts'
import { type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, stateOf } from '../../support/spec.ts'
import { opened as positionOpened } from './position.ts'

const FEW = 1_000
const MANY = process.env.KOGI_LONG ? 50_000 : 10 * FEW
const sizeOf = (state: unknown) => serialize(state).length

/** A wallet, and the commands that are decided and folded on it, each of its own day, month and id. */
class Book {
  state: Wallet = wallet.initial
  #commands = 0

  give(name: keyof typeof wallet.decide, body: object, more: object = {}): void {
    this.#commands += 1
    const id = this.#commands
    // Ids of one length, so that sizes can be compared.
    const newId = (n: number) => `made-${String(id).padStart(8, '0')}-${n}`
    const context = { ...CONTEXT, newId, ...more }
    const decide = wallet.decide[name] as (...given: unknown[]) => readonly { type: 'EntryPosted'; data: never }[]
    for (const { type, data } of decide(this.state, body, context)) {
      this.state = wallet.evolve[type](this.state, data, context.at)
    }
  }
}

describe('the state of a wallet', function () {
  this.timeout(60_000)

  function rounds(book: Book, from: number, to: number): void {
    const eur = { account: 'main', currency: 'EUR' }
    for (let n = from; n < to; n += 1) {
      const said = { reference: `R${n}`, description: `Entry ${n}`, tags: [`tag-${n}`], counterparty: `external:c${n}` }
      book.give('credit', { ...eur, amount: 300n, ...said, effective_on: `20${10 + (n % 15)}-01-01` })
      book.give('debit', { ...eur, amount: 100n, ...said })
      const postings = [
        { ...eur, amount: -100n },
        { account: 'savings', currency: 'EUR', amount: 100n },
      ]
      book.give('post', { postings, ...said, metadata: { n } })
      book.give('post', { postings: postings.map(one => ({ ...one, amount: -one.amount })) })
      // Money that counts for tomorrow is there tomorrow.
      book.give('credit', { ...eur, amount: 1n, ...said, effective_on: '2026-02-01' })
      book.give('debit', { ...eur, amount: 1n, ...said })
      book.give('debit', { ...eur, amount: 200n, ...said })
    }
  }

  it('does not grow with its entries', () => {
    const book = new Book()
    book.give('open', { kind: 'business', owner: 'mira' })
    for (const account of ['main', 'savings']) {
      book.give('openAccount', { account, currency: 'EUR', overdraft: 'allowed', limit: 1_000_000n })
    }
    book.give('hold', { account: 'main', currency: 'EUR', hold: 'open', amount: 5n })
    rounds(book, 0, FEW)
    const few = sizeOf(book.state)
    rounds(book, FEW, MANY)
    expect(sizeOf(book.state) - few, `${few} bytes after ${FEW} rounds`).to.be.below(64)
    expect(few).to.be.below(4_096)
  })

  it('grows with its accounts and open holds, and is small again without them', () => {
    const book = new Book()
    book.give('open', { kind: 'business', owner: 'mira' })
    const begun = sizeOf(book.state)
    for (let n = 0; n < 100; n += 1)
      book.give('openAccount', { account: `a${n}`, currency: 'EUR', overdraft: 'allowed' })
    const accounts = sizeOf(book.state)
    expect(accounts - begun).to.be.above(100 * 20)
    for (let n = 0; n < 100; n += 1) {
      book.give('hold', { account: `a${n}`, currency: 'EUR', hold: `h${n}`, amount: 5n })
    }
    const holds = sizeOf(book.state)
    expect(holds - accounts).to.be.above(100 * 20)
    for (let n = 0; n < 100; n += 1) book.give('release', { hold: `h${n}` })
    // It remembers how the last holds ended: some bytes for each, of ten thousand at most.
    expect(sizeOf(book.state)).to.be.below(holds)
  })

  it('remembers a fixed number of ended holds, however many there were', () => {
    const book = new Book()
    book.give('open', { kind: 'business', owner: 'mira' })
    book.give('openAccount', { account: 'a', currency: 'EUR', overdraft: 'allowed' })
    const holds = (from: number, to: number) => {
      for (let n = from; n < to; n += 1) {
        const hold = `h${String(n).padStart(8, '0')}`
        book.give('hold', { account: 'a', currency: 'EUR', hold, amount: 5n })
        book.give(n % 2 === 0 ? 'release' : 'capture', { hold, ...(n % 2 === 1 && { counterparty: 'external:x' }) })
      }
    }
    holds(0, 10_000)
    const full = sizeOf(book.state)
    holds(10_000, 13_000)
    expect(Math.abs(sizeOf(book.state) - full) / full).to.be.below(0.02)
  })
})

describe('the state of an investment', () => {
  it('does not grow with its trades, only with open lots', () => {
    let state = stateOf(investment, [positionOpened()])
    let trades = 0
    const trade = (name: 'acquire' | 'dispose', body: object) => {
      trades += 1
      const id = trades
      const context = { ...CONTEXT, newId: (n: number) => `made-${String(id).padStart(8, '0')}-${n}` }
      const decide = investment.decide[name] as (...given: unknown[]) => readonly { type: 'LotAcquired'; data: never }[]
      for (const { type, data } of decide(state, body, context))
        state = investment.evolve[type](state, data, context.at)
    }
    const rounds = (from: number, to: number) => {
      for (let n = from; n < to; n += 1) {
        trade('acquire', { account: 'main', quantity: 10n, cost: 1_000n, type: 'buy' })
        trade('dispose', { account: 'main', quantity: 10n, proceeds: 1_100n, type: 'sell' })
      }
    }
    for (let n = 0; n < 20; n += 1) trade('acquire', { account: 'main', quantity: 10n, cost: 1_000n, type: 'buy' })
    rounds(0, 200)
    const few = sizeOf(state)
    rounds(200, 2_000)
    expect(Math.abs(sizeOf(state) - few), `${few} bytes`).to.be.below(64)
  })
})
