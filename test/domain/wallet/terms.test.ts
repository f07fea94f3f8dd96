import { expect } from 'chai'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, codeOf, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Terms = Omit<Extract<Fact, { type: 'AccountOpened' }>['data'], 'account' | 'currency' | 'places'>

const { given } = specFor(wallet)
const today = CONTEXT.at.slice(0, 10)
const eur = { account: 'a', currency: 'EUR' }
const counterparty = 'external:x'
const walletOpened: Fact = { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } }
const opened = (terms: Terms): readonly Fact[] => [
  walletOpened,
  { type: 'AccountOpened', data: { ...eur, places: 2, ...terms } },
]
const entry = (amount: bigint): Fact => ({
  type: 'EntryPosted',
  data: {
    kind: amount > 0n ? 'credit' : 'debit',
    postings:
      amount > 0n
        ? [
            { ...eur, amount },
            { account: counterparty, currency: 'EUR', amount: -amount },
          ]
        : [
            { account: counterparty, currency: 'EUR', amount: -amount },
            { ...eur, amount },
          ],
    entry: 'made-0',
    effectiveOn: today,
  },
})
const held = (amount: bigint): Fact => ({ type: 'FundsHeld', data: { hold: 'h', ...eur, amount } })
const frozen: Fact = { type: 'AccountFrozen', data: eur }
const walletFrozen: Fact = { type: 'WalletFrozen', data: {} }

describe('wallet: terms of accounts', () => {
  it('are named when an account is opened, and are the same when it is opened again', () => {
    const terms = { overdraft: 'allowed', type: 'liability', kind: 'credit', limit: 500n } as const
    given(walletOpened)
      .when('openAccount', { ...eur, ...terms })
      .then({ type: 'AccountOpened', data: { ...eur, places: 2, ...terms } })
    given(...opened(terms))
      .when('openAccount', { ...eur, ...terms })
      .changesNothing()
    given(...opened(terms))
      .when('openAccount', { ...eur, ...terms, limit: 501n })
      .rejects('account_already_open')
  })
  it('agree: a limit goes with an overdraft, a minimum goes without one', () => {
    given(walletOpened)
      .when('openAccount', { ...eur, overdraft: 'refused', limit: 1n })
      .rejects('account_terms_conflict')
    given(walletOpened)
      .when('openAccount', { ...eur, overdraft: 'allowed', minimum: 1n })
      .rejects('account_terms_conflict')
    given(...opened({ overdraft: 'allowed', limit: 1n }))
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .rejects('account_terms_conflict')
    given(...opened({ overdraft: 'allowed', limit: 1n }))
      .when('changeAccount', { ...eur, overdraft: 'refused', limit: null, minimum: 0n })
      .then(
        { type: 'AccountOverdraftChanged', data: { ...eur, from: 'allowed', to: 'refused' } },
        { type: 'AccountChanged', data: { ...eur, limit: null, minimum: 0n } },
      )
  })
  it('let an account fall to its limit and no further, by entries and holds together', () => {
    const facts = opened({ overdraft: 'allowed', limit: 500n })
    given(...facts)
      .when('debit', { ...eur, amount: 500n, counterparty })
      .then(entry(-500n))
    given(...facts)
      .when('debit', { ...eur, amount: 501n, counterparty })
      .rejects('insufficient_funds')
    given(...facts, held(200n))
      .when('debit', { ...eur, amount: 301n, counterparty })
      .rejects('insufficient_funds')
    given(...facts, entry(-400n))
      .when('hold', { hold: 'i', ...eur, amount: 101n })
      .rejects('insufficient_funds')
    given(...opened({ overdraft: 'allowed' }))
      .when('debit', { ...eur, amount: 10n ** 30n, counterparty })
      .then(entry(-(10n ** 30n)))
  })
  it('keep the minimum in the account', () => {
    const facts = [...opened({ overdraft: 'refused', minimum: 100n }), entry(300n)]
    given(...facts)
      .when('debit', { ...eur, amount: 200n, counterparty })
      .then(entry(-200n))
    given(...facts)
      .when('debit', { ...eur, amount: 201n, counterparty })
      .rejects('insufficient_funds')
    given(...facts, held(150n))
      .when('debit', { ...eur, amount: 51n, counterparty })
      .rejects('insufficient_funds')
  })
  it('are in the minor unit of the currency, however fine the account is', () => {
    const gold = { account: 'g', currency: 'GAU' }
    const facts: Fact[] = [
      walletOpened,
      { type: 'AccountOpened', data: { ...gold, places: 1, overdraft: 'allowed', limit: 5n } },
    ]
    given(...facts)
      .when('debit', { ...gold, amount: 501n, places: 3, counterparty })
      .rejects('insufficient_funds')
    expect(
      codeOf(() =>
        wallet.decide.debit(stateOf(wallet, facts), { ...gold, amount: 500n, places: 3, counterparty }, CONTEXT),
      ),
    ).to.equal(undefined)
  })
  it('change, and an account that is lower than they would allow stays as it is', () => {
    const facts = [...opened({ overdraft: 'allowed', limit: 500n }), entry(-300n)]
    given(...facts)
      .when('changeAccount', { ...eur, limit: 300n, type: 'liability', reason: 'Agreed' })
      .then({ type: 'AccountChanged', data: { ...eur, limit: 300n, type: 'liability', reason: 'Agreed' } })
    given(...facts)
      .when('changeAccount', { ...eur, limit: 299n })
      .rejects('account_overdrawn')
    given(...facts)
      .when('changeAccount', { ...eur, limit: null })
      .then({ type: 'AccountChanged', data: { ...eur, limit: null } })
    given(...facts, { type: 'AccountChanged', data: { ...eur, limit: null } })
      .when('changeAccount', { ...eur, limit: 299n })
      .rejects('account_overdrawn')
    given(...facts)
      .when('changeAccount', { ...eur, limit: 500n, overdraft: 'allowed' })
      .changesNothing()
    given(...opened({ overdraft: 'refused' }), entry(300n))
      .when('changeAccount', { ...eur, minimum: 301n })
      .rejects('account_overdrawn')
  })
})

