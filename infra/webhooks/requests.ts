/** Makes deliveries of what webhooks are sent: events that can be read by now, and notifications of their owners. */
import type { WriteDeps } from '../../commands/execute.ts'
import { uuidOf } from '../../commands/ids.ts'
import { delivery } from '../../domain/apps/delivery/delivery.ts'
import { type Webhook, webhook } from '../../domain/apps/webhook/webhook.ts'
import type { Announced } from '../../read-api/live/announced.ts'
import { give, keyOf, stateOf, type Thing } from '../things.ts'
import { type Endpoint, NOTIFICATION, type Notified, type SenderRows } from './rows.ts'

/** Categories whose events are sent to no webhook: what follows from sending would be sent for ever. */
const UNSENT: ReadonlySet<string> = new Set([delivery.name, webhook.name])

export type RequestDeps = WriteDeps & {
  readonly rows: SenderRows
  /** The categories whose things may be read by who holds some permissions. */
  readonly readable: (grants: readonly string[]) => ReadonlySet<string>
}

type There = Extract<Webhook, { readonly url: string }>

export class DeliveryRequests {
  readonly #deps: RequestDeps
  /** Position up to which deliveries were requested, by webhook: of events, and of notifications. */
  readonly #cursors = new Map<string, bigint>()
  readonly #notified = new Map<string, bigint>()

  constructor(deps: RequestDeps) {
    this.#deps = deps
  }

  /** Begins again where the rows say that the last sender came to. */
  forget(): void {
    this.#cursors.clear()
    this.#notified.clear()
  }

  /** Makes deliveries of what is new, of each webhook in order; says whether there were any. */
  async look(signal: AbortSignal): Promise<boolean> {
    const endpoints = await this.#deps.rows.endpoints()
    const ofEvents = await this.#ofEvents(endpoints, signal)
    const told = endpoints.filter(({ isToldOfNotifications }) => isToldOfNotifications)
    return (await this.#ofNotifications(told, signal)) || ofEvents
  }

  async #ofEvents(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<boolean> {
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
      const hook = fresh.length > 0 ? await this.#listening(endpoint) : undefined
      // What a webhook that is disabled by now missed is for when it is resumed.
      if (fresh.length > 0 && !hook) return
      const wanted = fresh.filter(event => this.#isWanted(endpoint, hook!, event))
      for (const event of wanted.length > 0 ? await this.#deps.rows.openTo(endpoint, hook!.grants, wanted) : []) {
        if (signal.aborted) return
        await this.#request(endpoint, String(event.row.event_id), announced(endpoint, event))
        made = true
      }
      this.#cursors.set(keyOf(endpoint), found.upto)
      made ||= found.isFull
    }
    await Promise.all(endpoints.map(take))
    return made
  }

  async #ofNotifications(endpoints: readonly Endpoint[], signal: AbortSignal): Promise<boolean> {
    if (endpoints.length === 0) return false
    const found = await this.#deps.rows.notifications(
      endpoints.map(endpoint => ({ ...endpoint, after: this.#notifiedOf(endpoint) })),
    )
    let made = false
    for (const endpoint of endpoints) {
      const fresh = found.filter(each => each.org === endpoint.org && each.webhook === endpoint.id)
      const hook = fresh.length > 0 ? await this.#listening(endpoint) : undefined
      if (!hook) continue
      const readable = this.#deps.readable(hook.grants)
      for (const each of fresh) {
        if (signal.aborted) return made
        if (readable.has(each.category)) {
          await this.#request(endpoint, each.id, notice(endpoint, each))
          made = true
        }
        this.#notified.set(keyOf(endpoint), each.position)
      }
    }
    return made
  }

  #cursorOf(endpoint: Endpoint): bigint {
    return later(this.#cursors.get(keyOf(endpoint)), endpoint.upto)
  }

  #notifiedOf(endpoint: Endpoint): bigint {
    return later(this.#notified.get(keyOf(endpoint)), endpoint.notifiedUpto)
  }

  /** The webhook as the log has it, unless it is disabled or removed. */
  async #listening(endpoint: Endpoint): Promise<There | undefined> {
    const state = (await stateOf(this.#deps, webhook, endpoint)) as Webhook
    return 'url' in state && state.status !== 'disabled' ? state : undefined
  }

  /** Whether a webhook is sent an event: what it asks for, of what its maker may read, and its own tests. */
  #isWanted(endpoint: Endpoint, { types, categories, grants }: There, { category, type, id }: Announced): boolean {
    if (category === webhook.name) return type === 'WebhookTested' && id === endpoint.id
    if (UNSENT.has(category) || !this.#deps.readable(grants).has(category)) return false
    return (categories?.includes(category) ?? true) && (types?.includes(type) ?? true)
  }

  /** Requests a delivery, once: its id follows from its webhook and what it is of. */
  async #request({ org, id }: Endpoint, of: string, body: object): Promise<void> {
    const made = { org, id: uuidOf([org, 'webhook', id, of]) }
    await give(this.#deps, delivery, made, { by: 'webhooks', name: 'request', body, part: 'request' })
  }
}

const later = (position: bigint | undefined, other: bigint): bigint =>
  position !== undefined && position > other ? position : other

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

/** A notification, announced like an event: each is a thing of its own. */
const notice = ({ id: webhook }: Thing, { id: thing, position, at }: Notified) => ({
  webhook,
  event: uuidOf([NOTIFICATION, thing]),
  category: NOTIFICATION,
  thing,
  type: 'notification.created',
  revision: 0n,
  position,
  at,
})
