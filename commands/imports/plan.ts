/** What an import of a bank statement does, decided in memory: nothing is written that could be refused later. */
import { KogiError } from '../../domain/kernel/errors.ts'
import { MATCHES_MAX, STATEMENTS_MAX } from '../../domain/wallet/import/messages.ts'
import { type Exact, written } from '../../domain/wallet/statement/exact.ts'
import {
  type Fault,
  gapsOf,
  proofText,
  type Statement,
  type StatementFile,
} from '../../domain/wallet/statement/file.ts'
import type { Rules } from '../../domain/wallet/statement/rules.ts'
import { accountOf } from '../../domain/wallet/wallet/wallet.ts'
import { type Step, type Target, WalletDraft } from './draft.ts'
import { PLACES_MAX, placeOf, postStep } from './entry.ts'
import { Candidates, type Match } from './matches.ts'
import { accountOf as accountOfBank, type BankRow, bankRowsOf, currencyOf } from './rows.ts'
import { type Summary, summaryOf } from './summary.ts'
import { type Posted, standingFor, type WalletState } from './wallet-state.ts'

/** What to do with a row that may be the other record of an entry which is there: `ask` refuses until it is said. */
type OnMatch = 'ask' | 'match' | 'book'

export type ImportOptions = {
  readonly rules: Rules
  /** Account of the wallet for a file whose accounts the rules do not name. */
  readonly account?: string | undefined
  readonly onMatch: OnMatch
  /** What was said of single rows: the entry that a row stands for, or `null` to book it. */
  readonly matches: ReadonlyMap<string, string | null>
  /** Whether to import a message that its schema does not accept, as far as what is read of it is sound. */
  readonly anySchema: boolean
  /** Whether to import statements whose balances contradict their rows. */
  readonly acceptGaps: boolean
  /** What a wallet is opened as that does not exist; unset: it must exist. */
  readonly opens?: 'personal' | 'portfolio' | 'office' | 'business' | undefined
  /** Whether the opening balance of an account that the wallet does not have yet is booked. */
  readonly opening: 'book' | 'leave'
}

/** What earlier imports of the wallet did. */
export type Known = {
  /** Entry that a row stands for, by the row's key: what was said when it was imported. */
  readonly matched: ReadonlyMap<string, string>
  /** Ids of imports by the format of their file. */
  readonly formats: ReadonlyMap<string, string>
  /** Ids of imports that were taken back, or are being. */
  readonly undone: ReadonlySet<string>
}

export type PlannedRow = BankRow & {
  readonly status: 'new' | 'there' | 'matched' | 'proposed' | 'empty'
  /** The entry that it is, stands for, or may stand for. */
  readonly entry?: string
}

export type ImportPlan = {
  readonly rows: readonly PlannedRow[]
  /** Rows that the bank has not booked. */
  readonly pending: number
  /** Pairs that were said, or accepted as proposed. */
  readonly matched: readonly Match[]
  /** Pairs that are to be decided. */
  readonly proposed: readonly Match[]
  readonly statements: readonly Summary[]
  readonly notes: readonly string[]
  /** Commands to send, in this order. */
  readonly steps: readonly Step[]
}

/** Entries come from the wallet of the target; `source` is what they name as their origin: the id of the import. */
export function planStatement(
  file: StatementFile,
  { target, before, known, source, at: now }: Scene,
  options: ImportOptions,
): ImportPlan {
  const { rules, account, opens } = options
  const isNew = before.state.status === 'none' && opens !== undefined
  if (before.state.status !== 'open' && !isNew) {
    throw new KogiError('not_found', `There is no open wallet ${target.wallet} to import into.`)
  }
  mustBeFew(file)
  const draft = new WalletDraft(target, before, now, known.undone)
  if (isNew) {
    const body = { owner: target.subject, kind: opens }
    draft.decide({ command: 'open', body, key: 'import:wallet', place: placeOf({ line: 1 }) })
  }
  const needed = placesNeeded(file, rules, draft)
  const places = (currency: string) => draft.placesOf(currency, needed.get(currency) ?? 0)
  const found = bankRowsOf(file, rules, account).map(row => ({ row, ...draft.find(row.key) }))
  const pairs = matchesOf(found, { before, known, options, format: file.format, places })
  const openings = openingsOf(file, draft, options)
  const openSteps = (line: number, currency: string, ...accounts: string[]) => {
    for (const name of accounts) draft.open(name, currency, places(currency), placeOf({ line }))
  }
  for (const { key, ...opening } of openings) {
    openSteps(opening.line, opening.currency, opening.account)
    const entry = { ...opening, against: OPENING, words: 'Opening balance of the bank statement', tags: [] }
    draft.decide(postStep(entry, key, source, places))
  }
  const rows = found.map(({ row, key, there }): PlannedRow => {
    if (row.amount.digits === 0n) return { ...row, status: 'empty' }
    if (there) return { ...row, status: 'there', entry: there.entry }
    const said = pairs.matched.get(row) ?? pairs.proposed.get(row)
    if (said) return { ...row, status: pairs.matched.has(row) ? 'matched' : 'proposed', entry: said.entry }
    openSteps(row.line, row.currency, row.account, row.against)
    draft.decide(postStep(row, key, source, places))
    return { ...row, status: 'new' }
  })
  return {
    rows,
    pending: file.statements.reduce((sum, one) => sum + one.rows.filter(({ booked }) => !booked).length, 0),
    matched: listed(pairs.matched),
    proposed: listed(pairs.proposed),
    statements: file.statements.map(statement => summaryOf(statement, rules, account, places)),
    notes: [...file.notes, ...takenBackOf(rows, before)].map(({ line, message }) => `line ${line}: ${message}`),
    steps: [...draft.steps.filter(isOpening), ...draft.steps.filter(step => !isOpening(step))],
  }
}

