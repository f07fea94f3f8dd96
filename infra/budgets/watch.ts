/**
 * Watches budgets: where more was spent in a period than may be, the budget is told, and says it once. There is no
 * checkpoint: one that begins looks at the periods of the last month, and what a budget has said it does not say again.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { MAX_MINOR_UNITS } from '../../domain/kernel/schema.ts'
import { budget } from '../../domain/wallet/budget/budget.ts'
import type { Span } from '../../domain/wallet/budget/periods.ts'
import { keepLooking } from '../looking.ts'
import { give, keyOf } from '../things.ts'
import { type BudgetRows, type Stretch, spansOf, type Watched } from './rows.ts'

/** The shortest time between two looks, and the longest one while changes are heard. */
const LOOK_MS = 2_000
const REST_MS = 60_000
/** Days whose periods are looked at for a budget that is new here; periods that ended before them are no news. */
const NEWS_DAYS = 31
const DAY_MS = 86_400_000
/** Errors of engines, which every other budget would meet as well. */
const OF_ENGINES = ['engine_unavailable', 'outcome_unknown']

export type BudgetWatchDeps = WriteDeps & { readonly rows: BudgetRows; readonly changes?: RowChanges }

/** The budgets of an org by their keys, and the mark that their rows had when they were read. */
type OfOrg = { readonly mark: string; readonly budgets: Map<string, Watched> }

export class BudgetWatch {
  readonly #deps: BudgetWatchDeps
  /** Budgets by their orgs, and up to where entries of orgs were looked at. */
  readonly #orgs = new Map<string, OfOrg>()
  readonly #upto = new Map<string, bigint>()
  /** The days that budgets are still to be looked at for, by the keys of these. */
  readonly #due = new Map<string, Set<string>>()
  /** Names of periods that were passed. */
  readonly #passed = new Set<string>()
  #trouble: Error | undefined

  constructor(deps: BudgetWatchDeps) {
    this.#deps = deps
  }

  /** The error that keeps it from watching all budgets, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (const memory of [this.#orgs, this.#upto, this.#due, this.#passed]) memory.clear()
    const look = async () => {
      await this.look(signal)
      return { pauseMs: LOOK_MS, changeMs: REST_MS }
    }
    await keepLooking(signal, {
      look,
      changes: this.#deps.changes,
      retryMs: LOOK_MS,
      onTrouble: trouble => {
        this.#trouble = trouble
      },
    })
  }

  /**
   * Looks once at budgets that are new or changed, and at those that new entries are about. One that fails holds up no
   * other: it is looked at again the next time, and its error is thrown when all others are done.
   */
  async look(signal: AbortSignal): Promise<void> {
    const { rows } = this.#deps
    const today = Date.parse(this.#deps.now())
    const news = Array.from({ length: NEWS_DAYS }, (_, n) => new Date(today - n * DAY_MS).toISOString().slice(0, 10))
    const marks = await rows.marks()
    const reached = await rows.reached()
    for (const changed of await this.#changed(marks)) this.#owe(keyOf(changed), news)
    const stretches = [...this.#orgs.keys()].flatMap(org => this.#stretchOf(org, reached(org)))
    if (stretches.length > 0)
      for (const { day, ...thing } of await rows.spent(stretches)) this.#owe(keyOf(thing), [day])
    for (const org of this.#orgs.keys()) this.#upto.set(org, reached(org))
    await this.#checkAll(news.at(-1)!, signal)
  }

  /** Reads the budgets of orgs in which some are new, changed or gone. Returns those that are new or changed. */
  async #changed(marks: ReadonlyMap<string, string>): Promise<readonly Watched[]> {
    for (const org of this.#orgs.keys()) if (!marks.has(org)) this.#orgs.delete(org)
    const orgs = [...marks].filter(([org, mark]) => this.#orgs.get(org)?.mark !== mark).map(([org]) => org)
    if (orgs.length === 0) return []
    const read = await this.#deps.rows.budgets(orgs)
    const changed = read.filter(each => this.#find(keyOf(each))?.revision !== each.revision)
    for (const org of orgs) this.#orgs.set(org, { mark: marks.get(org)!, budgets: new Map() })
    for (const each of read) this.#orgs.get(each.org)!.budgets.set(keyOf(each), each)
    return changed
  }

  /** Where the new entries of an org are; nowhere where it is new, because then all its budgets are. */
  #stretchOf(org: string, upto: bigint): readonly Stretch[] {
    const after = this.#upto.get(org)
    return after === undefined || after >= upto ? [] : [{ org, after, upto }]
  }

  #owe(key: string, days: readonly string[]): void {
    this.#due.set(key, new Set([...(this.#due.get(key) ?? []), ...days]))
  }

  #find(key: string): Watched | undefined {
    return this.#orgs.get(key.slice(0, key.indexOf(' ')))?.budgets.get(key)
  }

  async #checkAll(oldest: string, signal: AbortSignal): Promise<void> {
    const failures: Error[] = []
    for (const [key, days] of [...this.#due]) {
      if (signal.aborted) return
      const watched = this.#find(key)
      try {
        if (watched) await this.#check(watched, [...days], oldest)
        this.#due.delete(key)
      } catch (error) {
        if (error instanceof KogiError && OF_ENGINES.includes(error.code)) throw error
        failures.push(error as Error)
      }
    }
    if (failures.length > 0) throw failures[0]!
  }

  async #check(watched: Watched, days: readonly string[], oldest: string): Promise<void> {
    const nameOf = ({ from }: Span) => `${keyOf(watched)} ${from}`
    const spans = spansOf(watched, days).filter(span => span.to >= oldest && !this.#passed.has(nameOf(span)))
    if (spans.length === 0) return
    const { places, periods } = await this.#deps.rows.actuals(watched, spans)
    const { currency } = watched.budget
    for (const period of periods.filter(({ is_passed }) => is_passed)) {
      const { from, to } = period
      const [amount, actual] = [storable(period.amount), storable(period.actual)]
      const body = { from, to, currency, places, amount, actual }
      const part = Object.values(body).join(' ')
      await give(this.#deps, budget, watched, { by: 'budgets', name: 'notePassed', body, part })
      this.#passed.add(nameOf(period))
    }
  }
}

/** The amount, or the largest one that an event can say. */
const storable = (amount: bigint): bigint => (amount > MAX_MINOR_UNITS ? MAX_MINOR_UNITS : amount)
