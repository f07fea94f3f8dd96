import { expect } from 'chai'
import { afterEvents, NO_WALLET, type WalletState } from '../../commands/imports/wallet-state.ts'
import { entryKeys, type Journal } from '../../scripts/journal/journal.ts'
import type { Options, Plan, Step } from '../../scripts/journal/plan.ts'
import { afterPlan, balances, eventsOf, FILE, journal, line, plan, refusalOf, tx } from './support.ts'

const opening = tx('Opening', line('assets:bank', '100 EUR'), line('equity', '-100 EUR'))
const fitted = (amount: string) => tx('Reconcile', line('assets:bank', amount), line('equity', `-${amount}`))
const rent = { ...tx('Rent', line('expenses', '9 EUR'), line('assets:bank', '-9 EUR')), date: '2026-01-05' }

const importAs = (source: string, onChange?: Options['onChange']) => (made: Journal, before?: WalletState) =>
  plan(made, before, {}, { source, onChange })
const again = importAs('journal')
const postsOf = ({ steps }: Plan) => steps.filter(({ command }) => command === 'post').map(({ body }) => body)

/** The wallet as the version before left it: entries that say nothing of where they come from. */
function importedBefore(transactions: Journal, roles: string[] = []): WalletState {
  return again(transactions).steps.reduce((state, { body, ...step }: Step) => {
    const { source, ...older } = body as { source?: string }
    return afterEvents(state, eventsOf({ ...step, body: older }, state, roles))
  }, NO_WALLET)
}

