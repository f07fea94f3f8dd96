import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../domain/kernel/aggregate.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { accountsOf, type Wallet, wallet } from '../../domain/wallet/wallet/wallet.ts'
import { aggregates } from '../../infra/catalogue.ts'
import { AuditFault } from '../../read-api/audit/bundle.ts'
import { historyChecker } from '../../read-api/audit/history-check.ts'
import { checkOptions } from '../../scripts/check-export.ts'
import { CONTEXT } from '../support/spec.ts'

const RUNS = process.env.KOGI_LONG ? 1_000 : 60
const { history } = checkOptions()

type Fact = EventOf<typeof wallet.events>
/** What happens to a wallet: the name of a command, its body, and the instant. */
type Step = { readonly name: keyof typeof wallet.commands & string; readonly body: object; readonly at: string }

/** The events that the rules make of some commands, those that they refuse left out. */
function made(steps: readonly Step[]): DomainEvent[] {
  let state: Wallet = wallet.initial
  const events: DomainEvent[] = []
  for (const [n, { name, body, at }] of steps.entries()) {
    let facts: readonly Fact[] = []
    try {
      const { pick, ...rest } = body as { readonly pick?: number }
      const found = pick === undefined ? undefined : entryIn(events, pick)
      const asked = found ? { ...rest, entry: (found.data as { entry: string }).entry } : rest
      const caller = { ...CONTEXT, at, newId: (k: number) => `made-${n}-${k}`, actor: 'process:transfer' }
      const context = found ? { ...caller, found } : caller
      facts = wallet.decide[name](state, asked as never, context)
    } catch (error) {
      if (!(error instanceof Rejection)) throw error
    }
    for (const { type, data } of facts) {
      state = wallet.evolve[type](state as never, data as never, at)
      const metadata = { commandId: `command-${n}`, at } as DomainEvent['metadata']
      const stream = 'wallet-w'
      events.push({ type, data, metadata, category: 'wallet', stream, eventId: '', revision: 0n, position: 0n })
    }
  }
  return events
}

/** One of the entries of a history, as the wallet finds what it takes back. */
function entryIn(events: readonly DomainEvent[], pick: number): DomainEvent | undefined {
  const entries = events.filter(({ type }) => type === 'EntryPosted')
  const found = entries[pick % entries.length]
  return found && { ...found, metadata: { ...found.metadata, actor: { subject: 'ada', roles: [] } } }
}

function codeOf(events: readonly DomainEvent[]) {
  const checker = historyChecker(history)
  try {
    for (const [n, event] of events.entries()) checker.add(event.stream, event, n + 1)
    checker.end()
  } catch (error) {
    if (error instanceof AuditFault) return [error.code, error.line] as const
    throw error
  }
  return 'sound'
}

const day = (n: number) => `2026-03-${String(n).padStart(2, '0')}`
const at = (n: number) => `${day(n)}T12:00:00.000Z`
const opening: readonly Step[] = [
  { name: 'open', body: { owner: 'ada', kind: 'personal' }, at: at(1) },
  ...['cash', 'bank'].flatMap(account =>
    (['refused', 'allowed'] as const).map(
      (overdraft): Step => ({
        name: 'openAccount',
        body: {
          account: `${account}-${overdraft}`,
          currency: 'EUR',
          overdraft,
          ...(overdraft === 'allowed' && { limit: 500n }),
        },
        at: at(1),
      }),
    ),
  ),
  { name: 'openAccount', body: { account: 'dollars', currency: 'USD', overdraft: 'refused' }, at: at(1) },
]
const names = ['cash-refused', 'cash-allowed', 'bank-refused', 'bank-allowed']

const moving = [
  ...(['credit', 'debit', 'post', 'reverse', 'convert', 'receive'] as const),
  ...(['hold', 'capture', 'release', 'reserve', 'settle'] as const),
]
const changing = [
  ...(['openAccount', 'changeAccount', 'closeAccount', 'reopenAccount'] as const),
  ...(['freezeAccount', 'unfreezeAccount', 'freeze', 'unfreeze', 'unfreeze'] as const),
]