/** Rows that are not booked because the entry that they are was taken back by hand. */
function takenBackOf(rows: readonly PlannedRow[], before: WalletState): readonly Fault[] {
  const byId = new Map([...before.posted.values()].map(entry => [entry.entry, entry]))
  return rows.flatMap(({ line, entry: id, status }) => {
    const entry = status === 'there' || status === 'matched' ? byId.get(id!) : undefined
    if (!entry || standingFor(entry, before)) return []
    return [{ line, message: `its entry ${entry.entry} was taken back by hand, and stays so` }]
  })
}

/** What a plan is made in. */
export type Scene = {
  readonly target: Target
  readonly before: WalletState
  readonly known: Known
  readonly source: string
  readonly at: string
}

const OPENING = 'external:opening-balance'
const isOpening = ({ command }: Step) => command !== 'post'

/** The error of a plan that needs a decision: about gaps, or about rows that may be there already. */
export function refusalOf(file: StatementFile, plan: ImportPlan, { acceptGaps }: ImportOptions): KogiError | undefined {
  const gaps = gapsOf(file)
  if (gaps.length > 0 && !acceptGaps) {
    const details = gaps.slice(0, SHOWN_MAX).map(gap => ({ field: `line ${gap.line}`, message: proofText(gap) }))
    const what = `${gaps.length} of ${file.statements.length} statements contradict their own balances`
    const message = `${what}: ${details[0]!.field}: ${details[0]!.message}. Mend the file, or accept its gaps.`
    return new KogiError('statement_gap', message, details)
  }
  if (plan.proposed.length === 0) return undefined
  const details = plan.proposed.slice(0, SHOWN_MAX).map(({ row, entry }) => ({
    field: row.key,
    message:
      `line ${row.line}: ${row.date} ${written(row.amount)} ${row.currency} "${row.words.slice(0, 100)}" may be the ` +
      `entry ${entry.entry} of ${entry.effectiveOn} "${entry.words.slice(0, 100)}"`,
  }))
  const message =
    `${plan.proposed.length} rows may be entries that are in the wallet already: ${details[0]!.message}. ` +
    'Say for each which entry it is, or that it is to be booked.'
  return new KogiError('matches_undecided', message, details)
}

const SHOWN_MAX = 50

function mustBeFew({ statements }: StatementFile): void {
  if (statements.length <= STATEMENTS_MAX) return
  const message = `The file has ${statements.length} statements, and an import at most ${STATEMENTS_MAX}: split it.`
  throw new KogiError('import_invalid', message)
}

type Found = { readonly row: BankRow; readonly there: Posted | undefined }
type Pairs = { readonly matched: Map<BankRow, Posted>; readonly proposed: Map<BankRow, Posted> }
type Matching = {
  readonly before: WalletState
  readonly known: Known
  readonly options: ImportOptions
  readonly format: string
  readonly places: (currency: string) => number
}

