/**
 * Sends events to webhooks. What there is to do stands in rows: events that can be read by now become deliveries, and
 * deliveries whose time has come are tried. What is true stands in the log: before each attempt the delivery and its
 * webhook are read there, so that rows that lag or are built anew send nothing again, and every attempt is an event.
 * An end between an attempt and its event repeats the attempt: receivers know it by its id.
 */
import type { WriteDeps } from '../../commands/execute.ts'
import type { RowChanges } from '../../commands/processes/timers.ts'
import { type Delivery, delivery } from '../../domain/apps/delivery/delivery.ts'
import { type Webhook, webhook } from '../../domain/apps/webhook/webhook.ts'
import { type Log, reasonOf } from '../log.ts'
import { keepLooking } from '../looking.ts'
import { give, keyOf, stateOf, type Thing } from '../things.ts'
import type { Post, Posted } from './post.ts'
import { DeliveryRequests } from './requests.ts'
import type { SenderRows } from './rows.ts'
import { messageOf, signed } from './sign.ts'

/** Pauses before an attempt is repeated, in seconds: some three days in all; after the last one it is parked. */
export const PAUSES_SECONDS: readonly number[] = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
/** How often rows are looked at while there is something to do, and while no change of them is heard. */
const BUSY_MS = 25
const LOOK_MS = 500
/** How often rows are looked at while changes are heard. */
const REST_MS = 30_000
/** Time after which a delivery that was tried is looked at again, should its row still be as it was. */
const AGAIN_MS = 200
/** Attempts at once for all webhooks, and for one of them. */
const ACTIVE_MAX = 64
const ACTIVE_MAX_OF_ONE = 4
/** The longest pause that a receiver can ask for by `Retry-After`: that of the longest one of ours. */
const RETRY_AFTER_MS_MAX = 86_400_000
/** The status of an endpoint that is gone for good (RFC 9110, 15.5.11). */
const GONE = 410

export type SenderDeps = WriteDeps & {
  readonly rows: SenderRows
  /** Says when rows may have changed; without it they are looked at all the time. */
  readonly changes?: RowChanges
  readonly post: Post
  /** The categories whose things may be read by who holds some permissions. */
  readonly readable: (grants: readonly string[]) => ReadonlySet<string>
  readonly log: Pick<Log, 'warn' | 'info'>
  /** Called after each attempt. */
  readonly onAttempt?: (outcome: 'delivered' | 'failed' | 'parked', latencyMs: number) => void
}

type There = Extract<Webhook, { readonly url: string }>
type Waiting = Exclude<Delivery, { readonly status: 'none' }>

/** The attempts of one webhook: those that wait, and how many are under way. */
type Line = { readonly waiting: Thing[]; working: number }

export class Sender {
  readonly #deps: SenderDeps
  readonly #requests: DeliveryRequests
  /** Deliveries that wait in a line or are on their way, the lines by webhook, and what was tried a moment ago. */
  readonly #active = new Set<string>()
  readonly #lines = new Map<string, Line>()
  readonly #tried = new Map<string, number>()
  /** Webhooks whose receivers asked to be left alone, with the instant up to which. */
  readonly #resting = new Map<string, Thing & { readonly until: number }>()
  readonly #working = new Set<Promise<void>>()
  #trouble: Error | undefined

  constructor(deps: SenderDeps) {
    this.#deps = deps
    this.#requests = new DeliveryRequests(deps)
  }

