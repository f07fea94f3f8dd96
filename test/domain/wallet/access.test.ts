import { expect } from 'chai'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(wallet)
const eur = { account: 'a', currency: 'EUR' }
const granted = (user: string, right: 'post' | 'manage' = 'post'): Fact => ({
  type: 'AccessGranted',
  data: { user, right },
})
const revoked = (user: string): Fact => ({ type: 'AccessRevoked', data: { user } })
const books: readonly Fact[] = [
  { type: 'WalletOpened', data: { owner: 'mira', kind: 'business' } },
  { type: 'AccountOpened', data: { ...eur, places: 2, overdraft: 'allowed' } },
]
const hold = { hold: 'h', ...eur, amount: 1n }
const held: Fact = { type: 'FundsHeld', data: hold }
const admin = { actor: 'root', permissions: ['wallet.*'] }

describe('wallet: its users', () => {
  it('are named by the owner, by managers and by administrators, each once', () => {
    const [jon, ana] = [{ user: 'jon', right: 'post' } as const, { user: 'ana', right: 'manage' } as const]
    given(...books)
      .when('grant', { ...jon, reason: 'New' }, { actor: 'mira' })
      .then({ type: 'AccessGranted', data: { ...jon, reason: 'New' } })
    given(...books)
      .when('grant', ana, admin)
      .then(granted('ana', 'manage'))
    given(...books, granted('ana', 'manage'))
      .when('grant', jon, { actor: 'ana' })
      .then(granted('jon'))
    given(...books, granted('jon'))
      .when('grant', jon, { actor: 'mira' })
      .changesNothing()
    given(...books, granted('jon'))
      .when('grant', { user: 'jon', right: 'manage' }, { actor: 'jon' })
      .rejects('wallet_right_missing')
    given(...books)
      .when('grant', jon, { actor: 'jon', permissions: ['wallet.users.write', 'wallet.wallets.read'] })
      .rejects('wallet_right_missing')
    given(...books, granted('jon'))
      .when('revoke', { user: 'jon' }, { actor: 'mira' })
      .then(revoked('jon'))
    given(...books)
      .when('revoke', { user: 'jon' }, { actor: 'mira' })
      .changesNothing()
  })

  const fits = (facts: readonly Fact[], context: object) =>
    given(...books, ...facts)
      .when('hold', hold, context)
      .then(held)
  const lacks = (facts: readonly Fact[], context: object) =>
    given(...books, ...facts)
      .when('hold', hold, context)
      .rejects('wallet_right_missing')

  it('alone post to it, with its owner and administrators, once there are some', () => {
    fits([], { actor: 'eve' })
    lacks([granted('jon')], { actor: 'eve' })
    fits([granted('jon')], { actor: 'jon' })
    fits([granted('jon')], { actor: 'mira' })
    fits([granted('jon')], admin)
    fits([granted('jon'), revoked('jon')], { actor: 'eve' })
    lacks([granted('jon'), granted('ana'), revoked('jon')], { actor: 'jon' })
    for (const command of ['credit', 'debit'] as const) {
      given(...books, granted('jon'))
        .when(command, { ...eur, amount: 1n, counterparty: 'external:x' }, { actor: 'eve' })
        .rejects('wallet_right_missing')
    }
    given(...books, granted('jon'), held)
      .when('release', { hold: 'h' }, { actor: 'eve' })
      .rejects('wallet_right_missing')
  })
  it('are those on whose behalf a process acts', () => {
    const transfer = { actor: 'process:transfer' }
    const of = (subject: string, ...roles: string[]) => ({ ...transfer, behalf: { subject, roles } })
    fits([granted('jon')], of('jon'))
    fits([granted('jon')], of('process:standing-order'))
    fits([granted('jon')], of('root', 'organization-admin'))
    fits([granted('jon')], transfer)
    lacks([granted('jon')], of('eve', 'team-lead'))
    // What a process has begun it also ends, and anybody may pay in.
    const eve = { ...of('eve', 'team-lead') }
    given(...books, granted('jon'), held)
      .when('release', { hold: 'h' }, eve)
      .then({ type: 'HoldReleased', data: hold })
  })
  it('are those on whose behalf a process takes out what it does not hold', () => {
    const task = (subject: string) => ({ actor: 'process:task', behalf: { subject, roles: ['team-lead'] } })
    const facts = [...books, granted('jon')]
    const spent = { ...eur, amount: 1n, counterparty: 'external:work' }
    const postings = [
      { ...eur, amount: -1n },
      { account: 'external:work', currency: 'EUR', amount: 1n },
    ]
    given(...facts)
      .when('debit', spent, task('eve'))
      .rejects('wallet_right_missing')
    given(...facts)
      .when('post', { postings }, task('eve'))
      .rejects('wallet_right_missing')
    const types = (subject: string, command: 'debit' | 'credit') =>
      wallet.decide[command](
        stateOf(wallet, facts, CONTEXT.at),
        { ...spent, tags: [] } as never,
        { ...CONTEXT, ...task(subject) } as never,
      ).map(({ type }) => type)
    expect(types('jon', 'debit')).to.deep.equal(['EntryPosted'])
    expect(types('eve', 'credit')).to.deep.equal(['EntryPosted'])
  })
  it('leave nothing behind in the state when they are gone', () => {
    const state = stateOf(wallet, [...books, granted('jon'), granted('jon', 'manage'), revoked('jon')], CONTEXT.at)
    expect(state).to.deep.equal(stateOf(wallet, books, CONTEXT.at))
  })
})