describe('wallet: freezing', () => {
  const facts = [...opened({ overdraft: 'allowed' }), entry(100n), held(10n)]

  it('is done and undone once, with a reason', () => {
    given(...facts)
      .when('freezeAccount', { ...eur, reason: 'Review' })
      .then({ type: 'AccountFrozen', data: { ...eur, reason: 'Review' } })
    given(...facts, frozen)
      .when('freezeAccount', eur)
      .changesNothing()
    given(...facts, frozen)
      .when('unfreezeAccount', eur)
      .then({ type: 'AccountUnfrozen', data: eur })
    given(...facts)
      .when('unfreezeAccount', eur)
      .changesNothing()
    given(...facts)
      .when('freeze', { reason: 'Lost phone' })
      .then({ type: 'WalletFrozen', data: { reason: 'Lost phone' } })
    given(...facts, walletFrozen)
      .when('freeze', {})
      .changesNothing()
    given(...facts, walletFrozen)
      .when('unfreeze', {})
      .then({ type: 'WalletUnfrozen', data: {} })
    given(...facts)
      .when('unfreeze', {})
      .changesNothing()
  })
  it('stops entries, holds, captures and closing', () => {
    for (const [fact, code] of [
      [frozen, 'account_frozen'],
      [walletFrozen, 'wallet_frozen'],
    ] as const) {
      const money = { ...eur, amount: 1n, counterparty }
      given(...facts, fact)
        .when('credit', money)
        .rejects(code)
      given(...facts, fact)
        .when('debit', money)
        .rejects(code)
      given(...facts, fact)
        .when('hold', { hold: 'i', ...eur, amount: 1n })
        .rejects(code)
      given(...facts, fact)
        .when('capture', { hold: 'h', counterparty })
        .rejects(code)
      given(...facts, fact)
        .when('close', {})
        .rejects(code)
    }
    given(...facts, frozen)
      .when('closeAccount', eur)
      .rejects('account_frozen')
  })
  it('stops neither releases nor what a process has begun', () => {
    const own = { actor: 'process:transfer' }
    const begun: Fact = { type: 'FundsHeld', data: { hold: 'process:t', ...eur, amount: 10n } }
    for (const fact of [frozen, walletFrozen]) {
      given(...facts, fact)
        .when('release', { hold: 'h' })
        .then({ type: 'HoldReleased', data: { hold: 'h', ...eur, amount: 10n } })
      given(...facts, begun, fact)
        .when('capture', { hold: 'process:t', counterparty }, own)
        .then(entry(-10n), {
          type: 'HoldCaptured',
          data: { hold: 'process:t', ...eur, amount: 10n, released: 0n, entry: 'made-0' },
        })
    }
  })
  it('leaves other accounts as they are', () => {
    const other: Fact = { type: 'AccountOpened', data: { ...eur, account: 'b', places: 2, overdraft: 'allowed' } }
    given(...facts, other, frozen)
      .when('post', {
        postings: [
          { ...eur, account: 'b', amount: 1n },
          { account: counterparty, currency: 'EUR', amount: -1n },
        ],
      })
      .then({
        type: 'EntryPosted',
        data: {
          kind: 'journal',
          postings: [
            { ...eur, account: 'b', amount: 1n },
            { account: counterparty, currency: 'EUR', amount: -1n },
          ],
          entry: 'made-0',
          effectiveOn: today,
        },
      })
  })
})