const step = fc
  .record({
    name: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...moving) },
      { weight: 1, arbitrary: fc.constantFrom(...changing) },
    ),
    account: fc.constantFrom(...names),
    other: fc.constantFrom(...names, 'external:shop'),
    amount: fc.integer({ min: 1, max: 900 }).map(BigInt),
    places: fc.constantFrom(undefined, undefined, 2, 3),
    hold: fc.constantFrom('h1', 'h2', 'process:h3', 'process:h4'),
    on: fc.integer({ min: 1, max: 28 }),
    late: fc.integer({ min: 0, max: 3 }),
    overdraft: fc.constantFrom('refused', 'allowed'),
    bound: fc.option(fc.integer({ min: 0, max: 300 }).map(BigInt)),
    pick: fc.nat(),
  })
  .map(({ name, account, other, amount, places, hold, on, late, overdraft, bound, pick }): Step => {
    const named = { account, currency: 'EUR' }
    const money = { ...named, amount, ...(places !== undefined && { places }) }
    const effective = late > 0 ? { effective_on: day(Math.min(28, on + late)) } : {}
    const fee = { account: 'external:fees', amount: amount > 7n ? 1n + (amount % 7n) : 1n }
    const terms = { overdraft, [overdraft === 'refused' ? 'minimum' : 'limit']: bound ?? undefined }
    const toDollars = { to_account: 'dollars', to_currency: 'USD', rate: '1.0887' }
    const outside = { exchange_account: 'external:exchange', rounding_account: 'external:rounding' }
    const instead = late > 1 && [money, { ...money, account: other, amount: -amount }]
    const bodies: Partial<Record<Step['name'], object>> = {
      credit: { ...money, counterparty: 'external:client', ...effective },
      debit: { ...money, counterparty: 'external:shop', ...effective },
      post: { postings: [money, { ...money, account: other, amount: -amount }], ...effective },
      reverse: { pick, ...effective, ...(instead && { postings: instead }) },
      convert: { from_account: account, from_currency: 'EUR', amount, places, ...toDollars, ...outside, ...effective },
      hold: { ...money, hold },
      reserve: { ...money, amount: amount + fee.amount, hold, as: 'approved' },
      capture: { hold, counterparty: 'external:shop', ...(late > 1 && { amount }) },
      release: { hold },
      settle: { hold, amount, places: places ?? 2, counterparty: 'wallet:other', fee },
      receive: { ...money, places: places ?? 2, counterparty: 'external:other', fee },
      openAccount: { account: `more-${late}`, currency: 'EUR', ...terms },
      changeAccount: { ...named, overdraft, [overdraft === 'refused' ? 'minimum' : 'limit']: bound },
      closeAccount: named,
      reopenAccount: named,
      freezeAccount: named,
      unfreezeAccount: named,
      freeze: {},
      unfreeze: {},
    }
    return { name, body: bodies[name]!, at: at(on) }
  })
const histories = fc.array(step, { minLength: 20, maxLength: 80 }).map(steps => {
  const inOrder = steps.toSorted((one, other) => (one.at < other.at ? -1 : 1))
  return made([...opening, ...inOrder])
})