/** Rows that stand for entries which are there, and those that may. */
function matchesOf(found: readonly Found[], { before, known, options, format, places }: Matching): Pairs {
  const pairs: Pairs = { matched: new Map(), proposed: new Map() }
  const isOurs = ({ source }: Posted) => source !== undefined && known.formats.get(source) === format
  const candidates = new Candidates(before, isOurs, places)
  const byId = new Map([...before.posted.values()].map(entry => [entry.entry, entry]))
  const stands = (entry: Posted) => standingFor(entry, before)
  for (const { there } of found) if (there) candidates.take(stands(there)?.entry ?? there.entry)
  const open = found.filter(({ row, there }) => !there && row.amount.digits !== 0n).map(({ row }) => row)
  for (const row of open) {
    const said = options.matches.get(row.key) ?? known.matched.get(row.key)
    const entry = said === undefined || said === null ? undefined : byId.get(said)
    if (said !== undefined && said !== null && !entry) throw noSuchEntry(row, said, 'the wallet has no such entry')
    if (!entry) continue
    if (options.matches.has(row.key) && !stands(entry)) throw noSuchEntry(row, entry.entry, 'it was taken back')
    candidates.take(stands(entry)?.entry ?? entry.entry)
    pairs.matched.set(row, entry)
  }
  for (const row of open) {
    if (options.onMatch === 'book' || pairs.matched.has(row) || options.matches.get(row.key) === null) continue
    const entry = candidates.nearest(row)
    if (entry) pairs[options.onMatch === 'match' ? 'matched' : 'proposed'].set(row, entry)
  }
  const unknown = [...options.matches.keys()].find(key => !found.some(({ row }) => row.key === key))
  if (unknown !== undefined) {
    throw new KogiError('import_invalid', `The file has no row ${unknown}, which \`matches\` names.`)
  }
  if (pairs.matched.size > MATCHES_MAX) {
    throw new KogiError('import_invalid', `An import has at most ${MATCHES_MAX} matches: split the file.`)
  }
  return pairs
}

const noSuchEntry = ({ key }: BankRow, entry: string, why: string) =>
  new KogiError('import_invalid', `The row ${key} cannot stand for the entry ${entry}: ${why}.`, [
    { field: key, message: `entry ${entry}: ${why}` },
  ])

const listed = (pairs: ReadonlyMap<BankRow, Posted>): readonly Match[] =>
  [...pairs].map(([row, entry]) => ({ row, entry }))

/**
 * Decimal places of currencies that neither the wallet nor ISO 4217 knows: what the rules say, or as many as the file
 * writes. Refuses such a currency of a CSV file where the rules do not have it: it may be a misread column.
 */
function placesNeeded(
  { statements, format }: StatementFile,
  rules: Rules,
  draft: WalletDraft,
): ReadonlyMap<string, number> {
  const needed = new Map<string, number>()
  for (const { rows, currency, opening, closing } of statements) {
    const amounts = [opening, closing].flatMap(one => (one ? [{ ...one, currency }] : []))
    for (const { amount, currency: name, line } of [...rows.filter(({ booked }) => booked), ...amounts]) {
      const own = currencyOf(name, rules)
      if (!amount || draft.isKnown(own)) continue
      const ruled = rules.currencies.find(rule => rule.currency === own)
      if (!ruled && format === 'csv') throw currencyUnknown(name, line)
      needed.set(own, ruled?.places ?? Math.min(PLACES_MAX, Math.max(needed.get(own) ?? 0, amount.places)))
    }
  }
  return needed
}

function currencyUnknown(currency: string, line: number): KogiError {
  const what = `"${currency.slice(0, 40)}" is no currency of ISO 4217, and the wallet has none of that name`
  const help = `Say in the rules what it is: "currencies": [{ "bank": …, "currency": …, "places": … }]`
  return new KogiError('import_invalid', `line ${line}: ${what}. ${help}. Nothing was written.`, [
    { field: `line ${line}`, message: what },
  ])
}

type Opening = {
  readonly key: string
  readonly account: string
  readonly currency: string
  readonly amount: Exact
  readonly date: string
  readonly line: number
}

/**
 * Opening balances other than zero of accounts that the wallet does not have, or whose opening was taken back with its
 * import: of the first statement of each.
 */
function openingsOf({ statements }: StatementFile, draft: WalletDraft, options: ImportOptions): readonly Opening[] {
  const first = new Map<string, Opening>()
  if (options.opening === 'leave') return []
  for (const statement of statements) {
    const { opening, line } = statement
    const account = accountOfBank(statement.account, options.rules, options.account)
    const currency = currencyOf(statement.currency, options.rules)
    const date = opening?.date ?? earliest(statement)
    if (!opening || date === undefined) continue
    const name = `bank:opening:${JSON.stringify([account, currency])}`
    const { key, there } = draft.find(name)
    if (there || (key === name && accountOf(draft.state, account, currency))) continue
    const other = first.get(key)
    if (!other || date < other.date) first.set(key, { key, account, currency, amount: opening.amount, date, line })
  }
  return [...first.values()].filter(({ amount }) => amount.digits !== 0n)
}

const earliest = ({ rows }: Statement): string | undefined => rows.flatMap(({ date }) => date ?? []).sort()[0]
