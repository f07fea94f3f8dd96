import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import type { DomainEvent } from '../../../domain/kernel/event.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { accountOf, type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, specFor } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Entry = Extract<Fact, { type: 'EntryPosted' }>['data']

const { given } = specFor(wallet)
const today = CONTEXT.at.slice(0, 10)
const posting = (account: string, amount: bigint) => ({ account, currency: 'EUR', amount })
const books: readonly Fact[] = [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } },
  { type: 'AccountOpened', data: { account: 'a', currency: 'EUR', places: 2, overdraft: 'refused' } },
]
const sale: Entry = {
  entry: 'e1',
  kind: 'credit',
  postings: [posting('a', 100n), posting('external:client', -100n)],
  effectiveOn: '2026-01-05',
  counterparty: 'Client & Co',
}
/** An entry as the write path finds it. */
const found = (data: Entry, subject = 'user-1') =>
  ({ type: 'EntryPosted', data, metadata: { actor: { subject, roles: [] } } }) as unknown as DomainEvent
const posted: Fact = { type: 'EntryPosted', data: sale }

describe('wallet: reversals', () => {
  it('post the opposite of an entry, on the day of the reversal or on one that is named', () => {
    const data: Entry = {
      entry: 'made-0',
      kind: 'adjustment',
      postings: [posting('a', -100n), posting('external:client', 100n)],
      effectiveOn: today,
      counterparty: 'Client & Co',
      reverses: 'e1',
    }
    given(...books, posted)
      .when('reverse', { entry: 'e1' }, { found: found(sale) })
      .then({ type: 'EntryPosted', data })
    given(...books, posted)
      .when(
        'reverse',
        { entry: 'e1', revision: 2n, effective_on: '2026-01-05', description: 'Twice', reference: 'R1' },
        { found: found(sale) },
      )
      .then({
        type: 'EntryPosted',
        data: { ...data, effectiveOn: '2026-01-05', description: 'Twice', reference: 'R1' },
      })
  })
  it('post in the same entry what it should have been', () => {
    given(...books, posted)
      .when(
        'reverse',
        { entry: 'e1', postings: [posting('a', 90n), posting('external:client', -90n)], kind: 'credit' },
        { found: found(sale) },
      )
      .then({
        type: 'EntryPosted',
        data: {
          entry: 'made-0',
          kind: 'credit',
          postings: [
            posting('a', -100n),
            posting('external:client', 100n),
            posting('a', 90n),
            posting('external:client', -90n),
          ],
          effectiveOn: today,
          counterparty: 'Client & Co',
          reverses: 'e1',
          replaces: 'e1',
          takenBack: 2,
        },
      })
  })
  it('of a correction take back what it posted, not what it took back', () => {
    const correction: Entry = {
      entry: 'e2',
      kind: 'adjustment',
      postings: [posting('a', -100n), posting('external:client', 100n), posting('a', 90n), posting('external:b', -90n)],
      effectiveOn: today,
      reverses: 'e1',
      replaces: 'e1',
      takenBack: 2,
    }
    given(...books, posted, { type: 'EntryPosted', data: correction })
      .when('reverse', { entry: 'e2' }, { found: found(correction) })
      .then({
        type: 'EntryPosted',
        data: {
          entry: 'made-0',
          kind: 'adjustment',
          postings: [posting('a', -90n), posting('external:b', 90n)],
          effectiveOn: today,
          reverses: 'e2',
        },
      })
  })
  it('are refused for what is unknown, is a reversal itself, or is one side of a transfer', () => {
    const reversal: Entry = { ...sale, entry: 'e2', reverses: 'e1' }
    given(...books, posted)
      .when('reverse', { entry: 'e9' })
      .rejects('entry_unknown')
    given(...books, posted)
      .when('reverse', { entry: 'e2' }, { found: found(reversal) })
      .rejects('entry_is_reversal')
    given(...books, posted)
      .when('reverse', { entry: 'e1' }, { found: found(sale, 'process:transfer') })
      .rejects('entry_of_process')
  })
  it('keep the rules of every entry', () => {
    const spent: Fact = {
      type: 'EntryPosted',
      data: { ...sale, entry: 'e2', postings: [posting('a', -1n), posting('external:x', 1n)] },
    }
    given(...books, posted, spent)
      .when('reverse', { entry: 'e1' }, { found: found(sale) })
      .rejects('insufficient_funds')
    given(...books, posted, spent)
      .when(
        'reverse',
        { entry: 'e1', postings: [posting('a', 1n), posting('external:x', -1n)] },
        { found: found(sale) },
      )
      .then({
        type: 'EntryPosted',
        data: {
          entry: 'made-0',
          kind: 'adjustment',
          postings: [
            posting('a', -100n),
            posting('external:client', 100n),
            posting('a', 1n),
            posting('external:x', -1n),
          ],
          effectiveOn: today,
          counterparty: 'Client & Co',
          reverses: 'e1',
          replaces: 'e1',
          takenBack: 2,
        },
      })
    given(...books, posted)
      .when(
        'reverse',
        { entry: 'e1', postings: [posting('a', 1n), posting('external:x', -2n)] },
        { found: found(sale) },
      )
      .rejects('entry_unbalanced')
    const many = Array.from({ length: 999 }, () => posting('a', 0n))
    given(...books, posted)
      .when('reverse', { entry: 'e1', postings: many.slice(2) }, { found: found({ ...sale, postings: many }) })
      .rejects('entry_too_large')
  })

  it('restore every account, whatever was posted and in whatever unit', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.record(
            {
              account: fc.constantFrom('a', 'b', 'external:y'),
              amount: fc.bigInt(-(10n ** 12n), 10n ** 12n),
              places: fc.constantFrom(0, 2, 3),
            },
            { requiredKeys: ['account', 'amount'] },
          ),
          { minLength: 1, maxLength: 6 },
        ),
        lines => {
          let state: Wallet = wallet.initial
          const apply = (facts: readonly Fact[]) => {
            for (const { type, data } of facts) state = wallet.evolve[type](state, data as never, CONTEXT.at)
          }
          apply([
            books[0]!,
            ...['a', 'b'].map(
              (account): Fact => ({
                type: 'AccountOpened',
                data: { account, currency: 'GAU', places: 1, overdraft: 'allowed' },
              }),
            ),
          ])
          const sum = lines.reduce((sum, { amount, places = 1 }) => sum + amount * 10n ** BigInt(3 - places), 0n)
          const postings = [
            ...lines.map(line => ({ ...line, currency: 'GAU' })),
            { account: 'a', currency: 'GAU', amount: 0n },
            { account: 'external:x', currency: 'GAU', amount: -sum, places: 3 },
          ]
          const [entry] = wallet.decide.post(state, { postings }, CONTEXT)
          apply([entry!])
          const context = { ...CONTEXT, found: found(entry!.data as Entry) }
          apply(wallet.decide.reverse(state, { entry: 'made-0' }, context))
          for (const account of ['a', 'b']) expect(accountOf(state, account, 'GAU')!.amount).to.equal(0n)
        },
      ),
      { numRuns: process.env.KOGI_LONG ? 2_000 : 100 },
    ))
})
