import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { Sealed } from '../../../domain/kernel/schema.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(wallet)
const today = CONTEXT.at.slice(0, 10)
const eur = { account: 'a', currency: 'EUR' }
const nameOf = (digest: string): Sealed => ({
  key: '6f1d3c0a-5b8e-4f77-96c2-a4e1d0b37f58',
  nonce: digest.repeat(16),
  text: digest.repeat(30),
  digest: digest.repeat(43),
})
const opened = (holder?: Sealed): Fact => ({
  type: 'WalletOpened',
  data: { owner: 'user-1', kind: 'business', ...(holder && { holder }) },
})
const account = (overdraft: 'refused' | 'allowed'): Fact => ({
  type: 'AccountOpened',
  data: { ...eur, places: 2, overdraft },
})
const entry = (amount: bigint, effectiveOn = today): Fact => ({
  type: 'EntryPosted',
  data: {
    kind: 'journal',
    postings: [
      { ...eur, amount },
      { ...eur, account: 'external:x', amount: -amount },
    ],
    entry: 'made-0',
    effectiveOn,
  },
})
const closed: Fact = { type: 'AccountClosed', data: eur }
const reopened: Fact = { type: 'AccountReopened', data: eur }

describe('wallet: changes', () => {
  it('rename the holder, or take the name away', () => {
    given(opened(nameOf('A')))
      .when('change', { holder: nameOf('B'), reason: 'Married' })
      .then({ type: 'WalletChanged', data: { holder: nameOf('B'), reason: 'Married' } })
    given(opened(nameOf('A')))
      .when('change', { holder: null })
      .then({ type: 'WalletChanged', data: { holder: null } })
  })
  it('write nothing where the name is the same, or was left out', () => {
    const again = { ...nameOf('A'), nonce: 'C'.repeat(16), text: 'C'.repeat(30) }
    given(opened(nameOf('A')))
      .when('change', { holder: again })
      .changesNothing()
    given(opened()).when('change', { holder: null }).changesNothing()
    given(opened(nameOf('A')))
      .when('change', { reason: 'None' })
      .changesNothing()
    given(opened(), { type: 'WalletClosed', data: {} })
      .when('change', { holder: nameOf('A') })
      .rejects('wallet_closed')
  })
  it('let an account fall below zero, or not', () => {
    given(opened(), account('refused'))
      .when('changeAccount', { ...eur, overdraft: 'allowed', reason: 'Agreed' })
      .then({ type: 'AccountOverdraftChanged', data: { ...eur, from: 'refused', to: 'allowed', reason: 'Agreed' } })
    given(opened(), account('refused'))
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .changesNothing()
    given(opened(), account('refused')).when('changeAccount', eur).changesNothing()
    const toAllowed: Fact = { type: 'AccountOverdraftChanged', data: { ...eur, from: 'refused', to: 'allowed' } }
    given(opened(), account('refused'), toAllowed)
      .when('debit', { ...eur, amount: 1n, counterparty: 'external:x' })
      .then({
        type: 'EntryPosted',
        data: {
          kind: 'debit',
          postings: [
            { ...eur, account: 'external:x', amount: 1n },
            { ...eur, amount: -1n },
          ],
          entry: 'made-0',
          effectiveOn: today,
        },
      })
  })
  it('leave an account that is below zero as it is', () => {
    given(opened(), account('allowed'), entry(-1n))
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .rejects('account_overdrawn')
    given(opened(), account('allowed'), entry(-1n), entry(1n, '2099-01-01'))
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .rejects('account_overdrawn')
    given(opened())
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .rejects('account_not_open')
  })
  it('close an account at zero, once, with a reason', () => {
    given(opened(), account('refused'))
      .when('closeAccount', { ...eur, reason: 'Unused' })
      .then({ type: 'AccountClosed', data: { ...eur, reason: 'Unused' } })
    given(opened(), account('refused'), closed).when('closeAccount', eur).changesNothing()
    given(opened(), account('refused'), entry(1n)).when('closeAccount', eur).rejects('balance_not_zero')
    given(opened()).when('closeAccount', eur).rejects('account_not_open')
  })
  it('close nothing with money held or entries to come, neither an account nor the wallet', () => {
    const held: Fact = { type: 'FundsHeld', data: { hold: 'h', ...eur, amount: 1n } }
    const toCome = [entry(1n), entry(-1n, '2026-02-01')]
    for (const command of ['closeAccount', 'close'] as const) {
      const body = command === 'close' ? {} : eur
      given(opened(), account('allowed'), held)
        .when(command, body as never)
        .rejects('holds_open')
      given(opened(), account('allowed'), ...toCome)
        .when(command, body as never)
        .rejects('entries_to_come')
    }
    given(opened(), account('allowed'), ...toCome)
      .when('closeAccount', eur, { at: '2026-02-01T00:00:00.000Z' })
      .then(closed)
  })
  it('of a closed account are refused, and so is every posting and hold, until it is open again', () => {
    const facts = [opened(), account('allowed'), closed]
    const money = { ...eur, amount: 1n, counterparty: 'external:x' }
    given(...facts)
      .when('credit', money)
      .rejects('account_closed')
    given(...facts)
      .when('hold', { ...eur, amount: 1n })
      .rejects('account_closed')
    given(...facts)
      .when('changeAccount', { ...eur, overdraft: 'refused' })
      .rejects('account_closed')
    given(...facts)
      .when('openAccount', { ...eur, overdraft: 'allowed' })
      .rejects('account_closed')
    given(...facts)
      .when('reopenAccount', { ...eur, reason: 'Needed' })
      .then({ type: 'AccountReopened', data: { ...eur, reason: 'Needed' } })
    given(...facts, reopened)
      .when('reopenAccount', eur)
      .changesNothing()
    given(...facts, reopened)
      .when('closeAccount', eur)
      .then(closed)
    given(...facts)
      .when('close', { reason: 'Moved' })
      .then({ type: 'WalletClosed', data: { reason: 'Moved' } })
  })
})
