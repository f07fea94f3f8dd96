import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../../domain/kernel/event.ts'
import { ruleOf, typeByName } from '../../../domain/wallet/wallet/chart.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Mode = 'enforced' | 'reported' | 'off'

const { given } = specFor(wallet)
const today = CONTEXT.at.slice(0, 10)
const eur = { account: 'bank', currency: 'EUR' }
const rules = [
  { account: 'bank', type: 'asset' as const, currencies: ['EUR'] },
  { account: 'tax:*', type: 'liability' as const, with: ['bank'] },
  { account: 'external:*' },
]
const chart = (mode: Mode, version = 1): Fact => ({ type: 'ChartSet', data: { version, mode, rules } })
const opened = (account: string): Fact => ({
  type: 'AccountOpened',
  data: { account, currency: 'EUR', places: 2, overdraft: 'allowed' },
})
const books: readonly Fact[] = [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } },
  ...['bank', 'tax:vat', 'odd'].map(opened),
]
const posting = (account: string, amount: bigint) => ({ account, currency: 'EUR', amount })
const posted = (postings: ReturnType<typeof posting>[], more: object = {}): Fact => ({
  type: 'EntryPosted',
  data: { kind: 'journal', postings, entry: 'made-0', effectiveOn: today, ...more },
})

describe('wallet: the chart of accounts', () => {
  it('is set in versions, of which the same again is none', () => {
    given(...books)
      .when('setChart', { mode: 'enforced', rules, reason: 'New year' })
      .then({ type: 'ChartSet', data: { version: 1, mode: 'enforced', rules, reason: 'New year' } })
    given(...books, chart('enforced'))
      .when('setChart', { mode: 'enforced', rules })
      .changesNothing()
    given(...books, chart('enforced'), chart('off', 2))
      .when('setChart', { mode: 'reported', rules })
      .then(chart('reported', 3))
  })

  const odd = [posting('odd', 5n), posting('external:x', -5n)]
  const apart = [posting('tax:vat', 5n), posting('external:x', -5n)]

  it('refuses what deviates where it is enforced', () => {
    given(...books, chart('enforced'))
      .when('post', { postings: odd })
      .rejects('account_not_in_chart')
    given(...books, chart('enforced'))
      .when('post', { postings: apart })
      .rejects('postings_not_in_chart')
    const kept = [posting('tax:vat', 5n), posting('bank', -5n)]
    given(...books, chart('enforced'))
      .when('post', { postings: kept })
      .then(posted(kept))
    // Both on one side, the bank on the other one.
    const split = [posting('tax:vat', 5n), posting('external:x', 5n), posting('bank', -10n)]
    given(...books, chart('enforced'))
      .when('post', { postings: split })
      .then(posted(split))
  })
  it('lets it pass where it is reported, and the entry says how it deviates', () => {
    given(...books, chart('reported'))
      .when('post', { postings: odd })
      .then(posted(odd, { deviations: ['account_not_in_chart odd'] }))
    given(...books, chart('reported'))
      .when('post', { postings: apart })
      .then(posted(apart, { deviations: ['postings_not_in_chart tax:vat external:x'] }))
    given(...books, chart('off'))
      .when('post', { postings: odd })
      .then(posted(odd))
  })
  it('says which accounts can be opened, and of what type', () => {
    const open = (account: string, more: object = {}) =>
      given(...books, chart('enforced')).when('openAccount', {
        account,
        currency: 'EUR',
        overdraft: 'allowed',
        ...more,
      })
    open('odd:2').rejects('account_not_in_chart')
    open('bank', { currency: 'USD' }).rejects('account_not_in_chart')
    open('tax:income', { type: 'asset' }).rejects('account_type_not_in_chart')
    const data = { account: 'tax:income', currency: 'EUR', places: 2, overdraft: 'allowed' as const }
    open('tax:income').then({ type: 'AccountOpened', data: { ...data, type: 'liability' } })
    given(...books, chart('off'))
      .when('openAccount', { account: 'odd:2', currency: 'EUR', overdraft: 'allowed' })
      .then({ type: 'AccountOpened', data: { ...data, account: 'odd:2' } })
  })
  it('keeps neither an entry of earlier days from being taken back, nor a transfer from its end', () => {
    const data = posted(odd).data as Extract<Fact, { type: 'EntryPosted' }>['data']
    const found = { type: 'EntryPosted', data, metadata: { actor: { subject: 'u', roles: [] } } } as unknown
    const back = [posting('odd', -5n), posting('external:x', 5n)]
    given(...books, posted(odd), chart('enforced'))
      .when('reverse', { entry: 'made-0' }, { found: found as DomainEvent })
      .then(posted(back, { kind: 'adjustment', reverses: 'made-0' }))
    const hold = { hold: 'process:t', account: 'odd', currency: 'EUR', amount: 5n }
    given(...books, { type: 'FundsHeld', data: hold }, chart('enforced'))
      .when('capture', { hold: 'process:t', counterparty: 'external:wallet:w' }, { actor: 'process:transfer' })
      .then(posted([posting('external:wallet:w', 5n), posting('odd', -5n)], { kind: 'debit' }), {
        type: 'HoldCaptured',
        data: { ...hold, released: 0n, entry: 'made-0' },
      })
    const other = { hold: 'h', account: 'odd', currency: 'EUR', amount: 5n }
    given(...books, { type: 'FundsHeld', data: other }, chart('enforced'))
      .when('capture', { hold: 'h', counterparty: 'external:x' })
      .rejects('account_not_in_chart')
    expect(eur.account).to.equal('bank')
  })

  it('matches as a regular expression would', () => {
    const part = fc.stringMatching(/^[ab:*]{0,8}$/)
    fc.assert(
      fc.property(part, fc.stringMatching(/^[ab:]{0,12}$/), (pattern, account) => {
        const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(account)
        expect(ruleOf([{ account: pattern }], account) !== undefined).to.equal(expected)
      }),
    )
    // A name that almost fits many stars takes no longer than another.
    expect(ruleOf([{ account: `${'a*'.repeat(100)}b` }], 'a'.repeat(255))).to.equal(undefined)
  })
  it('is in the names of accounts where it says nothing', () => {
    const types = {
      'Assets:Bank': 'asset',
      'external:assets': 'asset',
      'liabilities:card': 'liability',
      'external:revenue:sales': 'income',
      Expenses: 'expense',
      'external:expense:fuel': 'expense',
      'external:wallet:w': 'equity',
      'external:opening': 'equity',
      'wallet:w': undefined,
      'external:client': undefined,
      incomes: 'income',
      incomestuff: undefined,
    }
    for (const [account, type] of Object.entries(types)) expect(typeByName(account), account).to.equal(type)
  })
})
