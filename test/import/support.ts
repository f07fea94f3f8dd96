import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { commandIdOf, streamOf, uuidOf } from '../../commands/ids.ts'
import { afterEvents, NO_WALLET, type WalletState } from '../../commands/imports/wallet-state.ts'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import { ImportRefused, type Journal, type JournalPosting, type Transaction } from '../../scripts/journal/journal.ts'
import { type Options, type Plan, planImport, type Step, type Target } from '../../scripts/journal/plan.ts'
import { balancesOf } from '../../scripts/journal/report.ts'

export const TARGET: Target = { org: 'org-1', wallet: 'books', subject: 'user-1', kind: 'business' }
export const FILE = 'made-up.journal'

/** `'10.50 EUR'`, or `'10 EUR @'` for one with a price. */
function amountOf(text: string): JournalPosting['amounts'][number] {
  const [number = '', commodity = '', price] = text.split(' ')
  const [whole = '', fraction = ''] = number.split('.')
  const places = fraction.length
  return { commodity, digits: BigInt(whole + fraction), places, shown: places, priced: price === '@' }
}

/** A posting of one or more amounts: `line('assets:bank', '10.50 EUR')`; `(name)` and `[name]` are virtual. */
export function line(name: string, ...amounts: string[]): JournalPosting {
  const kind = name.startsWith('(') ? 'virtual' : name.startsWith('[') ? 'balanced_virtual' : 'real'
  const account = kind === 'real' ? name : name.slice(1, -1)
  return { account, kind, amounts: amounts.map(amountOf) }
}

/** A transaction without its place in the file, which `journal` adds. */
export const tx = (description: string, ...postings: JournalPosting[]): Omit<Transaction, 'place'> => ({
  date: '2026-01-31',
  code: '',
  description,
  postings,
})

/** Transactions in a file, ten lines each. */
export const journal = (...transactions: Omit<Transaction, 'place'>[]): Journal =>
  transactions.map((one, n) => ({ ...one, place: { file: FILE, line: 10 * n + 1 } }))

export const plan = (
  transactions: Journal,
  before: WalletState = NO_WALLET,
  names: Readonly<Record<string, string>> = {},
  options?: Options,
): Plan => planImport(transactions, TARGET, before, new Map(Object.entries(names)), options)

/** The wallet once a plan, or the first `steps` of it, has run. */
export function afterPlan(made: Plan, before: WalletState = NO_WALLET, steps = made.steps.length): WalletState {
  return made.steps.slice(0, steps).reduce((state, step) => afterEvents(state, eventsOf(step, state)), before)
}

/** What the write path makes of a step. */
export function* eventsOf(
  { command, body, key }: Step,
  before: WalletState,
  roles: string[] = [],
): Generator<DomainEvent> {
  const stream = streamOf(TARGET.org, wallet.name, TARGET.wallet)
  const commandId = commandIdOf(TARGET.org, stream, key)
  const newId = (n: number) => uuidOf([commandId, 'made', n])
  const context = {
    id: TARGET.wallet,
    org: TARGET.org,
    actor: TARGET.subject,
    permissions: [],
    at: '2026-01-31T12:00:00.000Z',
    newId,
  }
  for (const { type, data } of wallet.decide[command](before.state, body as never, context)) {
    const metadata = { commandId, actor: { subject: TARGET.subject, roles }, at: context.at }
    yield { type, data, metadata, position: before.position + 1n } as unknown as DomainEvent
  }
}

/** `{ 'assets:bank EUR': '1050' }`, zeros left out. */
export const balances = ({ state }: Pick<WalletState, 'state'>): Record<string, string> =>
  Object.fromEntries(
    balancesOf(state)
      .filter(({ balance }) => balance !== '0')
      .map(({ account, currency, balance }) => [`${account} ${currency}`, balance]),
  )

export type Refusal = { readonly code: string; readonly file: string; readonly line: number | undefined }

/** What `run` refuses, and where; anything else that it throws goes on. */
export function refusalOf(run: () => unknown): Refusal | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return asRefusal(error)
  }
}

export function asRefusal(error: unknown): Refusal {
  if (!(error instanceof ImportRefused)) throw error
  return { code: error.code, file: error.place.file, line: error.place.line }
}

/** A folder of the suite that it is called in, and what writes a file there and returns its path. */
export function journalFolder(): {
  readonly path: string
  readonly write: (name: string, text: string) => Promise<string>
} {
  let folder = ''
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-journal-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))
  return {
    get path() {
      return folder
    },
    async write(name, text) {
      const file = path.join(folder, name)
      await writeFile(file, text)
      return file
    },
  }
}

/** Whether a program is installed; tests that need it are skipped otherwise. */
export function isThere(program: string, ...args: readonly string[]): boolean {
  try {
    execFileSync(program, args.length > 0 ? args : ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    console.log(`    skipped where needed: ${program} is not installed`)
    return false
  }
}

export const hledgerIsThere = isThere('hledger')
export const ledgerIsThere = isThere('ledger')
