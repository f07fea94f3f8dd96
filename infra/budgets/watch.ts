/**
 * Watches budgets: where more was spent in a period than may be, the budget is told, and says it once. There is no
 * checkpoint: one that begins looks at the periods of the last month, and what a budget has said it does not say again.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import { paused } from '../../commands/processes/pause.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { budget } from '../../domain/wallet/budget/budget.ts'
import type { Span } from '../../domain/wallet/budget/periods.ts'
import { give, keyOf } from '../things.ts'
import { type BudgetRows, type Stretch, spansOf, type Watched } from './rows.ts'

/** The shortest time between two looks, and the longest one while changes are heard. */
const LOOK_MS = 2_000
const REST_MS = 60_000
/** Days whose periods are looked at for a budget that is new here; older periods are no news. */
const NEWS_DAYS = 31
const DAY_MS = 86_400_000

export type BudgetWatchDeps = WriteDeps & { readonly rows: BudgetRows; readonly changes?: RowChanges }

export class BudgetWatch {
  readonly #deps: BudgetWatchDeps
  /** The revisions of budgets that were looked at, up to where entries of orgs were, and periods that were passed. */
  readonly #known = new Map<string, string>()
  readonly #upto = new Map<string, bigint>()
  readonly #passed = new Set<string>()
  #trouble: Error | undefined

  constructor(deps: BudgetWatchDeps) {
    this.#deps = deps
  }

  /** The error of an engine that keeps it from watching, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (const memory of [this.#known, this.#upto, this.#passed]) memory.clear()
    const { changes } = this.#deps
    while (!signal.aborted) {
      const ticket = changes?.ticket() ?? 0
      try {
        await this.look(signal)
        this.#trouble = undefined
      } catch (error) {
        this.#trouble = error as Error
      }
      await paused(LOOK_MS, signal)
      if (changes?.isListening() && !this.#trouble) await changes.changed(ticket, REST_MS, signal)
    }
    this.#trouble = undefined
  }

  /** Looks once at budgets that are new or changed, and at those that new entries are about. */
  async look(signal: AbortSignal): Promise<void> {
    const { rows } = this.#deps
    const watched = await rows.budgets()
    if (watched.length === 0) return
    const reached = await rows.reached()
    const stretches = [...new Set(watched.map(({ org }) => org))].flatMap(org => this.#stretchOf(org, reached(org)))
    const days = await this.#daysOf(watched, stretches)
    for (const each of watched) {
      if (signal.aborted) return
      await this.#check(each, days.get(keyOf(each)) ?? [])
    }
    for (const { org, id, revision } of watched) this.#known.set(keyOf({ org, id }), revision)
    for (const { org } of watched) this.#upto.set(org, reached(org))
  }

  /** Where the new entries of an org are; nowhere where it is new, because then all its budgets are. */
  #stretchOf(org: string, upto: bigint): readonly Stretch[] {
    const after = this.#upto.get(org)
    return after === undefined || after >= upto ? [] : [{ org, after, upto }]
  }

  /** The days that budgets are to be looked at for. */
  async #daysOf(watched: readonly Watched[], stretches: readonly Stretch[]) {
    const days = new Map<string, string[]>()
    const add = (key: string, ...more: readonly string[]) => days.set(key, [...(days.get(key) ?? []), ...more])
    const today = Date.parse(this.#deps.now())
    const last = Array.from({ length: NEWS_DAYS }, (_, n) => new Date(today - n * DAY_MS).toISOString().slice(0, 10))
    for (const each of watched) if (this.#known.get(keyOf(each)) !== each.revision) add(keyOf(each), ...last)
    const spent = stretches.length === 0 ? [] : await this.#deps.rows.spent(stretches)
    for (const { day, ...thing } of spent) if (day >= last.at(-1)!) add(keyOf(thing), day)
    return days
  }

  async #check(watched: Watched, days: readonly string[]): Promise<void> {
    const nameOf = ({ from }: Span) => `${keyOf(watched)} ${from}`
    const spans = spansOf(watched, days).filter(span => !this.#passed.has(nameOf(span)))
    if (spans.length === 0) return
    const { places, periods } = await this.#deps.rows.actuals(watched, spans)
    const { currency } = watched.budget
    for (const period of periods.filter(({ is_passed }) => is_passed)) {
      const { from, to, amount, actual } = period
      const body = { from, to, currency, places, amount, actual }
      const part = Object.values(body).join(' ')
      await give(this.#deps, budget, watched, { by: 'budgets', name: 'notePassed', body, part })
      this.#passed.add(nameOf(period))
    }
  }
}
