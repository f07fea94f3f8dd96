import { expect } from 'chai'
import fc from 'fast-check'
import type { EventOf } from '../../../domain/kernel/aggregate.ts'
import { Rejection } from '../../../domain/kernel/errors.ts'
import { dayIn } from '../../../domain/time/zone.ts'
import type { events } from '../../../domain/wallet/wallet/messages.ts'
import { type Wallet, wallet } from '../../../domain/wallet/wallet/wallet.ts'
import { CONTEXT, codeOf, specFor, stateOf } from '../../support/spec.ts'

type Fact = EventOf<typeof events>
type Rules = { readonly zone?: string; readonly limits?: object[]; readonly approvals?: object[] }

const { given } = specFor(wallet)
const eur = { currency: 'EUR' }
const books: readonly Fact[] = [
  { type: 'WalletOpened', data: { owner: 'mira', kind: 'business' } },
  { type: 'AccountOpened', data: { account: 'a', ...eur, places: 2, overdraft: 'allowed' } },
  { type: 'AccountOpened', data: { account: 'b', ...eur, places: 2, overdraft: 'allowed' } },
]
const rules = ({ zone = 'UTC', limits = [], approvals = [] }: Rules, version = 1): Fact =>
  ({ type: 'TransferRulesSet', data: { version, zone, limits, approvals } }) as Fact
const limited = (per_day: bigint, more: object = {}) => rules({ limits: [{ ...eur, per_day, ...more }] })
const PROCESS = { actor: 'process:transfer', behalf: { subject: 'jon', roles: [] } }
const TODAY = '2026-01-31'
const asked = (n: number, amount: bigint, account = 'a') => ({ hold: `process:${n}`, account, ...eur, amount })
const held = (n: number, amount: bigint, sentOn: string | undefined = TODAY, account = 'a'): Fact => ({
  type: 'FundsHeld',
  data: { ...asked(n, amount, account), ...(sentOn && { sentOn }) },
})
const released = (n: number, amount: bigint): Fact => ({ type: 'HoldReleased', data: asked(n, amount) })
const at = (instant: string) => ({ ...PROCESS, at: instant })

