import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { ENDED_MAX } from '../../../domain/wallet/wallet/holds.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { availableOf } from '../../../domain/wallet/wallet/state.ts'
import { accountOf, type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, codeOf, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>

const { given } = specFor(wallet)
const today = CONTEXT.at.slice(0, 10)
const eur = { account: 'a', currency: 'EUR' }
const entry = (amount: bigint): Fact => ({
  type: 'EntryPosted',
  data: {
    kind: amount > 0n ? 'credit' : 'debit',
    postings:
      amount > 0n
        ? [
            { ...eur, amount },
            { ...eur, account: 'external:unspecified', amount: -amount },
          ]
        : [
            { ...eur, account: 'external:unspecified', amount: -amount },
            { ...eur, amount },
          ],
    entry: 'made-0',
    effectiveOn: today,
  },
})
const held = (hold: string, amount: bigint): Fact => ({ type: 'FundsHeld', data: { hold, ...eur, amount } })
const captured = (hold: string, amount: bigint, released = 0n): Fact => ({
  type: 'HoldCaptured',
  data: { hold, ...eur, amount, released, entry: 'made-0' },
})
const released = (hold: string, amount: bigint, reason?: string): Fact => ({
  type: 'HoldReleased',
  data: { hold, ...eur, amount, ...(reason !== undefined && { reason }) },
})
const books: readonly Fact[] = [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } },
  { type: 'AccountOpened', data: { ...eur, places: 2, overdraft: 'refused' } },
  entry(100n),
]
const counterparty = 'external:unspecified'