describe('import: what changed since', () => {
  const first = afterPlan(again(journal(opening, fitted('150 EUR'), rent)))
  const edited = journal(opening, fitted('30 EUR'), rent)

  it('posts an edited transaction anew and takes its first entry back, for the same days', () => {
    const made = again(edited, first)
    const [replacement, reversal, ...more] = postsOf(made) as [object, object, ...object[]]
    expect(more).to.deep.equal([])
    const old = [...first.posted.values()].find(({ words }) => words === 'Reconcile')!.entry
    expect(replacement).to.include({ effective_on: '2026-01-31', replaces: old, source: 'journal' })
    expect(reversal).to.deep.equal({
      postings: [
        { account: 'assets:bank', currency: 'EUR', amount: -15000n },
        { account: 'equity', currency: 'EUR', amount: 15000n },
      ],
      effective_on: '2026-01-31',
      description: 'Taken back: Reconcile',
      source: 'journal',
      reverses: old,
    })
    expect(balances(made)).to.deep.equal(balances(plan(edited)))
    expect(made).to.include({ alreadyThere: 2, otherEntries: 0 })
  })

  it('does nothing the second time, and books the first one again when the edit is undone', () => {
    const after = afterPlan(again(edited, first), first)
    expect(again(edited, after).steps).to.deep.equal([])
    const undone = again(journal(opening, fitted('150 EUR'), rent), after)
    expect(postsOf(undone)).to.have.length(2)
    expect(balances(undone)).to.deep.equal(balances({ state: first.state }))
    const redone = again(edited, afterPlan(undone, after))
    expect(balances(redone)).to.deep.equal(balances(plan(edited)))
    expect(again(edited, afterPlan(redone, afterPlan(undone, after))).steps).to.deep.equal([])
  })

  it('takes back what stands for an entry that was reversed or replaced by hand, and nothing twice', () => {
    const old = [...first.posted.values()].find(({ words }) => words === 'Reconcile')!
    const back = old.postings.map(posting => ({ ...posting, amount: -posting.amount }))
    const instead = [
      { account: 'assets:bank', currency: 'EUR', amount: 7n },
      { account: 'external:x', currency: 'EUR', amount: -7n },
    ]
    for (const [more, posts] of [
      [[], 1],
      [instead, 2],
    ] as const) {
      const byHand = { command: 'post', body: { postings: [...back, ...more], reverses: old.entry }, key: 'by hand' }
      const events = [...eventsOf(byHand as Step, first, ['owner'])].map(event => ({
        ...event,
        data: { ...(event.data as object), ...(more.length > 0 && { takenBack: back.length }) },
      }))
      const made = again(edited, afterEvents(first, events))
      expect(postsOf(made)).to.have.length(posts)
      expect(balances(made)).to.deep.equal(balances(plan(edited)))
    }
  })

  it('completes what was cut off anywhere', () => {
    const whole = again(edited, first)
    for (let cut = 0; cut <= whole.steps.length; cut += 1) {
      const half = afterPlan(whole, first, cut)
      const rest = again(edited, half)
      expect(balances(rest)).to.deep.equal(balances(whole))
      expect(again(edited, afterPlan(rest, half)).steps).to.deep.equal([])
    }
  })

  it('knows a transaction again whose words were edited, or one of several alike', () => {
    const renamed = again(journal(opening, { ...fitted('150 EUR'), description: 'Bank' }, rent), first)
    expect(balances(renamed)).to.deep.equal(balances({ state: first.state }))
    const twice = afterPlan(again(journal(rent, rent)))
    const cheaper = { ...tx('Rent', line('expenses', '8 EUR'), line('assets:bank', '-8 EUR')), date: rent.date }
    const made = again(journal(rent, cheaper), twice)
    expect(balances(made)).to.deep.equal({ 'assets:bank EUR': '-1700', 'expenses EUR': '1700' })
  })

  it('refuses a journal that has lost a transaction, until it is said what to do', () => {
    const shorter = journal(opening, rent)
    expect(refusalOf(() => again(shorter, first))).to.deep.equal({
      code: 'transactions_gone',
      file: FILE,
      line: undefined,
    })
    const taken = importAs('journal', 'reverse')(shorter, first)
    expect(balances(taken)).to.deep.equal(balances(plan(shorter)))
    expect(taken.changes.removed.map(({ words }) => words)).to.deep.equal(['Reconcile'])
    expect(again(shorter, afterPlan(taken, first)).steps).to.deep.equal([])
    const kept = importAs('journal', 'keep')(shorter, first)
    expect(kept.steps).to.deep.equal([])
    expect(kept.changes.left.map(({ words }) => words)).to.deep.equal(['Reconcile'])
  })

  it('leaves entries of other journals alone, and asks where one looks like a transaction that was edited', () => {
    const second = importAs('second')
    expect(second(journal(rent), first)).to.include({ alreadyThere: 1, otherEntries: 2 })
    expect(refusalOf(() => second(edited, first))).to.deep.equal({ code: 'transaction_changed', file: FILE, line: 11 })
    const taken = importAs('second', 'reverse')(edited, first)
    expect(balances(taken)).to.deep.equal(balances(plan(edited)))
    expect(postsOf(importAs('second', 'keep')(edited, first))).to.have.length(1)
  })

  it('never touches what came through the API', () => {
    const posted = importedBefore(journal(opening, fitted('150 EUR')), ['team-lead'])
    const made = again(journal(fitted('30 EUR')), posted)
    expect(postsOf(made)).to.have.length(1)
    expect(made).to.include({ otherEntries: 2 })
    expect(made.changes.left).to.deep.equal([])
  })

  it('names file and line, what is there, and what helps', () => {
    const run = () => again(edited, importedBefore(journal(opening, fitted('150 EUR'))))
    expect(run).to.throw(
      /^made-up\.journal:11: .* 2026-01-31 "Reconcile" \(entry .*--changed reverse .*--changed keep /,
    )
    expect(() => again(journal(rent), first)).to.throw(/^made-up\.journal: .* 2 entries .*Reconcile.*--source NAME/)
  })

  describe('after the version that kept neither source nor days', () => {
    const dated = (day?: string) => {
      const paid = line('assets:checking', '-10.50 EUR')
      return {
        ...tx('groceries | market', line('expenses:food', '10.50 EUR'), day ? { ...paid, date: day } : paid),
        code: '7',
        date: '2025-05-30',
      }
    }
    const tea = { ...tx('tea', line('expenses:food', '3 EUR'), line('assets:checking', '-3 EUR')), date: '2025-05-30' }
    const shares = {
      ...tx('shares', line('assets:depot', '2 ACME @'), line('assets:usd', '-20.00 $')),
      date: '2025-06-02',
    }
    /** Keys as that version stored them. */
    const STORED = [
      'import:4b245527708f08ac77fdd56964b52db0d01ad02b5e52c1f91f9607ac07409395:1',
      'import:184320658d423939e65b957c22f33e50950bbc01d824a32bc06da902f6746b60:1',
      'import:184320658d423939e65b957c22f33e50950bbc01d824a32bc06da902f6746b60:2',
    ]
    const older = importedBefore(journal(dated(), tea, tea, shares))

    it('has the keys of transactions that did not change', () =>
      expect(entryKeys(journal(dated(), tea, tea))).to.deep.equal(STORED))

    it('doubles nothing', () => {
      const made = again(journal(shares, dated(), tea, tea), older)
      expect(made.steps).to.deep.equal([])
      expect(made).to.include({ alreadyThere: 4, otherEntries: 0 })
    })

    it('moves a posting to its own day, once, without a question', () => {
      const withDay = journal(dated('2025-06-01'), tea, tea, shares)
      const made = again(withDay, older)
      expect(postsOf(made)).to.have.length(2)
      expect(balances(made)).to.deep.equal(balances({ state: older.state }))
      expect(again(withDay, afterPlan(made, older)).steps).to.deep.equal([])
    })

    it('tells of entries that the journal does not have, and leaves them', () => {
      const made = again(journal(tea, tea, shares), older)
      expect(made.steps).to.deep.equal([])
      expect(made.changes.left.map(({ words }) => words)).to.deep.equal(['(7) groceries | market'])
    })
  })
})