describe('wallet: what may be sent out of it', () => {
  it('has rules, as versions', () => {
    const wanted = { zone: 'Europe/Berlin', limits: [{ ...eur, per_day: 5n }], approvals: [] }
    given(...books)
      .when('setTransferRules', { ...wanted, reason: 'Ours' })
      .then({ type: 'TransferRulesSet', data: { version: 1, ...wanted, reason: 'Ours' } })
    given(...books, rules(wanted))
      .when('setTransferRules', wanted)
      .changesNothing()
    given(...books, rules(wanted))
      .when('setTransferRules', { ...wanted, limits: [] })
      .then({ type: 'TransferRulesSet', data: { version: 2, ...wanted, limits: [] } })
    given(...books)
      .when('setTransferRules', { ...wanted, zone: 'Mars/Olympus' })
      .rejects('transfer_zone_unknown')
    given(...books)
      .when('setTransferRules', { ...wanted, approvals: [{ currency: 'BEANS', above: 1n }] })
      .rejects('currency_places_unknown')
  })

  const fits = (facts: readonly Fact[], body: ReturnType<typeof asked>, sentOn?: string, context: object = PROCESS) =>
    given(...books, ...facts)
      .when('hold', body, context)
      .then({ type: 'FundsHeld', data: { ...body, ...(sentOn && { sentOn }) } })
  const passes = (facts: readonly Fact[], body: ReturnType<typeof asked>, context: object = PROCESS) =>
    given(...books, ...facts)
      .when('hold', body, context)
      .rejects('transfer_limit_passed')

  it('is without bounds in a wallet without rules, and for what users hold themselves', () => {
    fits([], asked(1, 1_000_000n))
    given(...books, limited(5n))
      .when('hold', { ...asked(1, 9n), hold: 'own' })
      .then({ type: 'FundsHeld', data: { ...asked(1, 9n), hold: 'own' } })
  })

  it('counts a day together, whatever account it leaves', () => {
    fits([limited(5n)], asked(1, 5n), TODAY)
    passes([limited(5n)], asked(1, 6n))
    fits([limited(5n), held(1, 3n)], asked(2, 2n, 'b'), TODAY)
    passes([limited(5n), held(1, 3n)], asked(2, 3n, 'b'))
    fits([limited(5n), held(1, 3n), released(1, 3n)], asked(2, 5n), TODAY)
    fits([limited(5n), held(1, 5n, '2026-01-30')], asked(2, 5n), TODAY)
  })
  it('counts an account by itself where the limit names it', () => {
    const ofA = limited(5n, { account: 'a' })
    passes([ofA, held(1, 3n)], asked(2, 3n))
    fits([ofA, held(1, 3n)], asked(2, 9n, 'b'), TODAY)
  })
  it('counts a month, from which what was let go on a later day is taken as well', () => {
    const monthly = rules({ limits: [{ ...eur, per_month: 5n }] })
    passes([monthly, held(1, 3n, '2026-01-02')], asked(2, 3n))
    fits([monthly, held(1, 3n, '2026-01-02'), held(2, 1n), released(1, 3n)], asked(3, 4n), TODAY)
    fits([monthly, held(1, 5n, '2025-12-31')], asked(2, 5n), TODAY)
    fits([monthly, held(1, 5n, '2025-12-31'), held(2, 1n), released(1, 5n)], asked(3, 4n), TODAY)
  })
  it('counts by the day of the time zone', () => {
    const berlin = rules({ zone: 'Europe/Berlin', limits: [{ ...eur, per_day: 5n }] })
    fits([berlin, held(1, 5n)], asked(2, 5n), '2026-02-01', at('2026-01-31T23:00:00.000Z'))
    passes([berlin, held(1, 5n)], asked(2, 1n), at('2026-01-31T22:59:59.999Z'))
    // A zone in which it is still the day before brings no new day.
    const west = [...[berlin, held(1, 5n)], rules({ zone: 'Pacific/Honolulu', limits: [{ ...eur, per_day: 5n }] }, 2)]
    passes(west, asked(2, 1n), at('2026-01-31T05:00:00.000Z'))
  })
  it('counts exactly where amounts are finer than the unit of the currency', () => {
    const beans: Fact[] = [
      { type: 'AccountOpened', data: { account: 'a', currency: 'BEANS', places: 0, overdraft: 'allowed' } },
      rules({ limits: [{ currency: 'BEANS', per_day: 1n }] }),
    ]
    const tenths = (n: number, amount: bigint) => ({ ...asked(n, amount), currency: 'BEANS', places: 1 })
    const half: Fact = { type: 'FundsHeld', data: { ...tenths(1, 5n), sentOn: TODAY } }
    fits([...beans, half], tenths(2, 5n), TODAY)
    passes([...beans, half], tenths(2, 6n))
  })
  it('leaves out what stays within the wallet', () => {
    const body = { ...asked(1, 9n), as: 'within' as const }
    given(...books, limited(5n))
      .when('reserve', body, PROCESS)
      .then(held(1, 9n, ''))
  })

  describe('by approval of a second person', () => {
    const above = (amount: bigint, more: object = {}) => rules({ approvals: [{ ...eur, above: amount, ...more }] })
    const wants = (facts: readonly Fact[], body: ReturnType<typeof asked>) =>
      given(...books, ...facts)
        .when('hold', body, PROCESS)
        .rejects('transfer_approval_required')

    it('is wanted above an amount', () => {
      wants([above(5n)], asked(1, 6n))
      fits([above(5n)], asked(1, 5n), TODAY)
      fits([above(5n, { account: 'b' })], asked(1, 6n), TODAY)
      const body = { ...asked(1, 6n), as: 'approved' as const }
      given(...books, above(5n))
        .when('reserve', body, PROCESS)
        .then(held(1, 6n))
      given(...books, rules({ limits: [{ ...eur, per_day: 5n }], approvals: [{ ...eur, above: 1n }] }))
        .when('reserve', body, PROCESS)
        .rejects('transfer_limit_passed')
    })
    it('is wanted for what is sent together, where that is more', () => {
      const together = (total: bigint) => ({ ...asked(1, 2n), as: 'asked' as const, total })
      const when = (total: bigint) => given(...books, above(5n)).when('reserve', together(total), PROCESS)
      when(6n).rejects('transfer_approval_required')
      when(5n).then(held(1, 2n))
    })
    it('may come from the owner and the users, and not from who asked', () => {
      const granted = (user: string): Fact => ({ type: 'AccessGranted', data: { user, right: 'post' } })
      const state = stateOf(wallet, [...books, above(5n), granted('jon'), granted('ana')])
      const approvers = (context: object) => {
        try {
          wallet.decide.hold(state, asked(1, 6n), { ...CONTEXT, ...context })
        } catch (error) {
          if (error instanceof Rejection) return error.details.map(({ message }) => message)
        }
        return expect.fail('no approval was wanted')
      }
      expect(approvers(PROCESS)).to.deep.equal(['mira', 'ana'])
      expect(approvers({ ...PROCESS, behalf: { subject: 'mira', roles: [] } })).to.have.members(['jon', 'ana'])
    })
  })

  it('is within its limits after any holds and releases, by a naive count', () => {
    const step = fc.record({
      hour: fc.integer({ min: 0, max: 30 }),
      account: fc.constantFrom('a', 'b'),
      amount: fc.bigInt(1n, 40n),
      release: fc.boolean(),
    })
    const zone = 'America/New_York'
    const set = rules({
      zone,
      limits: [
        { ...eur, per_day: 100n, per_month: 150n },
        { ...eur, account: 'a', per_day: 60n },
      ],
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), steps => {
        let state: Wallet = stateOf(wallet, [...books, set])
        let now = Date.parse('2026-01-28T20:00:00.000Z')
        const open = new Map<string, { day: string; account: string; amount: bigint }>()
        const sum = (is: (one: { day: string; account: string }) => boolean) =>
          [...open.values()].filter(is).reduce((total, { amount }) => total + amount, 0n)
        for (const [n, { hour, account, amount, release }] of steps.entries()) {
          now += hour * 3_600_000
          const instant = new Date(now).toISOString()
          const day = dayIn(zone, instant)
          const [first] = open.keys()
          const context = { ...CONTEXT, ...PROCESS, at: instant }
          const give = (run: () => readonly Fact[]) =>
            codeOf(() => {
              for (const { type, data } of run()) state = wallet.evolve[type](state, data as never, instant)
            })
          if (release && first !== undefined) {
            open.delete(first)
            expect(give(() => wallet.decide.release(state, { hold: first }, context))).to.equal(undefined)
            continue
          }
          const isOver =
            sum(one => one.day === day) + amount > 100n ||
            sum(one => one.day.slice(0, 7) === day.slice(0, 7)) + amount > 150n ||
            (account === 'a' && sum(one => one.day === day && one.account === 'a') + amount > 60n)
          const code = give(() => wallet.decide.hold(state, asked(n, amount, account), context))
          expect(code).to.equal(isOver ? 'transfer_limit_passed' : undefined)
          if (!isOver) open.set(`process:${n}`, { day, account, amount })
        }
      }),
    )
  })
})