describe('wallet: holds', () => {
  it('of processes are made and ended by processes alone', () => {
    const hold = 'process:transfer-1'
    const own = { actor: 'process:transfer' }
    const open = [...books, held(hold, 60n)]
    given(...books)
      .when('hold', { hold, ...eur, amount: 60n }, own)
      .then(held(hold, 60n))
    given(...open)
      .when('release', { hold }, own)
      .then(released(hold, 60n))
    given(...books)
      .when('hold', { hold, ...eur, amount: 60n })
      .rejects('hold_of_process')
    given(...open)
      .when('release', { hold })
      .rejects('hold_of_process')
    given(...open)
      .when('capture', { hold, counterparty })
      .rejects('hold_of_process')
  })

  it('set money aside, no more than can be spent', () => {
    given(...books)
      .when('hold', { hold: 'h', ...eur, amount: 100n })
      .then(held('h', 100n))
    given(...books)
      .when('hold', { hold: 'h', ...eur, amount: 101n })
      .rejects('insufficient_funds')
    given(...books, held('h', 60n))
      .when('hold', { hold: 'i', ...eur, amount: 41n })
      .rejects('insufficient_funds')
    given(...books, held('h', 60n))
      .when('debit', { ...eur, amount: 41n, counterparty })
      .rejects('insufficient_funds')
    given(...books, held('h', 60n))
      .when('debit', { ...eur, amount: 40n, counterparty })
      .then(entry(-40n))
  })
  it('have an id of their own where none is named, and keep their expiry', () => {
    const expires_at = '2026-02-01T00:00:00.000Z'
    given(...books)
      .when('hold', { ...eur, amount: 1n, expires_at, description: 'Deposit' })
      .then({
        type: 'FundsHeld',
        data: { hold: 'made-0', ...eur, amount: 1n, expiresAt: expires_at, description: 'Deposit' },
      })
    given(...books)
      .when('hold', { ...eur, amount: 1n, expires_at: CONTEXT.at })
      .rejects('hold_expiry_past')
  })
  it('need an open account, and an id that was not used', () => {
    given(...books)
      .when('hold', { ...eur, account: 'b', amount: 1n })
      .rejects('account_not_open')
    for (const facts of [[], [released('h', 1n)], [entry(-1n), captured('h', 1n)]]) {
      given(...books, held('h', 1n), ...facts)
        .when('hold', { hold: 'h', ...eur, amount: 1n })
        .rejects('hold_already_made')
    }
  })
  it('are captured whole, or in part with the rest released', () => {
    given(...books, held('h', 100n))
      .when('capture', { hold: 'h', counterparty })
      .then(entry(-100n), captured('h', 100n))
    given(...books, held('h', 100n))
      .when('capture', { hold: 'h', amount: 30n, counterparty })
      .then(entry(-30n), captured('h', 30n, 70n))
    given(...books, held('h', 100n), entry(-30n), captured('h', 30n, 70n))
      .when('debit', { ...eur, amount: 70n, counterparty })
      .then(entry(-70n))
    given(...books, held('h', 50n))
      .when('capture', { hold: 'h', amount: 51n, counterparty })
      .rejects('hold_exceeded')
  })
  it('end once', () => {
    const ends = [
      [[entry(-9n), captured('h', 9n)], 'hold_captured'],
      [[released('h', 9n)], 'hold_released'],
    ] as const
    for (const [facts, code] of ends) {
      given(...books, held('h', 9n), ...facts)
        .when('capture', { hold: 'h', counterparty })
        .rejects(code)
    }
    given(...books, held('h', 9n), ...ends[0][0])
      .when('release', { hold: 'h' })
      .rejects('hold_captured')
    given(...books, held('h', 9n), ...ends[1][0])
      .when('release', { hold: 'h' })
      .changesNothing()
    given(...books)
      .when('release', { hold: 'h' })
      .rejects('hold_unknown')
    given(...books, held('h', 9n))
      .when('release', { hold: 'h', reason: 'Expired.' })
      .then(released('h', 9n, 'Expired.'))
  })
  it('keep a wallet open', () => {
    const allowed: Fact = { type: 'AccountOpened', data: { ...eur, places: 2, overdraft: 'allowed' } }
    given(books[0]!, allowed, held('h', 9n)).when('close', {}).rejects('holds_open')
    given(books[0]!, allowed, held('h', 9n), released('h', 9n))
      .when('close', {})
      .then({ type: 'WalletClosed', data: {} })
  })
  it('that ended are remembered up to a number', () => {
    const facts = Array.from({ length: ENDED_MAX + 1 }, (_, n) => [held(`h${n}`, 1n), released(`h${n}`, 1n)]).flat()
    const state = stateOf(wallet, [...books, ...facts])
    const code = (hold: string) => codeOf(() => wallet.decide.capture(state, { hold, counterparty }, CONTEXT))
    expect(['h0', 'h1', `h${ENDED_MAX}`].map(code)).to.deep.equal(['hold_unknown', 'hold_released', 'hold_released'])
  })

  it('leave what a naive reading of the facts says, in whatever units', () => {
    const step = fc.record({
      command: fc.constantFrom('hold', 'hold', 'capture', 'release', 'credit', 'debit'),
      hold: fc.constantFrom('x', 'y', 'z', 'w', '__proto__'),
      amount: fc.option(fc.bigInt(1n, 60n), { nil: undefined }),
      places: fc.constantFrom(undefined, undefined, 1, 3),
    })
    const property = fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const own = { account: 'a', currency: 'GAU' }
      let state: Wallet = wallet.initial
      const facts: Fact[] = []
      const apply = (made: readonly Fact[]) => {
        for (const fact of made) {
          facts.push(fact)
          state = wallet.evolve[fact.type](state, fact.data as never, CONTEXT.at)
        }
      }
      apply([books[0]!, { type: 'AccountOpened', data: { ...own, places: 0, overdraft: 'refused' } }])
      for (const { command, hold, amount, places } of steps) {
        const body = { ...own, hold, amount: amount ?? 60n, places, counterparty }
        codeOf(() => {
          if (command === 'capture')
            apply(wallet.decide.capture(state, { hold, amount, places, counterparty }, CONTEXT))
          else apply(wallet.decide[command](state, body, CONTEXT))
        })
        const thousandths = ({ amount, places = 0 }: { amount: bigint; places?: number | undefined }) =>
          amount * 10n ** BigInt(3 - places)
        let [balance, open] = [0n, new Map<string, bigint>()]
        for (const { type, data } of facts) {
          if (type === 'EntryPosted') {
            for (const one of data.postings) if (one.account === 'a') balance += thousandths(one)
          }
          if (type === 'FundsHeld') open.set(data.hold, thousandths(data))
          if (type === 'HoldCaptured' || type === 'HoldReleased') {
            const released = type === 'HoldCaptured' ? data.released : 0n
            expect(open.get(data.hold)).to.equal(thousandths({ ...data, amount: data.amount + released }))
            open = new Map([...open].filter(([name]) => name !== data.hold))
          }
        }
        const account = accountOf(state, 'a', 'GAU')!
        const available = balance - [...open.values()].reduce((sum, amount) => sum + amount, 0n)
        expect(thousandths({ ...account, amount: availableOf(account, today) })).to.equal(available)
        expect(available >= 0n).to.equal(true)
      }
    })
    fc.assert(property, { numRuns: process.env.KOGI_LONG ? 2_000 : 150 })
  })
})
