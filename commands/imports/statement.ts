/** Imports of bank statements: read, checked and decided as a whole, then booked; and taken back as a whole. */
import { createHash, randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { KogiError, Rejection } from '../../domain/kernel/errors.ts'
import type { Principal } from '../../domain/kernel/route.ts'
import { bankImport } from '../../domain/wallet/import/import.ts'
import type { StatementFile, StatementFormat } from '../../domain/wallet/statement/file.ts'
import { wallet } from '../../domain/wallet/wallet/wallet.ts'
import type { Command } from '../command.ts'
import type { WriteDeps } from '../execute.ts'
import { type Step, type Target, WalletDraft } from './draft.ts'
import { importIdOf, importsOf, isLive, knownOf, loadImport } from './earlier.ts'
import { type ImportOptions, type ImportPlan, planStatement, refusalOf } from './plan.ts'
import { mustBeSound, type ReadXml, readStatementFile } from './read.ts'
import { reversalOf } from './reversal.ts'
import { give, giveAll } from './send.ts'
import { loadWallet, type Posted, standingFor, type WalletState } from './wallet-state.ts'

export type ImportDeps = WriteDeps & { readonly readXml: ReadXml }

/** Who imports. */
export type Caller = { readonly principal: Principal; readonly correlationId: string }

export type ImportRequest = Caller & {
  readonly wallet: string
  readonly bytes: Uint8Array
  readonly name: string
  readonly format: StatementFormat
  readonly options: ImportOptions
  readonly dryRun: boolean
  /** Called once it is decided what will be written, or in a dry run would be: may refuse by throwing. */
  readonly onPlan?: (plan: ImportPlan) => void
  readonly onGiven?: (count: number) => void
}

export type Imported = {
  readonly import: string
  /** `refused`: a dry run of what would be refused, for `refusal`. */
  readonly status: 'proposed' | 'refused' | 'booked'
  readonly refusal?: Pick<KogiError, 'code' | 'message' | 'details'>
  readonly sha256: string
  readonly file: StatementFile
  readonly plan: ImportPlan
  /** Entries that this call appended; in a dry run, that it would append. */
  readonly booked: number
  readonly position: bigint
}

/** Imports a file. The same file again is the same import, and adds nothing. */
export async function importStatement(deps: ImportDeps, request: ImportRequest): Promise<Imported> {
  const { bytes, name, format, options, principal, wallet: id, dryRun } = request
  const file = await readStatementFile(bytes, format, options, deps.readXml)
  mustBeSound(file, name)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const target = targetOf(principal, id)
  const before = await loadWallet(deps, target)
  const earlier = await importsOf(deps, target)
  const same = earlier.find(one => one.read.sha256 === sha256 && isLive(one))
  const own = same?.id ?? importIdOf(target, earlier.length + 1)
  await setImmediate()
  const plan = planStatement(file, { target, before, known: knownOf(earlier), source: own, at: deps.now() }, options)
  const posts = plan.steps.filter(({ command }) => command === 'post')
  const made = { import: own, sha256, file, plan }
  const undecided = refusalOf(file, plan, options)
  if (undecided && !dryRun) throw undecided
  request.onPlan?.(plan)
  if (dryRun) {
    const { position } = before
    if (!undecided) return { ...made, status: 'proposed', booked: posts.length, position }
    const { code, message, details } = undecided
    return { ...made, status: 'refused', refusal: { code, message, details }, booked: 0, position }
  }
  if (same?.status === 'booked' && posts.length === 0) {
    return { ...made, status: 'booked', booked: 0, position: before.position }
  }
  const opens = plan.steps.filter(({ command }) => command === 'open')
  for (const step of opens) await give(deps, ofWallet(request, id, step))
  if (!same && !(await start(deps, request, own, plan, sha256))) return importStatement(deps, request)
  const accounts = plan.steps.filter(({ command }) => command === 'openAccount')
  for (const step of accounts) await give(deps, ofWallet(request, id, step))
  const commands = posts.map(step => ofWallet(request, id, step))
  const { changed } = await giveAll(deps, commands, request.onGiven)
  const entries = posts.length + entriesOf(before, own).length
  const { position } = await finish(deps, request, own, entries)
  return { ...made, status: 'booked', booked: changed, position }
}

/** Says that all is booked. Where the import was taken back meanwhile, what it booked after that is taken back too. */
async function finish(deps: WriteDeps, request: ImportRequest, own: string, entries: number) {
  try {
    return await give(deps, ofImport(request, own, 'finish', { entries }))
  } catch (error) {
    if (error instanceof Rejection && error.code === 'import_undone') {
      await undoImport(deps, { principal: request.principal, correlationId: request.correlationId, import: own })
    }
    throw error
  }
}

/** Says what was read. False where another import has taken the number meanwhile. */
async function start(
  deps: WriteDeps,
  request: ImportRequest,
  own: string,
  plan: ImportPlan,
  sha256: string,
): Promise<boolean> {
  const read = {
    wallet: request.wallet,
    name: request.name,
    format: request.format,
    sha256,
    statements: plan.statements,
    rows: plan.rows.length + plan.pending,
    pending: plan.pending,
    there: plan.rows.filter(({ status }) => status === 'there').length,
    entries: plan.steps.filter(({ command }) => command === 'post').length,
    matched: plan.matched.map(({ row, entry }) => ({ row: row.key, entry: entry.entry })),
  }
  try {
    await give(deps, ofImport(request, own, 'start', read))
    return true
  } catch (error) {
    if (error instanceof Rejection && error.code === 'import_already_started') return false
    throw error
  }
}

export type Undone = { readonly import: string; readonly reversed: number; readonly position: bigint }

/**
 * Takes every entry of an import back, or what replaced it by hand since. One that was taken back already stays as it
 * is.
 */
export async function undoImport(
  deps: WriteDeps,
  request: Caller & { readonly import: string; readonly reason?: string | undefined; readonly dryRun?: boolean },
): Promise<Undone> {
  const { principal, import: own, reason } = request
  const it = await loadImport(deps, principal.org, own)
  if (!it) throw new KogiError('not_found', `There is no import ${own}.`)
  const id = it.read.wallet
  const target = targetOf(principal, id)
  const before = await loadWallet(deps, target)
  const all = entriesOf(before, own)
  const live = all.flatMap(entry => standingFor(entry, before) ?? []).reverse()
  const draft = new WalletDraft(target, before, deps.now())
  for (const entry of live) draft.decide({ ...reversalOf(entry, own), place: undoPlaceOf(entry) })
  if (request.dryRun) return { import: own, reversed: live.length, position: before.position }
  await give(deps, ofImport(request, own, 'undo', reason === undefined ? {} : { reason }))
  const commands = draft.steps.map(step => ofWallet(request, id, step))
  try {
    const { changed } = await giveAll(deps, commands)
    const { position } = await give(deps, ofImport(request, own, 'finishUndo', { entries: all.length }))
    return { import: own, reversed: changed, position }
  } catch (error) {
    // Another request has taken one of them back meanwhile.
    if (error instanceof Rejection && error.code === 'entry_already_reversed') return undoImport(deps, request)
    throw error
  }
}

const targetOf = ({ org, subject, permissions }: Principal, wallet: string): Target => ({
  org,
  wallet,
  subject,
  permissions,
})

const undoPlaceOf = ({ entry, effectiveOn, words }: Posted) =>
  `the entry ${entry} of ${effectiveOn} "${words.slice(0, 100)}" cannot be taken back`

/** The entries that an import booked, those that were taken back since too. */
const entriesOf = ({ posted }: WalletState, own: string): readonly Posted[] =>
  [...posted.values()].filter(({ source, reverses }) => source === own && reverses === undefined)

const ofWallet = ({ principal, correlationId }: Caller, id: string, { command, body, key }: Step): Command => ({
  aggregate: wallet,
  name: command,
  id,
  opens: command === 'open',
  body,
  idempotencyKey: key,
  principal,
  correlationId,
})

const ofImport = (
  { principal, correlationId }: Caller,
  id: string,
  name: 'start' | 'finish' | 'undo' | 'finishUndo',
  body: object,
): Command => ({
  aggregate: bankImport,
  name,
  id,
  opens: name === 'start',
  body,
  // Its rules make it take effect once: a run that was cut off is completed by another with other numbers.
  idempotencyKey: randomUUID(),
  principal,
  correlationId,
})
