import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { isSame } from '../../record/merge.ts'
import { activity } from './activity.ts'
import { commands, events, rejections } from './messages.ts'

type Opened = ReturnType<(typeof events)['ReconciliationOpened']['parse']>
type Differences = ReturnType<(typeof events)['DifferencesExplained']['parse']>['differences']

type Work = {
  readonly about: Opened
  /** What the statement shows for each entry that is cleared, and how many those are. */
  readonly lines: Keyed<bigint>
  readonly count: number
  readonly cleared: bigint
  readonly differences: Differences
}
export type Reconciliation =
  | { readonly status: 'none' }
  | ({ readonly status: 'open' } & Work)
  | ({ readonly status: 'finished' } & Work)
type Begun = Exclude<Reconciliation, { status: 'none' }>

/** Entries that one statement can clear. */
const LINES_MAX = 10_000

const begun = (it: Reconciliation): Begun => (it.status === 'finished' ? it : inStatus(it, 'open'))

/** The reconciliation with more cleared entries, or with fewer. */
function withLines(it: Begun, changes: readonly { entry: string; amount: bigint }[], sign: 1 | -1): Begun {
  let { lines, cleared } = it
  for (const { entry, amount } of changes) {
    lines = sign === 1 ? withMember(lines, entry, amount) : withoutMember(lines, entry)
    cleared += BigInt(sign) * amount
  }
  return { ...it, lines, cleared, count: it.count + sign * changes.length }
}

const evolve: Evolve<Reconciliation, typeof events> = {
  ReconciliationOpened: (_, about) => ({
    status: 'open',
    about,
    lines: noneKeyed,
    count: 0,
    cleared: 0n,
    differences: [],
  }),
  EntriesCleared: (it, { lines }) => withLines(begun(it), lines, 1),
  EntriesUncleared: (it, { lines }) => withLines(begun(it), lines, -1),
  DifferencesExplained: (it, { differences }) => ({ ...begun(it), differences }),
  ReconciliationFinished: it => ({ ...begun(it), status: 'finished' }),
  ReconciliationReopened: it => ({ ...begun(it), status: 'open' }),
}

const FINISHED = ['reconciliation_finished', 'The reconciliation is finished: reopen it first.'] as const

const decide: Decide<Reconciliation, typeof commands, typeof events> = {
  open(it, { id: _, ...about }) {
    if (it.status !== 'none') {
      throw rejected('reconciliation_already_opened', 'The reconciliation exists; choose another id.')
    }
    return [{ type: 'ReconciliationOpened', data: about }]
  },
  clear(it, { lines }) {
    const open = inStatus(it, 'open', FINISHED)
    const fresh = new Map<string, bigint>()
    for (const { entry, amount } of lines) {
      const before = fresh.get(entry) ?? memberOf(open.lines, entry)
      if (before === undefined) fresh.set(entry, amount)
      else if (before !== amount) {
        throw rejected('entry_cleared_otherwise', 'The entry is cleared by another amount.', { entry, amount: before })
      }
    }
    if (open.count + fresh.size > LINES_MAX) {
      throw rejected('reconciliation_full', 'Open another one for the rest of the statement.', { most: LINES_MAX })
    }
    if (fresh.size === 0) return []
    const { wallet, account, currency } = open.about
    const cleared = [...fresh].map(([entry, amount]) => ({ entry, amount }))
    return [{ type: 'EntriesCleared', data: { wallet, account, currency, lines: cleared } }]
  },
  unclear(it, { entries }) {
    const open = inStatus(it, 'open', FINISHED)
    const lines = [...new Set(entries)].flatMap(entry => {
      const amount = memberOf(open.lines, entry)
      return amount === undefined ? [] : [{ entry, amount }]
    })
    return lines.length === 0 ? [] : [{ type: 'EntriesUncleared', data: { lines } }]
  },
  explain(it, { differences }) {
    const open = inStatus(it, 'open', FINISHED)
    return isSame(differences, open.differences) ? [] : [{ type: 'DifferencesExplained', data: { differences } }]
  },
  finish(it) {
    if (it.status === 'finished') return []
    const { about, cleared, differences } = inStatus(it, 'open', FINISHED)
    const explained = differences.reduce((sum, { amount }) => sum + amount, 0n)
    const difference = about.closing - about.opening - cleared - explained
    if (difference !== 0n) {
      const message = 'The statement shows more than the entries that are cleared: clear or explain the difference.'
      throw rejected('difference_unexplained', message, { difference })
    }
    return [{ type: 'ReconciliationFinished', data: {} }]
  },
  reopen: it => (it.status === 'finished' ? [{ type: 'ReconciliationReopened', data: {} }] : []),
}

/** A bank's statement against the books: which entries it shows, and what explains the difference. */
export const reconciliation = aggregate({
  name: 'reconciliation',
  events,
  commands,
  api: {
    open: ['POST /reconciliations', 'reconciliations.write', 'Begin to reconcile an account with a bank statement.'],
    clear: [
      'PUT /reconciliations/:id/lines',
      'reconciliations.write',
      'Mark entries that the statement shows as cleared, with the amounts that it shows.',
    ],
    unclear: ['PATCH /reconciliations/:id/lines', 'reconciliations.write', 'Take the mark from entries again.'],
    explain: [
      'PUT /reconciliations/:id/differences',
      'reconciliations.write',
      'Explain what the bank has and the books do not: all of it, instead of what was explained before.',
    ],
    finish: [
      'POST /reconciliations/:id/finish',
      'reconciliations.write',
      'Finish a reconciliation: opening balance, cleared entries and differences give the closing balance.',
    ],
    reopen: ['POST /reconciliations/:id/reopen', 'reconciliations.write', 'Reopen a finished reconciliation.'],
  },
  rejections,
  initial: { status: 'none' } as Reconciliation,
  evolve,
  decide,
  stateSchema: 1,
  activity,
})
