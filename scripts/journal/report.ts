/** What an import did, for people and for programs. */
import type { Wallet } from '../../domain/wallet/wallet/wallet.ts'
import { decimal, table } from '../terminal.ts'
import type { Journal } from './journal.ts'
import type { Plan, Target } from './plan.ts'
import type { Outcome } from './run.ts'

/** More balances than this are not shown as a table. */
const BALANCES_SHOWN_MAX = 200

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
  readonly transactions: number
  /** Entries that this run appended; in a dry run, that it would append. */
  readonly appended: number
  readonly alreadyThere: number
  /** Transactions without money, for which nothing is booked. */
  readonly empty: number
  /** Entries of the wallet that are not of this file as it is now. */
  readonly otherEntries: number
  readonly accountsOpened: number
  /** Position to hand to reads as Kogi-Min-Position. */
  readonly position: string
  readonly balances: readonly Balance[]
}

type Done = {
  readonly file: string
  readonly journal: Journal
  readonly target: Target
  readonly plan: Plan
  /** `undefined` for a dry run. */
  readonly outcome: Outcome | undefined
  readonly state: Wallet
}

/** Puts the report together. */
export function report({ file, journal, target, plan, outcome, state }: Done): Report {
  const planned = (command: string) => plan.steps.filter(step => step.command === command).length
  const appended = outcome?.appended.post ?? planned('post')
  return {
    file,
    org: target.org,
    wallet: target.wallet,
    dryRun: outcome === undefined,
    transactions: journal.length,
    appended,
    // An import of the same file that ran meanwhile counts as well.
    alreadyThere: plan.alreadyThere + planned('post') - appended,
    empty: plan.empty,
    otherEntries: plan.otherEntries,
    accountsOpened: outcome?.appended.openAccount ?? planned('openAccount'),
    position: String(outcome?.position ?? 0n),
    balances: balancesOf(state),
  }
}

/** Every account of a wallet with its balance, by name and currency. */
export function balancesOf(state: Wallet): readonly Balance[] {
  if (state.status !== 'open') return []
  const held = Object.values(state.accounts).flatMap(byCurrency => Object.values(byCurrency))
  return held
    .map(({ account, currency, amount }) => ({
      account,
      currency,
      places: state.places[currency]!,
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
  if (dryRun) console.log('Nothing was written: this was a dry run.')
}
