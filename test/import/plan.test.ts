import { expect } from 'chai'
import { NO_WALLET } from '../../commands/imports/wallet-state.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import type { Plan } from '../../scripts/journal/plan.ts'
import { stateOf } from '../support/spec.ts'
import { afterPlan, balances, FILE, journal, line, plan, refusalOf, tx } from './support.ts'

const lunch = tx('Lunch', line('expenses:food', '12.50 EUR'), line('assets:cash', '-12.50 EUR'))
const rent = tx('Rent', line('expenses:rent', '800 EUR'), line('assets:bank', '-800 EUR'))
const commandsOf = ({ steps }: Plan) => steps.map(({ command }) => command)
const bodiesOf = ({ steps }: Plan) => steps.filter(({ command }) => command === 'post').map(({ body }) => body)
const refused = (code: string, n = 0) => ({ code, file: FILE, line: 10 * n + 1 })

describe('import: the plan', () => {
  it('opens the wallet and the accounts, then posts the entries in order', () => {
    const made = plan(journal(lunch, rent))
    expect(commandsOf(made)).to.deep.equal(['open', ...Array(4).fill('openAccount'), 'post', 'post'])
    expect(made.steps[0]!.body).to.deep.equal({ owner: 'user-1', kind: 'business' })
    expect(made.steps[1]!.body).to.deep.equal({
      account: 'expenses:food',
      currency: 'EUR',
      places: 2,
      overdraft: 'allowed',
    })
    expect(bodiesOf(made)[0]).to.deep.equal({
      postings: [
        { account: 'expenses:food', currency: 'EUR', amount: 1250n },
        { account: 'assets:cash', currency: 'EUR', amount: -1250n },
      ],
      effective_on: '2026-01-31',
      description: 'Lunch',
      source: 'journal',
    })
    expect(balances(made)).to.deep.equal({
      'assets:bank EUR': '-80000',
      'assets:cash EUR': '-1250',
      'expenses:food EUR': '1250',
      'expenses:rent EUR': '80000',
    })
  })

  it('opens nothing for an empty journal', () => expect(commandsOf(plan([]))).to.deep.equal([]))

  it('keeps code and description as the words of the entry', () => {
    const words = (one: Partial<typeof lunch>) => bodiesOf(plan(journal({ ...lunch, ...one })))[0]
    expect(words({ code: '17' })).to.have.property('description', '(17) Lunch')
    expect(words({ code: '17', description: '' })).to.have.property('description', '(17)')
    expect(words({ description: '' })).not.to.have.property('description')
  })

  it('leaves the world outside unopened', () => {
    const made = plan(journal(tx('Fee', line('assets:bank', '-1 EUR'), line('external:bank', '1 EUR'))))
    expect(commandsOf(made)).to.deep.equal(['open', 'openAccount', 'post'])
  })

  describe('what is booked', () => {
    it('makes a posting of each amount', () => {
      const made = plan(journal(tx('', line('a', '1 EUR', '2 USD'), line('b', '-1 EUR', '-2 USD'))))
      expect(balances(made)).to.deep.equal({ 'a EUR': '100', 'a USD': '200', 'b EUR': '-100', 'b USD': '-200' })
    })
    it('books nothing where there are no two postings of money', () => {
      const empty = journal(tx(''), tx('', line('a', '0 EUR')), tx('', line('a', '0'), line('b')))
      expect(plan(empty)).to.include({ empty: 3 })
      expect(bodiesOf(plan(empty))).to.deep.equal([])
    })
    it('books an entry of zeros that names its currency, and leaves out zeros that name none', () => {
      const made = plan(journal(tx('', line('a', '0 EUR'), line('b', '0 EUR'), line('c', '0'))))
      expect(bodiesOf(made)[0]).to.have.property('postings').with.length(2)
    })
    it('books brackets, which balance among themselves, and refuses parentheses', () => {
      const bracketed = journal(tx('', line('[a]', '1 EUR'), line('[b]', '-1 EUR')))
      expect(balances(plan(bracketed))).to.deep.equal({ 'a EUR': '100', 'b EUR': '-100' })
      const virtual = journal(lunch, tx('', line('(a)', '1 EUR')))
      expect(refusalOf(() => plan(virtual))).to.deep.equal(refused('virtual_posting', 1))
    })
    it('books an exchange through its conversion account, so that all accounts hold what the journal says', () => {
      const made = plan(journal(tx('', line('a', '10 EUR @'), line('b', '-11 USD'))))
      expect(balances(made)).to.deep.equal({ 'a EUR': '1000', 'b USD': '-1100' })
      expect(bodiesOf(made)[0]).to.have.deep.property('postings', [
        { account: 'a', currency: 'EUR', amount: 1000n },
        { account: 'b', currency: 'USD', amount: -1100n },
        { account: 'external:conversion:EUR:USD', currency: 'EUR', amount: -1000n },
        { account: 'external:conversion:EUR:USD', currency: 'USD', amount: 1100n },
      ])
    })
    it('names an account that has no name', () => {
      const made = plan(journal(tx('', line('', '1 EUR'), line('b', '-1 EUR'))))
      expect(balances(made)).to.deep.equal({ '(unnamed) EUR': '100', 'b EUR': '-100' })
    })
    it('takes names that mean something to JavaScript', () => {
      const made = plan(journal(tx('', line('__proto__', '1 toString'), line('constructor', '-1 toString'))))
      expect(balances(made)).to.deep.equal({ '__proto__ toString': '1', 'constructor toString': '-1' })
    })
  })

  describe('commodities', () => {
    const inCommodity = (commodity: string, number = '1') =>
      journal(tx('', line('a', `${number} ${commodity}`), line('b', `-${number} ${commodity}`)))
    const currencyOf = (commodity: string, names = {}) =>
      Object.keys(balances(plan(inCommodity(commodity), NO_WALLET, names)))[0]

    it('are named as usual, or as they stand, or as asked', () => {
      expect(['$', '€', '£', '¥', 'CHF', 'AAPL', ''].map(one => currencyOf(one))).to.deep.equal(
        ['USD', 'EUR', 'GBP', 'JPY', 'CHF', 'AAPL', 'XXX'].map(name => `a ${name}`),
      )
      expect(currencyOf('$', { $: 'CAD' })).to.equal('a CAD')
    })
    it('that would become one are refused, unless both are asked for', () => {
      const both = journal(lunch, tx('', line('a', '1 €'), line('b', '-1 €')))
      expect(refusalOf(() => plan(both))).to.deep.equal(refused('commodities_collide', 1))
      const asked = plan(both, NO_WALLET, { '€': 'EUR', EUR: 'EUR' })
      expect(balances(asked)).to.include({ 'a EUR': '100', 'expenses:food EUR': '1250' })
      const apart = plan(both, NO_WALLET, { '€': '€' })
      expect(balances(apart)).to.include({ 'a €': '1', 'expenses:food EUR': '1250' })
    })
    it('have the places of ISO 4217, or the most that the journal shows', () => {
      const places = (one: ReturnType<typeof journal>) => plan(one).steps[1]!.body
      expect(places(inCommodity('JPY'))).to.have.property('places', 0)
      expect(places(inCommodity('KWD'))).to.have.property('places', 3)
      expect(places([...inCommodity('BTC', '1.00000001'), ...inCommodity('BTC', '1.5')])).to.have.property('places', 8)
    })
    it('keep the places that the wallet has', () => {
      const first = afterPlan(plan(inCommodity('BTC', '1.50000000')))
      const later = plan([...inCommodity('BTC', '1.5'), ...inCommodity('BTC', '2')], first)
      expect(balances(later)).to.include({ 'a BTC': '350000000' })
    })
    it('refuse more decimals than they have, but not zeros', () => {
      expect(balances(plan(inCommodity('EUR', '1.5000')))).to.include({ 'a EUR': '150' })
      expect(
        refusalOf(() => plan([...inCommodity('EUR'), ...journal(rent, lunch), ...inCommodity('EUR', '1.005')])),
      ).to.deep.equal(refused('amount_too_precise'))
    })
  })

  describe('refusals name file and line', () => {
    const many = (n: number) => Array.from({ length: n }, (_, k) => line(`a:${k}`, k === 0 ? `${1 - n} EUR` : '1 EUR'))
    const cases = {
      'an entry that does not balance': ['entry_unbalanced', tx('', line('a', '1 EUR'), line('b', '-2 EUR'))],
      'currencies that balance only together': ['entry_unbalanced', tx('', line('a', '1 EUR'), line('b', '-1 USD'))],
      'nothing of the wallet': [
        'entry_without_own_account',
        tx('', line('external:a', '1 EUR'), line('external:b', '-1 EUR')),
      ],
      'more postings than an entry has': ['invalid_entry', tx('', ...many(1001))],
      'a name that is too long': ['invalid_entry', tx('', line('x'.repeat(256), '1 EUR'), line('b', '-1 EUR'))],
      'a text that cannot be stored': ['invalid_entry', tx('\0', line('a', '1 EUR'), line('b', '-1 EUR'))],
      'more than 38 digits': [
        'invalid_entry',
        tx('', line('a', `1${'0'.repeat(37)} EUR`), line('b', `-1${'0'.repeat(37)} EUR`)),
      ],
      'a commodity that is no name': ['invalid_entry', tx('', line('a', '1 \u200b'), line('b', '-1 \u200b'))],
    } as const
    for (const [what, [code, bad]] of Object.entries(cases)) {
      it(what, () => expect(refusalOf(() => plan(journal(lunch, rent, bad)))).to.deep.equal(refused(code, 2)))
    }

    it('an overdraft that the wallet does not allow', () => {
      const opened = plan([])
      const cash = { account: 'assets:cash', currency: 'EUR' }
      const paid = [
        { ...cash, amount: 1300n },
        { ...cash, account: 'external:client', amount: -1300n },
      ]
      const state = stateOf(wallet, [
        { type: 'WalletOpened', data: { owner: 'user-1', kind: 'business' } },
        { type: 'AccountOpened', data: { ...cash, places: 2, overdraft: 'refused' } },
        { type: 'EntryPosted', data: { entry: 'e-1', kind: 'credit', postings: paid, effectiveOn: '2026-01-01' } },
      ])
      expect(opened.steps).to.deep.equal([])
      const before = { ...NO_WALLET, state }
      expect(refusalOf(() => plan(journal(lunch), before))).to.equal(undefined)
      expect(refusalOf(() => plan(journal(lunch, lunch), before))).to.deep.equal(refused('insufficient_funds', 1))
    })
    it('a wallet that is closed', () => {
      const before = { ...NO_WALLET, state: { status: 'closed', owner: 'mira' } as const }
      expect(refusalOf(() => plan(journal(lunch), before))).to.deep.equal(refused('wallet_closed'))
    })
  })

  describe('refusals say what is beyond which limit, and what helps', () => {
    const messages: readonly [string, ReturnType<typeof tx>, RegExp][] = [
      [
        'a long commodity',
        tx('', line('a', `1 ${'Evergreen'.repeat(5)}`), line('b', `-1 ${'Evergreen'.repeat(5)}`)),
        /^made-up.journal:1: .*Evergreen" has .* 45 characters; the limit is 32\. .*--commodity '(Evergreen)+=EEEEE'/,
      ],
      [
        'a commodity with the name of a path',
        tx('', line('a', '1 statement'), line('b', '-1 statement')),
        /:1: .*"statement" has a name that a path takes.*--commodity 'statement=SHORT'/,
      ],
      [
        'a commodity that cannot be seen',
        tx('', line('a', '1 \u200b'), line('b', '-1 \u200b')),
        /:1: .*"U\+200B" has characters that cannot be seen.*--commodity/,
      ],
      [
        'a long account',
        tx('', line('x'.repeat(300), '1 EUR'), line('b', '-1 EUR')),
        /300 characters; the limit is 255\. .*alias/,
      ],
      [
        'a long description',
        tx('y'.repeat(1001), line('a', '1 EUR'), line('b', '-1 EUR')),
        /1001 characters; the limit is 1000\./,
      ],
      [
        'too many digits',
        tx('', line('a', `${'9'.repeat(37)} EUR`), line('b', `-${'9'.repeat(37)} EUR`)),
        /amount in EUR has 39 digits .* the limit is 38\./,
      ],
      [
        'too many postings',
        tx('', ...Array.from({ length: 1002 }, (_, n) => line('a', n % 2 ? '1 EUR' : '-1 EUR'))),
        /makes 1002 postings; the limit of an entry is 1000\. Split/,
      ],
      ['an account outside without a name', tx('', line('a', '1 EUR'), line('external:', '-1 EUR')), /needs a name/],
      [
        'more decimals than any currency has',
        tx('', line('a', `0.${'1'.repeat(31)} X`), line('b', `-0.${'1'.repeat(31)} X`)),
        /has 31 decimal places; X has at most 30/,
      ],
    ]
    for (const [what, bad, message] of messages) {
      it(what, () => expect(() => plan(journal(bad))).to.throw(message))
    }
  })

  describe('run again', () => {
    const first = afterPlan(plan(journal(lunch, rent, lunch)))

    it('finds everything there', () => {
      const again = plan(journal(lunch, rent, lunch), first)
      expect(again).to.include({ alreadyThere: 3, otherEntries: 0 })
      expect(again.steps).to.deep.equal([])
    })
    it('adds exactly the line that is new, wherever it stands', () => {
      const tea = tx('Tea', line('expenses:food', '3 EUR'), line('assets:cash', '-3 EUR'))
      for (const grown of [
        journal(tea, lunch, rent, lunch),
        journal(lunch, rent, tea, lunch),
        journal(lunch, rent, lunch, tea),
      ]) {
        const more = plan(grown, first)
        expect(bodiesOf(more)).to.have.length(1)
        expect(more).to.include({ alreadyThere: 3 })
      }
    })
    it('takes the same line once more for another of its kind', () =>
      expect(bodiesOf(plan(journal(lunch, lunch, rent, lunch), first))).to.have.length(1))
    it('does not care how numbers are written, nor about prices and places in the file', () => {
      const written = tx('Lunch', line('expenses:food', '12.5 EUR'), line('assets:cash', '-12.500 EUR'))
      expect(plan(journal(rent, written, lunch), first).steps).to.deep.equal([])
    })
    it('says how many entries are not of this file', () =>
      expect(plan(journal(rent), first, {}, { source: 'another' })).to.include({ alreadyThere: 1, otherEntries: 2 }))
    it('completes what was cut off anywhere', () => {
      const whole = plan(journal(lunch, rent, lunch))
      for (let cut = 0; cut <= whole.steps.length; cut += 1) {
        const posted = whole.steps.slice(0, cut).filter(({ command }) => command === 'post').length
        const half = afterPlan(whole, NO_WALLET, cut)
        const rest = plan(journal(lunch, rent, lunch), half)
        expect(balances(rest)).to.deep.equal(balances(whole))
        expect(rest.alreadyThere).to.equal(posted)
      }
    })
    it('refuses other names for the commodities of entries that are there', () => {
      const dollars = journal(tx('', line('a', '1 $'), line('b', '-1 $')))
      const before = afterPlan(plan(dollars))
      expect(refusalOf(() => plan(dollars, before, { $: 'CAD' }))).to.deep.equal(refused('idempotency_key_reused'))
    })
  })
})