describe('the history of an export', () => {
  it('is sound, whatever the rules have made', () => {
    const [seen, entries] = [new Set<string>(), new Set<string>()]
    fc.assert(
      fc.property(histories, events => {
        for (const { type, data } of events) {
          seen.add(type)
          if (type === 'EntryPosted') for (const name of Object.keys(data as object)) entries.add(name)
        }
        expect(codeOf(events)).to.equal('sound')
      }),
      { numRuns: RUNS },
    )
    expect([...seen]).to.include.members(['EntryPosted', 'FundsHeld', 'HoldCaptured', 'HoldReleased'])
    expect([...seen]).to.include.members(['AccountChanged', 'AccountOverdraftChanged', 'AccountClosed'])
    expect([...entries], 'of every kind').to.include.members(['reverses', 'takenBack', 'conversion'])
  }).timeout(300_000)

  it('is sound where rules of before let a credit of a later day cover a debit', () => {
    const about = { account: 'cash-refused', currency: 'EUR' }
    const credit = { name: 'credit', body: { ...about, amount: 100n, counterparty: 'external:c' }, at: at(2) } as const
    const debit = { name: 'debit', body: { ...about, amount: 80n, counterparty: 'external:s' }, at: at(3) } as const
    const events = made([...opening, credit, debit])
    const later = events.map(event => {
      const isCredit = event.type === 'EntryPosted' && event.metadata.at === at(2)
      return isCredit ? { ...event, data: { ...(event.data as object), effectiveOn: '2026-04-01' } } : event
    })
    expect(later).to.not.deep.equal(events)
    expect(
      made([...opening, { ...credit, body: { ...credit.body, effective_on: '2026-04-01' } }, debit]),
    ).to.have.length(events.length - 1, 'the rules of today refuse the debit')
    expect(codeOf(later)).to.equal('sound')
  })

  it('is sound where an account is opened with a minimum, and below it still', () => {
    const about = { account: 'saved', currency: 'EUR' }
    const steps: Step[] = [
      { name: 'openAccount', body: { ...about, overdraft: 'refused', minimum: 100n }, at: at(2) },
      { name: 'credit', body: { ...about, amount: 40n, counterparty: 'external:c' }, at: at(3) },
    ]
    expect(codeOf(made([...opening, ...steps]))).to.equal('sound')
  })

  it('is refused after any edit of an entry that the rules would not have made', () => {
    fc.assert(
      fc.property(histories, fc.nat(), fc.constantFrom('one leg', 'unopened'), (events, pick, edit) => {
        const entries = events.flatMap(({ type }, n) => (type === 'EntryPosted' ? [n] : []))
        fc.pre(entries.length > 0)
        const index = entries[pick % entries.length]!
        const { postings } = events[index]!.data as { postings: { account: string; amount: bigint }[] }
        const changed = postings.map((posting, n) => {
          if (edit === 'one leg') return n === 0 ? { ...posting, amount: posting.amount * 2n } : posting
          return posting.account.startsWith('external:') ? posting : { ...posting, account: 'invented' }
        })
        const event = { ...events[index]!, data: { ...(events[index]!.data as object), postings: changed } }
        const found = codeOf(events.with(index, event))
        expect(found).to.deep.equal([edit === 'one leg' ? 'entry_unbalanced' : 'rules_broken', index + 1])
      }),
      { numRuns: RUNS },
    )
  }).timeout(300_000)

  it('shows an overdraft where none is allowed, however it came about', () => {
    const events = made([
      ...opening,
      {
        name: 'credit',
        body: { account: 'cash-refused', currency: 'EUR', amount: 100n, counterparty: 'external:c' },
        at: at(2),
      },
      {
        name: 'debit',
        body: { account: 'cash-refused', currency: 'EUR', amount: 80n, counterparty: 'external:s' },
        at: at(3),
      },
      {
        name: 'debit',
        body: { account: 'cash-allowed', currency: 'EUR', amount: 80n, counterparty: 'external:s' },
        at: at(3),
      },
    ])
    const [debit] = events.slice(-2)
    const again = { ...debit!, metadata: { ...debit!.metadata, commandId: 'again' } }
    expect(codeOf([...events, again])).to.deep.equal(['rules_broken', events.length + 1])
    const withoutCredit = events.filter((_, n) => n !== events.length - 3)
    expect(codeOf(withoutCredit)[0]).to.equal('rules_broken')
    const doubled = (by: bigint) => (event: DomainEvent) => {
      const data = event.data as { postings: { amount: bigint }[] }
      return {
        ...event,
        data: { ...data, postings: data.postings.map(each => ({ ...each, amount: each.amount * by })) },
      }
    }
    expect(codeOf(events.with(-2, doubled(2n)(events.at(-2)!)))[0], 'both legs doubled').to.equal('rules_broken')
    expect(codeOf(events.with(-1, doubled(2n)(events.at(-1)!))), 'within its limit').to.equal('sound')
    expect(codeOf(events.with(-1, doubled(9n)(events.at(-1)!)))[0], 'below its limit').to.equal('rules_broken')
    expect(accountsOf(wallet.initial)).to.deep.equal([])
  })

  it('is looked at for things of every kind, and not for one of which an event is not there', () => {
    const event = (stream: string, type: string, data: object): DomainEvent => ({
      type,
      data,
      stream,
      category: stream.slice(0, stream.indexOf('-')),
      metadata: { at: at(1), commandId: type } as DomainEvent['metadata'],
      eventId: '',
      revision: 0n,
      position: 0n,
    })
    const closed = event('wallet-x', 'WalletClosed', {})
    expect(codeOf([closed])[0]).to.equal('rules_broken')
    const unfolded: number[] = []
    const checker = historyChecker({ ...history, aggregates, onEnd: things => unfolded.push(things) })
    checker.add('wallet-x', undefined, 1)
    checker.add('wallet-x', closed, 2)
    checker.add('wallet-y', event('wallet-y', 'WalletOpened', { owner: 'o', kind: 'personal' }), 3)
    checker.end()
    expect(unfolded, 'it is counted').to.deep.equal([1])
  })
})
