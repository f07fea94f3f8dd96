import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { MAX_MINOR_UNITS } from '../../../domain/kernel/schema.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Posting = { account: string; currency: string; amount: bigint }

const { given } = specFor(wallet)
const effectiveOn = CONTEXT.at.slice(0, 10)
const opened: Fact = { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } }
const closed: Fact = { type: 'WalletClosed', data: {} }

const account = (name: string, currency = 'EUR', places = 2, overdraft: 'refused' | 'allowed' = 'refused'): Fact => ({
  type: 'AccountOpened',
  data: { account: name, currency, places, overdraft },
})
const line = (name: string, amount: bigint, currency = 'EUR'): Posting => ({ account: name, currency, amount })
const entry = (kind: 'credit' | 'debit' | 'journal', ...postings: Posting[]): Fact => ({
  type: 'EntryPosted',
  data: { kind, postings, entry: 'made-0', effectiveOn },
})
const deposited = (name: string, amount: bigint, currency = 'EUR') =>
  entry('credit', line(name, amount, currency), line('external:unspecified', -amount, currency))
const move = (name: string, amount: bigint, currency = 'EUR') => ({
  account: name,
  currency,
  amount,
  counterparty: 'external:unspecified',
})

describe('wallet', () => {
  describe('open', () => {
    it('belongs to its opener unless an owner is named', () => {
      given().when('open', { kind: 'business' }).then(opened)
      given()
        .when('open', { kind: 'business', owner: 'user-2' })
        .then({ type: 'WalletOpened', data: { owner: 'user-2', kind: 'business' } })
    })
    it('keeps the holder sealed as it came', () => {
      const holder = { key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58', nonce: 'A'.repeat(16), text: 'B'.repeat(30) }
      given()
        .when('open', { kind: 'personal', holder })
        .then({ type: 'WalletOpened', data: { owner: 'user-1', holder, kind: 'personal' } })
    })
    it('happens once', () => {
      given(opened).when('open', { kind: 'business' }).rejects('wallet_already_open')
      given(opened, closed).when('open', { kind: 'business' }).rejects('wallet_already_open')
    })
  })

  describe('open an account', () => {
    it('takes the decimal places of ISO 4217', () => {
      given(opened).when('openAccount', { account: 'a', currency: 'EUR', overdraft: 'refused' }).then(account('a'))
      given(opened)
        .when('openAccount', { account: 'a', currency: 'JPY', overdraft: 'refused' })
        .then(account('a', 'JPY', 0))
      given(opened)
        .when('openAccount', { account: 'a', currency: 'KWD', overdraft: 'allowed' })
        .then(account('a', 'KWD', 3, 'allowed'))
    })
    it('wants the places of any other commodity named, once', () => {
      const body = { account: 'a', currency: 'BTC', overdraft: 'refused' } as const
      given(opened).when('openAccount', body).rejects('currency_places_unknown')
      given(opened)
        .when('openAccount', { ...body, places: 8 })
        .then(account('a', 'BTC', 8))
      given(opened, account('b', 'BTC', 8))
        .when('openAccount', body)
        .then(account('a', 'BTC', 8))
    })
    it('refuses other places than the currency has', () => {
      const body = { account: 'a', overdraft: 'refused', places: 3 } as const
      given(opened)
        .when('openAccount', { ...body, currency: 'EUR' })
        .rejects('currency_places_mismatch')
      given(opened, account('b', 'BTC', 8))
        .when('openAccount', { ...body, currency: 'BTC' })
        .rejects('currency_places_mismatch')
    })
    it('is already so with the same policy, and refused with another', () => {
      const body = { account: 'a', currency: 'EUR' } as const
      given(opened, account('a'))
        .when('openAccount', { ...body, overdraft: 'refused' })
        .changesNothing()
      given(opened, account('a'))
        .when('openAccount', { ...body, overdraft: 'allowed' })
        .rejects('account_already_open')
    })
    it('lets one account hold several currencies', () =>
      given(opened, account('a'))
        .when('openAccount', { account: 'a', currency: 'USD', overdraft: 'refused' })
        .then(account('a', 'USD')))
    it('refuses the names of the world outside', () =>
      given(opened)
        .when('openAccount', { account: 'external:bank', currency: 'EUR', overdraft: 'refused' })
        .rejects('account_is_external'))
  })

  describe('credit and debit', () => {
    it('book both legs in one entry', () => {
      given(opened, account('a')).when('credit', move('a', 100n)).then(deposited('a', 100n))
      given(opened, account('a'), deposited('a', 100n))
        .when('debit', { ...move('a', 40n), counterparty: 'external:rent', description: 'March' })
        .then({
          type: 'EntryPosted',
          data: {
            kind: 'debit',
            postings: [line('external:rent', 40n), line('a', -40n)],
            entry: 'made-0',
            effectiveOn,
            description: 'March',
          },
        })
    })
    it('count for the day they name', () =>
      given(opened, account('a'))
        .when('credit', { ...move('a', 1n), effective_on: '2024-02-29' })
        .then({
          type: 'EntryPosted',
          data: {
            kind: 'credit',
            postings: [line('a', 1n), line('external:unspecified', -1n)],
            entry: 'made-0',
            effectiveOn: '2024-02-29',
          },
        }))
    it('need an open account in that currency', () => {
      given(opened).when('credit', move('a', 1n)).rejects('account_not_open')
      given(opened, account('a'))
        .when('credit', move('a', 1n, 'USD'))
        .rejects('account_not_open')
      given(opened, account('a')).when('debit', move('b', 1n)).rejects('account_not_open')
    })
    it('never take more than is there where overdraft is refused', () => {
      const facts = [opened, account('a'), deposited('a', 100n)]
      given(...facts)
        .when('debit', move('a', 101n))
        .rejects('insufficient_funds')
      given(...facts)
        .when('debit', move('a', 100n))
        .then(entry('debit', line('external:unspecified', 100n), line('a', -100n)))
    })
    it('go below zero where overdraft is allowed', () =>
      given(opened, account('a', 'EUR', 2, 'allowed'))
        .when('debit', move('a', 1n))
        .then(entry('debit', line('external:unspecified', 1n), line('a', -1n))))
    it('end with the wallet', () => {
      given(opened, account('a'), closed).when('credit', move('a', 1n)).rejects('wallet_closed')
      given(opened, account('a'), closed).when('debit', move('a', 1n)).rejects('wallet_closed')
    })
  })

  describe('post', () => {
    const books = [opened, account('a'), account('b'), account('a', 'USD'), deposited('a', 100n)]
    it('takes an entry of many postings as it stands', () => {
      const postings = [line('a', -60n), line('b', 50n), line('external:fees', 10n)]
      given(...books)
        .when('post', { postings })
        .then(entry('journal', ...postings))
    })
    it('balances every currency by itself', () => {
      given(...books)
        .when('post', { postings: [line('a', -60n), line('b', 59n)] })
        .rejects('entry_unbalanced')
      given(...books)
        .when('post', { postings: [line('a', -60n), line('a', 60n, 'USD')] })
        .rejects('entry_unbalanced')
    })
    it('names at least one account of the wallet', () =>
      given(...books)
        .when('post', { postings: [line('external:x', -1n), line('external:y', 1n)] })
        .rejects('entry_without_own_account'))
    it('refuses an account that was never opened', () =>
      given(...books)
        .when('post', { postings: [line('a', -1n), line('c', 1n)] })
        .rejects('account_not_open'))
    it('looks at what the whole entry takes from an account', () => {
      given(...books)
        .when('post', { postings: [line('a', -150n), line('a', 50n), line('b', 100n)] })
        .then(entry('journal', line('a', -150n), line('a', 50n), line('b', 100n)))
      given(...books)
        .when('post', { postings: [line('a', -50n), line('a', -51n), line('b', 101n)] })
        .rejects('insufficient_funds')
    })
    it('takes postings of nothing', () =>
      given(...books)
        .when('post', { postings: [line('a', 0n), line('b', 0n)] })
        .then(entry('journal', line('a', 0n), line('b', 0n))))
  })

  describe('amounts at the edge', () => {
    const full = [opened, account('a'), account('b'), deposited('a', MAX_MINOR_UNITS)]
    it('hold 38 digits', () =>
      given(...full)
        .when('post', { postings: [line('a', -MAX_MINOR_UNITS), line('b', MAX_MINOR_UNITS)] })
        .then(entry('journal', line('a', -MAX_MINOR_UNITS), line('b', MAX_MINOR_UNITS))))
    it('refuse a balance of 39', () => {
      given(...full)
        .when('credit', move('a', 1n))
        .rejects('amount_out_of_range')
      given(opened, account('a', 'EUR', 2, 'allowed'), entry('debit', line('external:x', 1n), line('a', -1n)))
        .when('debit', move('a', MAX_MINOR_UNITS))
        .rejects('amount_out_of_range')
    })
  })

  describe('close', () => {
    it('wants every balance at zero', () => {
      given(opened, account('a')).when('close', {}).then(closed)
      given(opened, account('a'), deposited('a', 1n)).when('close', {}).rejects('balance_not_zero')
      given(opened, account('a', 'EUR', 2, 'allowed'), entry('debit', line('external:x', 1n), line('a', -1n)))
        .when('close', {})
        .rejects('balance_not_zero')
    })
    it('is already so the second time', () => given(opened, closed).when('close', {}).changesNothing())
    it('ends everything else', () => {
      const facts = [opened, account('a'), closed]
      const postings = [line('a', 1n), line('external:x', -1n)]
      given(...facts)
        .when('post', { postings })
        .rejects('wallet_closed')
      given(...facts)
        .when('openAccount', { account: 'b', currency: 'EUR', overdraft: 'refused' })
        .rejects('wallet_closed')
    })
  })

  describe('names that mean something to JavaScript', () => {
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', '0']) {
      it(`${name} is a name like any other`, () => {
        given(opened)
          .when('credit', move(name, 1n, name))
          .rejects('account_not_open')
        given(opened)
          .when('openAccount', { account: name, currency: name, overdraft: 'refused' })
          .rejects('currency_places_unknown')
        const facts = [opened, account(name, name, 0), account('a', name, 0), deposited(name, 5n, name)]
        given(...facts)
          .when('openAccount', { account: name, currency: name, overdraft: 'refused' })
          .changesNothing()
        given(...facts)
          .when('debit', move(name, 6n, name))
          .rejects('insufficient_funds')
        given(...facts)
          .when('close', {})
          .rejects('balance_not_zero')
        given(...facts)
          .when('debit', move(name, 5n, name))
          .then(entry('debit', line('external:unspecified', 5n, name), line(name, -5n, name)))
      })
    }
  })
})
