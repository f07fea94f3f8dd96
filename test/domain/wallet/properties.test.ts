import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { MAX_MINOR_UNITS } from '../../../domain/kernel/schema.ts'
import { EXTERNAL, type events } from '../../../domain/wallet/wallet/messages.ts'
import { accountsOf, type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, codeOf, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Step = (state: Wallet) => readonly Fact[]
type Posting = {
  readonly account: string
  readonly currency: string
  readonly amount: bigint
  readonly places?: number | undefined
}

const { decide } = wallet

const placesOf = (code: string) => (code === 'EUR' ? 2 : 0)
/** What amounts add up to in a unit of so many places; nothing is finer than three here. */
const sumOf = (postings: readonly Posting[], unit = 3) =>
  postings.reduce((sum, one) => sum + one.amount * 10n ** BigInt(unit - (one.places ?? placesOf(one.currency))), 0n)

const account = fc.constantFrom('a', 'b', '__proto__', 'constructor')
const outside = fc.constantFrom('external:x', 'external:__proto__')
const currency = fc.constantFrom('EUR', 'JPY', 'toString')
const amount = fc.oneof(
  { weight: 6, arbitrary: fc.bigInt(1n, 300n) },
  { weight: 1, arbitrary: fc.bigInt(MAX_MINOR_UNITS - 200n, MAX_MINOR_UNITS) },
)
/** Mostly none; an ISO currency takes no finer ones than its own. */
const places = fc.constantFrom(undefined, undefined, undefined, 0, 1, 3)
const overdraft = fc.constantFrom('refused' as const, 'refused' as const, 'allowed' as const)

const oneSided = fc.record({ account, currency, amount, places, counterparty: outside })
const postings = fc.oneof(
  fc.array(fc.record({ account: fc.oneof(account, outside), currency, amount: fc.bigInt(-9n, 9n) }), {
    minLength: 2,
    maxLength: 5,
  }),
  // the last posting brings the sum to zero
  fc
    .tuple(fc.array(fc.record({ account, amount: fc.bigInt(-99n, 99n), places }), { minLength: 1 }), outside, currency)
    .map(([lines, last, currency]): Posting[] => {
      const postings = lines.map(line => ({ ...line, currency }))
      return [...postings, { account: last, currency, amount: -sumOf(postings, 3), places: 3 }]
    }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: oneSided.map(
      (body): Step =>
        state =>
          decide.credit(state, body, CONTEXT),
    ),
  },
  {
    weight: 4,
    arbitrary: oneSided.map(
      (body): Step =>
        state =>
          decide.debit(state, body, CONTEXT),
    ),
  },
  {
    weight: 4,
    arbitrary: postings.map(
      (postings): Step =>
        state =>
          decide.post(state, { postings }, CONTEXT),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({ account, currency, overdraft }).map(
      (body): Step =>
        state =>
          decide.openAccount(state, { ...body, places: placesOf(body.currency) }, CONTEXT),
    ),
  },
  { weight: 1, arbitrary: fc.constant<Step>(state => decide.close(state, {}, CONTEXT)) },
)
const policies = fc.record({ a: overdraft, b: overdraft })
const sequences = fc.tuple(policies, fc.array(step, { maxLength: 60 }))

/** Opens a wallet with an account of each policy and runs the steps; a refused one leaves no facts. */
function run([, steps]: [unknown, readonly Step[]], openings: readonly Fact[]): Fact[] {
  const facts = [...openings]
  for (const step of steps) {
    const state = stateOf(wallet, facts)
    let made: readonly Fact[] = []
    codeOf(() => {
      made = step(state)
    })
    facts.push(...made)
  }
  return facts
}

const opening = ({ a, b }: { a: 'refused' | 'allowed'; b: 'refused' | 'allowed' }): Fact[] => [
  { type: 'WalletOpened', data: { owner: 'user-1', kind: 'personal' } },
  { type: 'AccountOpened', data: { account: 'a', currency: 'EUR', places: 2, overdraft: a } },
  { type: 'AccountOpened', data: { account: 'b', currency: 'EUR', places: 2, overdraft: b } },
  { type: 'AccountOpened', data: { account: '__proto__', currency: 'toString', places: 0, overdraft: 'refused' } },
]
const factsOf = (sequence: [{ a: 'refused' | 'allowed'; b: 'refused' | 'allowed' }, Step[]]) =>
  run(sequence, opening(sequence[0]))

const keyOf = (posting: Pick<Posting, 'account' | 'currency'>) => `${posting.currency}|${posting.account}`

/** Adds up what was posted in thousandths, without looking at the rules: another way to the balances. */
function naiveBalances(facts: readonly Fact[]): Map<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const fact of facts) {
    if (fact.type === 'AccountOpened') sums.set(keyOf(fact.data), 0n)
    if (fact.type !== 'EntryPosted') continue
    for (const posting of fact.data.postings) {
      if (posting.account.startsWith(EXTERNAL)) continue
      sums.set(keyOf(posting), sums.get(keyOf(posting))! + sumOf([posting]))
    }
  }
  return sums
}