  /** The error of an engine that keeps it from working, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Works until the signal aborts; attempts under way are waited for. */
  async run(signal: AbortSignal): Promise<void> {
    this.#requests.forget()
    this.#resting.clear()
    const { changes } = this.#deps
    const onTrouble = (trouble: Error | undefined) => {
      this.#trouble = trouble
    }
    const look = async () => {
      if (await this.look(signal)) return { pauseMs: BUSY_MS }
      const restMs = changes?.isListening() ? await this.#restMs() : LOOK_MS
      return restMs > LOOK_MS ? { pauseMs: LOOK_MS, changeMs: restMs - LOOK_MS } : { pauseMs: restMs }
    }
    await keepLooking(signal, { look, changes, retryMs: LOOK_MS, onTrouble })
    await Promise.all(this.#working)
    this.#lines.clear()
    this.#active.clear()
    this.#trouble = undefined
  }

  /** The time until there may be something to do though no row changes. */
  async #restMs(): Promise<number> {
    const now = this.#deps.now()
    const ends = [...this.#resting.values()].map(({ until }) => until - Date.parse(now))
    return Math.max(1, Math.min(REST_MS, await this.#deps.rows.nextIn(now), ...ends))
  }

  /** Looks once for what there is to do and begins it; says whether there was something. */
  async look(signal: AbortSignal): Promise<boolean> {
    const requesting = this.#requests.look(signal)
    requesting.catch(() => {})
    for (const { webhook: asking, asked, ...thing } of await this.#deps.rows.again()) {
      await give(this.#deps, delivery, thing, {
        by: 'webhooks',
        name: 'replay',
        body: { webhook: asking },
        part: String(asked),
      })
    }
    const began = signal.aborted ? 0 : await this.#begin(signal)
    return (await requesting) || began > 0 || this.#working.size > 0 || this.#tried.size > 0
  }

  /** Queues the attempts whose time has come, and says how many. */
  async #begin(signal: AbortSignal): Promise<number> {
    const moment = performance.now()
    for (const [id, until] of this.#tried) if (until <= moment) this.#tried.delete(id)
    const without = [...this.#active, ...this.#tried.keys()]
    const now = Date.parse(this.#deps.now())
    for (const [key, { until }] of this.#resting) if (until <= now) this.#resting.delete(key)
    const due = await this.#deps.rows.due(this.#deps.now(), without, [...this.#resting.values()])
    for (const { org, id, webhook: hook } of due) {
      const key = keyOf({ org, id: hook })
      const line = this.#lines.get(key) ?? { waiting: [], working: 0 }
      this.#lines.set(key, line)
      this.#active.add(id)
      line.waiting.push({ org, id })
      this.#pump(key, line, signal)
    }
    return due.length
  }

  /** Begins as many attempts of a webhook as there may be at once. Each is of another thing. */
  #pump(key: string, line: Line, signal: AbortSignal): void {
    while (line.waiting.length > 0 && line.working < ACTIVE_MAX_OF_ONE && this.#working.size < ACTIVE_MAX) {
      const thing = line.waiting.shift()!
      if (signal.aborted) continue
      line.working += 1
      const working: Promise<void> = this.#attempt(thing)
        .catch(error => {
          this.#trouble = error
          this.#deps.log.warn({ delivery: thing.id, reason: reasonOf(error) }, 'an attempt could not be made or noted')
        })
        .finally(() => {
          this.#active.delete(thing.id)
          this.#tried.set(thing.id, performance.now() + AGAIN_MS)
          this.#working.delete(working)
          line.working -= 1
          for (const [other, its] of this.#lines) this.#pump(other, its, signal)
        })
      this.#working.add(working)
    }
    if (line.working === 0 && line.waiting.length === 0) this.#lines.delete(key)
  }

  async #attempt(thing: Thing): Promise<void> {
    const found = (await stateOf(this.#deps, delivery, thing)) as Delivery
    if (found.status !== 'waiting' || found.dueAt > this.#deps.now()) return
    const to = { org: thing.org, id: found.announcement.webhook }
    const hook = (await stateOf(this.#deps, webhook, to)) as Webhook
    const isThere = 'url' in hook
    if (isThere && (hook.status !== 'active' || this.#resting.has(keyOf(to)))) return
    const part = found.attempts + 1
    const note = (name: string, body: object) =>
      give(this.#deps, delivery, thing, { by: 'webhooks', name, body: { attempt: part, ...body }, part })
    const posted: Posted = isThere ? await this.#post(thing, found, hook) : { failure: 'webhook_removed', latencyMs: 0 }
    const { status, failure, latencyMs } = posted
    if (failure === undefined) {
      await note('succeed', { status: status!, latencyMs })
      this.#deps.onAttempt?.('delivered', latencyMs)
      return
    }
    const pauseMs = this.#pauseOf(to, found, posted)
    const dueAt = isThere && pauseMs && new Date(Date.parse(this.#deps.now()) + pauseMs).toISOString()
    await note('fail', { failure, latencyMs, ...(status && { status }), ...(dueAt && { dueAt }) })
    if (status === GONE)
      await give(this.#deps, webhook, to, {
        by: 'webhooks',
        name: 'disable',
        body: { delivery: thing.id },
        part: `${thing.id} ${part}`,
      })
    this.#deps.onAttempt?.(dueAt ? 'failed' : 'parked', latencyMs)
  }

  /** Time until the next attempt, none after the last one. What the receiver asks for counts where it is longer. */
  #pauseOf(to: Thing, { tries }: Waiting, { retryAfterMs }: Posted): number | undefined {
    const pause = PAUSES_SECONDS[tries]
    const asked = Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX)
    if (asked > 0) this.#resting.set(keyOf(to), { ...to, until: Date.parse(this.#deps.now()) + asked })
    return pause && Math.max(pause * 1_000, asked)
  }

  async #post({ org, id }: Thing, { announcement }: Waiting, hook: There): Promise<Posted> {
    const { url, secret, earlier } = hook
    const sealed = earlier ? [secret, earlier.secret] : [secret]
    const secrets = await this.#deps.keyring.open(org, sealed)
    const [current, before] = secrets
    // The key of the maker was erased, or is missing: nothing can be signed, and nothing is sent unsigned.
    if (typeof current !== 'string') return { failure: 'secret_erased', latencyMs: 0 }
    const now = new Date(this.#deps.now())
    const body = messageOf(org, announcement)
    const headers = signed({ id, now, body, current, before: before ?? undefined, rotatedAt: earlier?.rotatedAt })
    return this.#deps.post(url, headers, body)
  }
}
