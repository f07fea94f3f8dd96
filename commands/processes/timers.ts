/** Gives the commands of timers that are due: each takes effect once, because its key follows from the timer. */
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Json } from '../../domain/kernel/json.ts'
import { ofStore } from '../../domain/kernel/schema.ts'
import type { Command } from '../command.ts'
import { execute, type WriteDeps } from '../execute.ts'
import { uuidOf } from '../ids.ts'
import type { ProcessLog } from './follower.ts'
import { actorOf } from './give.ts'
import { paused } from './pause.ts'

type WhoCaused = NonNullable<Command['behalf']>

/** A timer as its row has it; `body` in wire form. */
export type Timer = {
  readonly org: string
  readonly thing: string
  readonly due_at: string
  readonly category: string
  readonly command: string
  readonly body: { readonly [key: string]: Json }
  /** The event that set it. */
  readonly event: string
  readonly correlation: string
  /** Who caused the event that set it. */
  readonly behalf?: WhoCaused | null
}

/** Word of rows that change. Some may be missed: who waits looks by itself as well, more often while none are heard. */
export type RowChanges = {
  /** A number to take before a look, so that a change between the look and the wait is not lost. */
  readonly ticket: () => number
  readonly isListening: () => boolean
  /** Resolves when rows may have changed since `ticket`, and after `ms` at the latest. */
  readonly changed: (ticket: number, ms: number, signal: AbortSignal) => Promise<void>
}

export type TimerDeps = WriteDeps & {
  readonly aggregates: ReadonlyMap<string, AnyAggregate>
  /** The timers due by an instant, earliest first, without those of some events, and the first one after them. */
  readonly due: (by: string, without: readonly string[]) => Promise<readonly Timer[]>
  /** Says when rows may have changed; without it they are looked at all the time. */
  readonly changes?: RowChanges
  readonly log: ProcessLog
  readonly pausesMs?: readonly number[]
  /** Called when a timer has fired, with how late that was. */
  readonly onFired?: (timer: Timer, lateMs: number) => void
}

/** The shortest time between two looks that find nothing, and how often rows are looked at while no change is heard. */
const LOOK_MS = 500
/** How often rows are looked at while changes are heard. */
const REST_MS = 30_000
/** Time after which a timer that fired is looked at again, should its row still be there. */
const AGAIN_MS = 60_000
/** Pauses before a timer that failed is tried again; the last one for ever. */
const PAUSES_MS: readonly number[] = [250, 1_000, 4_000, 15_000, 60_000]
/** Failures after which a timer counts as stuck. */
const STUCK_TRIES = 5
const AT_ONCE = 64

type Tried = { readonly notBefore: number; readonly failures: number; readonly error?: Error }

export class Timers {
  readonly #deps: TimerDeps
  readonly #tried = new Map<string, Tried>()
  #trouble: Error | undefined

  constructor(deps: TimerDeps) {
    this.#deps = deps
  }

  /** The error of an engine that keeps timers from firing, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Timers that failed again and again, and the last error of one. */
  get stuck(): { readonly count: number; readonly error?: Error | undefined } {
    const stuck = [...this.#tried.values()].filter(({ failures }) => failures >= STUCK_TRIES)
    return { count: stuck.length, error: stuck.at(-1)?.error }
  }

  /** Fires timers until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#tried.clear()
    while (!signal.aborted) {
      const { changes } = this.#deps
      const ticket = changes?.ticket() ?? 0
      let waitMs = LOOK_MS
      try {
        waitMs = await this.#look(signal)
        this.#trouble = undefined
      } catch (error) {
        this.#trouble = error as Error
      }
      await paused(Math.min(waitMs, LOOK_MS), signal)
      if (waitMs > LOOK_MS) await changes?.changed(ticket, waitMs - LOOK_MS, signal)
    }
    this.#trouble = undefined
  }

  /** Fires what is due, and answers when to look again. */
  async #look(signal: AbortSignal): Promise<number> {
    const now = Date.parse(this.#deps.now())
    const waiting = [...this.#tried].filter(([, { notBefore }]) => notBefore > now).map(([event]) => event)
    const timers = await this.#deps.due(new Date(now).toISOString(), waiting)
    const there = new Set([...waiting, ...timers.map(({ event }) => event)])
    for (const event of this.#tried.keys()) if (!there.has(event)) this.#tried.delete(event)
    const due = timers.filter(({ due_at }) => Date.parse(due_at) <= now)
    for (let from = 0; from < due.length && !signal.aborted; from += AT_ONCE) {
      await Promise.all(due.slice(from, from + AT_ONCE).map(timer => this.#fire(timer)))
    }
    if (due.length > 0) return 0
    const next = timers.map(({ due_at }) => Date.parse(due_at))
    for (const { notBefore } of this.#tried.values()) next.push(notBefore)
    const restMs = this.#deps.changes?.isListening() ? REST_MS : LOOK_MS
    return Math.max(1, Math.min(restMs, ...next.map(at => at - Date.parse(this.#deps.now()))))
  }

  async #fire(timer: Timer): Promise<void> {
    const { org, thing, category, command, event, correlation, behalf } = timer
    const failures = this.#tried.get(event)?.failures ?? 0
    try {
      const aggregate = this.#deps.aggregates.get(category)
      const schema = aggregate?.commands[command]
      if (!aggregate || !schema) throw new KogiError('command_unknown', `There is no command ${category}.${command}.`)
      await execute(this.#deps, {
        aggregate,
        name: command,
        id: thing,
        opens: false,
        body: ofStore(() => schema.decode(timer.body)),
        isOfBulk: true,
        idempotencyKey: uuidOf(['timer', event, command]),
        principal: { subject: actorOf('timers'), org, roles: [], permissions: [] },
        correlationId: correlation,
        causationId: event,
        ...(behalf && { behalf }),
      })
      const now = Date.parse(this.#deps.now())
      this.#tried.set(event, { notBefore: now + AGAIN_MS, failures: 0 })
      this.#deps.onFired?.(timer, now - Date.parse(timer.due_at))
    } catch (error) {
      const pauses = this.#deps.pausesMs ?? PAUSES_MS
      const pause = pauses[Math.min(failures, pauses.length - 1)]!
      const notBefore = Date.parse(this.#deps.now()) + pause
      this.#tried.set(event, { notBefore, failures: failures + 1, error: error as Error })
      this.#deps.log.warn({ err: error, timer: `${category}.${command}`, thing, event }, 'a timer could not fire')
    }
  }
}
