/**
 * Sends events to webhooks. What there is to do stands in rows: events that can be read by now become deliveries, and
 * deliveries whose time has come are tried. What is true stands in the log: before each attempt the delivery and its
 * webhook are read there, so that rows that lag or are built anew send nothing again, and every attempt is an event.
 * An end between an attempt and its event repeats the attempt: receivers know it by its id.
 */
import { execute, type WriteDeps } from '../../commands/execute.ts'
import { streamOf, uuidOf } from '../../commands/ids.ts'
import { paused } from '../../commands/processes/pause.ts'
import { type Delivery, delivery } from '../../domain/apps/delivery/delivery.ts'
import { type Webhook, webhook } from '../../domain/apps/webhook/webhook.ts'
import type { AnyAggregate } from '../../domain/kernel/aggregate.ts'
import type { Announced } from '../../read-api/live/announced.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Post, Posted } from './post.ts'
import type { Endpoint, SenderRows, Thing } from './rows.ts'
import { messageOf, signed } from './sign.ts'

/** Pauses before an attempt is repeated, in seconds: some three days in all; after the last one it is parked. */
export const PAUSES_SECONDS: readonly number[] = [5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
/** How often rows are looked at, and while there is something to do. */
const LOOK_MS = 500
const BUSY_MS = 25
/** Time after which a delivery that was tried is looked at again, should its row still be as it was. */
const AGAIN_MS = 200
/** Attempts at once for all webhooks, and for one of them. */
const ACTIVE_MAX = 64
const ACTIVE_MAX_OF_ONE = 4
/** Categories whose events are sent to no webhook: what follows from sending would be sent for ever. */
const UNSENT: ReadonlySet<string> = new Set([delivery.name, webhook.name])

export type SenderDeps = WriteDeps & {
  readonly rows: SenderRows
  readonly post: Post
  /** The categories whose things may be read by who holds some permissions. */
  readonly readable: (grants: readonly string[]) => ReadonlySet<string>
  readonly log: Pick<Log, 'warn' | 'info'>
  /** Called after each attempt. */
  readonly onAttempt?: (outcome: 'delivered' | 'failed' | 'parked', latencyMs: number) => void
}

type There = Extract<Webhook, { readonly url: string }>
type Waiting = Exclude<Delivery, { readonly status: 'none' }>

export class Sender {
  readonly #deps: SenderDeps
  /** Position up to which deliveries were requested, by webhook. */
  readonly #cursors = new Map<string, bigint>()
  /** Deliveries on their way, and those that were tried a moment ago. */
  readonly #active = new Map<string, string>()
  readonly #tried = new Map<string, number>()
  readonly #working = new Set<Promise<void>>()
  #trouble: Error | undefined

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  /** The error of an engine that keeps it from working, while there is one. */
  get trouble(): Error | undefined {
    return this.#trouble
  }

  /** Works until the signal aborts; attempts under way are waited for. */
  async run(signal: AbortSignal): Promise<void> {
    this.#cursors.clear()
    while (!signal.aborted) {
      let isBusy = false
      try {
        isBusy = await this.look(signal)
        this.#trouble = undefined
      } catch (error) {
        this.#trouble = error as Error
      }
      await paused(isBusy ? BUSY_MS : LOOK_MS, signal)
    }
    await Promise.all(this.#working)
    this.#trouble = undefined
  }

  /** Looks once for what there is to do and begins it; says whether there was something. */
  async look(signal: AbortSignal): Promise<boolean> {
    const endpoints = await this.#deps.rows.endpoints()
    const requested = await this.#request(endpoints, signal)
    for (const { org, id, webhook: asking, asked } of await this.#deps.rows.again()) {
      await this.#give(org, id, 'replay', { webhook: asking }, String(asked))
    }
    const began = signal.aborted ? 0 : await this.#begin()
    return requested || began > 0 || this.#working.size > 0 || this.#tried.size > 0
  }

  /** Makes deliveries of what is new, of each webhook in the order of the events; says whether there were any. */
  async #request(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<boolean> {
    const after = new Map<string, bigint>()
    for (const endpoint of endpoints) {
      const cursor = this.#cursorOf(endpoint)
      if (cursor < (after.get(endpoint.org) ?? cursor + 1n)) after.set(endpoint.org, cursor)
    }
    if (after.size === 0) return false
    const news = await this.#deps.rows.news(after)
    let made = false
    const take = async (endpoint: Endpoint) => {
      const found = news.get(endpoint.org)
      if (!found || found.upto <= this.#cursorOf(endpoint)) return
      const fresh = found.events.filter(({ position }) => position > this.#cursorOf(endpoint))
      const wanted = fresh.length > 0 ? fresh.filter(await this.#wish(endpoint)) : []
      for (const event of wanted) {
        if (signal.aborted) return
        await this.#give(endpoint.org, deliveryId(endpoint, event), 'request', announced(endpoint, event), 'request')
        made = true
      }
      this.#cursors.set(keyOf(endpoint), found.upto)
      made ||= found.isFull
    }
    await Promise.all(endpoints.map(take))
    return made
  }

  #cursorOf(endpoint: Endpoint): bigint {
    const cursor = this.#cursors.get(keyOf(endpoint)) ?? 0n
    return cursor > endpoint.upto ? cursor : endpoint.upto
  }

  /** Which events a webhook is sent: what it asks for, of what its maker may read, and its own tests. */
  async #wish(endpoint: Endpoint): Promise<(event: Announced) => boolean> {
    const state = (await this.#stateOf(webhook, endpoint)) as Webhook
    if (!('url' in state)) return () => false
    const { types, categories, grants } = state
    const readable = this.#deps.readable(grants)
    return ({ category, type, id }) => {
      if (category === webhook.name) return type === 'WebhookTested' && id === endpoint.id
      if (UNSENT.has(category) || !readable.has(category)) return false
      return (categories?.includes(category) ?? true) && (types?.includes(type) ?? true)
    }
  }

  /** Begins the attempts whose time has come, and says how many. */
  async #begin(): Promise<number> {
    const moment = performance.now()
    for (const [id, until] of this.#tried) if (until <= moment) this.#tried.delete(id)
    const without = [...this.#active.keys(), ...this.#tried.keys()]
    const due = await this.#deps.rows.due(this.#deps.now(), without)
    let began = 0
    for (const { org, id, webhook: hook } of due) {
      const key = keyOf({ org, id: hook })
      const ofOne = [...this.#active.values()].filter(other => other === key).length
      if (this.#active.size >= ACTIVE_MAX || ofOne >= ACTIVE_MAX_OF_ONE) continue
      this.#active.set(id, key)
      began += 1
      const working: Promise<void> = this.#attempt({ org, id })
        .catch(error => {
          this.#trouble = error
          this.#deps.log.warn({ delivery: id, reason: reasonOf(error) }, 'an attempt could not be made or noted')
        })
        .finally(() => {
          this.#active.delete(id)
          this.#tried.set(id, performance.now() + AGAIN_MS)
          this.#working.delete(working)
        })
      this.#working.add(working)
    }
    return began
  }

  async #attempt(thing: Thing): Promise<void> {
    const { org, id } = thing
    const found = (await this.#stateOf(delivery, thing)) as Delivery
    if (found.status !== 'waiting' || found.dueAt > this.#deps.now()) return
    const hook = (await this.#stateOf(webhook, { org, id: found.announcement.webhook })) as Webhook
    if (hook.status === 'paused') return
    const attempt = found.attempts + 1
    const isThere = 'url' in hook
    const posted = isThere ? await this.#post(thing, found, hook) : { failure: 'webhook_removed', latencyMs: 0 }
    const { status, failure, latencyMs } = posted
    if (failure === undefined) {
      await this.#give(org, id, 'succeed', { attempt, status: status!, latencyMs }, attempt)
      this.#deps.onAttempt?.('delivered', latencyMs)
      return
    }
    const pause = isThere ? PAUSES_SECONDS[found.tries] : undefined
    const dueAt = pause && new Date(Date.parse(this.#deps.now()) + pause * 1_000).toISOString()
    const failed = { attempt, failure, latencyMs, ...(status && { status }), ...(dueAt && { dueAt }) }
    await this.#give(org, id, 'fail', failed, attempt)
    this.#deps.onAttempt?.(dueAt ? 'failed' : 'parked', latencyMs)
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

  /** The state of a thing as the log has it. */
  async #stateOf(aggregate: AnyAggregate, { org, id }: Thing): Promise<unknown> {
    const stream = streamOf(org, aggregate.name, id)
    this.#deps.streams.forget(stream)
    return (await this.#deps.streams.load(aggregate, stream)).loaded.state
  }

  async #give(org: string, id: string, name: string, body: object, part: string | number): Promise<void> {
    const opens = name === 'request'
    await execute(this.#deps, {
      aggregate: delivery,
      name,
      id,
      opens,
      named: opens,
      body,
      idempotencyKey: uuidOf([id, name, part]),
      principal: { subject: 'process:webhooks', org, roles: [], permissions: [] },
      correlationId: uuidOf([id]),
    })
  }
}

const keyOf = ({ org, id }: Thing): string => `${org} ${id}`

/** The id of a delivery follows from its webhook and its event: it is requested once, whatever is repeated. */
const deliveryId = ({ org, id }: Thing, { row }: Announced): string => uuidOf([org, 'webhook', id, row.event_id])

const announced = ({ id: webhook }: Thing, { category, id: thing, type, position, row }: Announced) => ({
  webhook,
  event: String(row.event_id),
  category,
  thing,
  type,
  revision: BigInt(String(row.revision)),
  position,
  at: String(row.at),
})