describe('wallet: the sides of a transfer with a fee', () => {
  const entry = (kind: 'transfer' | 'fee', n: number, postings: readonly (readonly [string, bigint])[]) =>
    ({
      type: 'EntryPosted',
      data: {
        entry: `made-${n}`,
        kind,
        postings: postings.map(([account, amount]) => ({ account, ...eur, amount })),
        effectiveOn: TODAY,
      },
    }) as const
  const fee = { amount: 7n, account: 'external:fees' }

  it('are two entries at the source, of what is held', () =>
    given(...books, held(1, 107n, ''))
      .when('settle', { hold: 'process:1', amount: 100n, places: 2, counterparty: 'external:wallet:ben', fee }, PROCESS)
      .then(
        entry('transfer', 0, [
          ['external:wallet:ben', 100n],
          ['a', -100n],
        ]),
        entry('fee', 1, [
          ['external:fees', 7n],
          ['a', -7n],
        ]),
        { type: 'HoldCaptured', data: { ...asked(1, 107n), released: 0n, entry: 'made-0' } },
      ))
  it('are two entries at the target, whatever else it may spend', () => {
    const terms = { account: 'c', ...eur, places: 2, overdraft: 'refused' as const, minimum: 1_000n }
    const body = { account: 'c', ...eur, amount: 100n, places: 2, counterparty: 'external:wallet:mira', fee }
    given(...books, { type: 'AccountOpened', data: terms })
      .when('receive', body, PROCESS)
      .then(
        entry('transfer', 0, [
          ['c', 100n],
          ['external:wallet:mira', -100n],
        ]),
        entry('fee', 1, [
          ['external:fees', 7n],
          ['c', -7n],
        ]),
      )
    given(...books, { type: 'WalletFrozen', data: {} })
      .when('receive', { ...body, account: 'a' }, PROCESS)
      .rejects('wallet_frozen')
  })
})