const balancesOf = (state: Wallet): Map<string, bigint> =>
  new Map(accountsOf(state).map(one => [keyOf(one), sumOf([one])]))

const refusing = (facts: readonly Fact[]) =>
  facts.flatMap(({ type, data }) => (type === 'AccountOpened' && data.overdraft === 'refused' ? [keyOf(data)] : []))

const holds = (property: (sequence: Parameters<typeof factsOf>[0]) => void) =>
  fc.assert(fc.property(sequences, property), { numRuns: process.env.KOGI_LONG ? 3000 : 150 })

describe('wallet, whatever happens', () => {
  it('balances every entry in every currency', () =>
    holds(sequence => {
      for (const { type, data } of factsOf(sequence)) {
        if (type !== 'EntryPosted') continue
        const sums = new Map<string, bigint>()
        for (const one of data.postings) sums.set(one.currency, (sums.get(one.currency) ?? 0n) + sumOf([one]))
        expect([...sums.values()].every(sum => sum === 0n)).to.equal(true)
      }
    }))

  it('holds what a naive sum says, at every step', () =>
    holds(sequence => {
      const facts = factsOf(sequence)
      for (let n = 1; n <= facts.length; n += 1) {
        const state = stateOf(wallet, facts.slice(0, n))
        if (state.status === 'closed') continue
        expect(balancesOf(state)).to.deep.equal(naiveBalances(facts.slice(0, n)))
      }
    }))

  it('never lets an account below zero that refuses overdraft, nor any beyond 38 digits', () =>
    holds(sequence => {
      const facts = factsOf(sequence)
      for (let n = 1; n <= facts.length; n += 1) {
        const balances = naiveBalances(facts.slice(0, n))
        for (const key of refusing(facts.slice(0, n))) expect(balances.get(key)! >= 0n, key).to.equal(true)
        for (const { amount: sum } of accountsOf(stateOf(wallet, facts.slice(0, n)))) {
          expect(sum <= MAX_MINOR_UNITS && sum >= -MAX_MINOR_UNITS).to.equal(true)
        }
      }
    }))

  it('states the same facts when the same commands are run again', () =>
    holds(sequence => {
      expect(factsOf(sequence)).to.deep.equal(factsOf(sequence))
    }))

  it('changes no state that it was given', () =>
    holds(sequence => {
      const facts = opening(sequence[0])
      const state = deepFreeze(stateOf(wallet, facts))
      for (const step of sequence[1]) codeOf(() => stateFrom(state, step(state)))
    }))

  it('closes only at zero', () =>
    holds(sequence => {
      const facts = factsOf(sequence)
      const at = facts.findIndex(({ type }) => type === 'WalletClosed')
      if (at < 0) return
      expect(at).to.equal(facts.length - 1)
      expect([...naiveBalances(facts).values()].every(sum => sum === 0n)).to.equal(true)
    }))
})

function stateFrom(state: Wallet, facts: readonly Fact[]): Wallet {
  return facts.reduce((before, { type, data }) => wallet.evolve[type](before, data as never, CONTEXT.at), state)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}
