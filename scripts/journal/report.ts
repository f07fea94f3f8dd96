/** What an import did, for people and for programs. */
import { accountsOf, type Wallet, walletPlacesOf } from '../../domain/wallet/wallet/wallet.ts'
import { decimal, table } from '../terminal.ts'
import type { Rounding } from './booking.ts'
import { nameOf } from './changes.ts'
import { placeText } from './journal.ts'
import { isReversal, type Plan, type Target } from './plan.ts'
import type { ReadJournal } from './read.ts'
import type { Outcome } from './run.ts'

/** More balances than this are not shown as a table, and of other lists only this many lines. */
const BALANCES_SHOWN_MAX = 200
const LINES_SHOWN_MAX = 20

type Balance = {
  readonly account: string
  readonly currency: string
  readonly places: number
  /** Minor units, a decimal string. */
  readonly balance: string
}

export type Report = {
  readonly file: string
  readonly org: string
  readonly wallet: string
  readonly dryRun: boolean
  /** The program that read the journal, or that wrote its JSON. */
  readonly reader: string
  readonly transactions: number
  /** Entries that this run appended; in a dry run, that it would append. */
  readonly appended: number
  /** Entries that this run took back, because their transaction changed or is gone; in a dry run, would take back. */
  readonly reversed: number
  readonly alreadyThere: number
  /** Transactions without money, for which nothing is booked. */
  readonly empty: number
  /** Entries of the wallet that are not of this file as it is now. */
  readonly otherEntries: number
  readonly accountsOpened: number
  /** What was decided although the journal can be read in another way, and what it has no more: a line each. */
  readonly warnings: readonly string[]
  /** Transactions that changed since they were imported: place, and the entry that was taken back. */
  readonly changed: readonly { readonly place: string; readonly replaces: string }[]
  /** Entries taken back whose transaction the journal has no more. */
  readonly removed: readonly string[]
  /** Amounts that the journal leaves to be computed and that are finer than their currency. */
  readonly roundings: readonly Rounding[]
  /** Position to hand to reads as Kogi-Min-Position. */
  readonly position: string
  readonly balances: readonly Balance[]
}

type Done = {
  readonly file: string
  readonly read: ReadJournal
  readonly target: Target
  readonly plan: Plan
  /** `undefined` for a dry run. */
  readonly outcome: Outcome | undefined
  readonly state: Wallet
}

/** Puts the report together. */
export function report({ file, read, target, plan, outcome, state }: Done): Report {
  const reversals = plan.steps.filter(isReversal).length
  const planned = (command: string) => plan.steps.filter(step => step.command === command && !isReversal(step)).length
  const { replaced, removed } = plan.changes
  const appended = outcome?.appended.post ?? planned('post')
  return {
    file,
    org: target.org,
    wallet: target.wallet,
    dryRun: outcome === undefined,
    reader: read.reader,
    transactions: read.journal.length,
    appended,
    reversed: outcome?.reversed ?? reversals,
    // An import of the same file that ran meanwhile counts as well.
    alreadyThere: plan.alreadyThere + planned('post') - appended,
    empty: plan.empty,
    otherEntries: plan.otherEntries,
    accountsOpened: outcome?.appended.openAccount ?? planned('openAccount'),
    warnings: [...read.warnings, ...leftBehind(plan), ...takenBackByHand(plan)],
    changed: [...replaced].map(([{ place }, old]) => ({ place: placeText(place), replaces: nameOf(old) })),
    removed: removed.map(nameOf),
    roundings: plan.roundings,
    position: String(outcome?.position ?? 0n),
    balances: balancesOf(state),
  }
}

/** Says which entries stay although the journal has them no more, or no more as they are. */
function leftBehind({ changes: { left } }: Plan): readonly string[] {
  if (left.length === 0) return []
  const what = left.length === 1 ? 'An entry' : `${left.length} entries`
  const where = 'that an import posted to this wallet and that this journal does not have:'
  return [`${what} ${where} ${firstOf(left.map(nameOf)).join('; ')}.`]
}

function takenBackByHand({ takenBack }: Plan): readonly string[] {
  if (takenBack.length === 0) return []
  const what = takenBack.length === 1 ? 'An entry' : `${takenBack.length} entries`
  return [
    `${what} of this journal taken back by hand, and not booked again: ${firstOf(takenBack.map(nameOf)).join('; ')}.`,
  ]
}

const firstOf = (lines: readonly string[]): readonly string[] =>
  lines.length <= LINES_SHOWN_MAX
    ? lines
    : [...lines.slice(0, LINES_SHOWN_MAX), `and ${lines.length - LINES_SHOWN_MAX} more`]

/** Every account of a wallet with its balance, by name and currency. */
export function balancesOf(state: Wallet): readonly Balance[] {
  return accountsOf(state)
    .map(({ account, currency, amount, places = walletPlacesOf(state, currency)! }) => ({
      account,
      currency,
      places,
      balance: String(amount),
    }))
    .sort((a, b) => compare(a.account, b.account) || compare(a.currency, b.currency))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

/** Shows the report as tables. */
export function showReport(made: Report): void {
  const { balances, dryRun } = made
  if (balances.length <= BALANCES_SHOWN_MAX) {
    const rows = balances.map(({ account, currency, places, balance }) => [account, currency, decimal(balance, places)])
    console.log(table(['account', 'currency', 'balance'], rows, ['balance']))
  }
  const rows: [string, number][] = [
    ['transactions in the file', made.transactions],
    [dryRun ? 'entries to append' : 'entries appended', made.appended],
    [dryRun ? 'entries to take back' : 'entries taken back', made.reversed],
    ['entries already there', made.alreadyThere],
    ['transactions without money', made.empty],
    ['other entries in the wallet', made.otherEntries],
    [dryRun ? 'accounts to open' : 'accounts opened', made.accountsOpened],
    ['accounts in the wallet', balances.length],
  ]
  console.log(
    table(
      [`wallet ${made.wallet} of ${made.org}`, ''],
      rows.map(([what, n]) => [what, String(n)]),
      [''],
    ),
  )
  for (const line of firstOf(detailsOf(made))) console.log(line)
  for (const warning of firstOf(made.warnings)) console.error(`warning: ${warning}`)
  if (dryRun) console.log('Nothing was written: this was a dry run.')
}

/** One line for each entry that was taken back and each amount that was rounded. */
const detailsOf = ({ changed, removed, roundings }: Report): readonly string[] => [
  ...changed.map(({ place, replaces }) => `changed: ${place} stands for ${replaces}, which was taken back`),
  ...removed.map(name => `gone: ${name} was taken back`),
  ...roundings.map(
    ({ place, account, currency, exact, booked }) =>
      `rounded: ${place}: ${account} ${exact} ${currency} is booked as ${booked}`,
  ),
]
