/** `GET /events`: what happens in an org, as server-sent events (HTML standard, section 9.2). */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { ApiRequest, Outlet, Parameter, Principal, Route } from '../../domain/kernel/route.ts'
import { id as thingId } from '../../domain/kernel/schema.ts'
import type { CheckpointSignal } from '../checkpoint-signal.ts'
import { atLeast, readErrors } from '../consistency.ts'
import {
  inQuery,
  invalidParameter,
  isPosition,
  listed,
  POSITION_FORM,
  type Queries,
  queriesOf,
  severalInQuery,
} from '../parameters.ts'
import type { Grantees } from '../readers.ts'
import { type Access, type AccessDeps, accessOf, announcedSchema, toldOf } from './announced.ts'
import { type Connections, ENDINGS, type Ending } from './connections.ts'
import type { Batch, Feed, Interest, Subscriber } from './feed.ts'

export type LiveDeps = AccessDeps & {
  readonly feed: Feed
  readonly connections: Connections
  readonly signal: CheckpointSignal
  /** The names of all events. */
  readonly eventTypes: readonly string[]
  /** Bytes that may wait for a client before it is given no more. */
  readonly bufferBytes: number
}

/** Time after which a client comes again, in ms. */
const RETRY_MS = 2_000
/** Longest time that a client waits for the position after which it wants to begin. */
const WAIT_MS = 2_000

const parametersOf = ({ readPermissions, eventTypes }: LiveDeps): readonly Parameter[] => [
  inQuery(
    'after',
    z.string().refine(isPosition, POSITION_FORM),
    'begin behind this position, such as that of a receipt; from now on where it is left out',
  ),
  severalInQuery('types', z.enum(eventTypes as [string]), 'only events of these types, separated by commas'),
  severalInQuery(
    'category',
    z.enum([...readPermissions.keys()] as [string]),
    'only events of things of these categories',
  ),
  inQuery('id', thingId('thing'), 'only events of things with this id'),
  {
    name: 'Last-Event-ID',
    in: 'header',
    schema: z.string().refine(isPosition, POSITION_FORM),
    description: 'the id of the last event received: takes the place of `after`, sent by clients that come again',
  },
]

/** The route of the event stream. */
export function eventStreamRoute(deps: LiveDeps): Route {
  const parameters = parametersOf(deps)
  return {
    method: 'GET',
    path: '/events',
    permission: 'signed in',
    operationId: 'streamEvents',
    summary: 'Follow what happens in the organization, as server-sent events: what was announced can be read.',
    tag: 'events',
    parameters,
    response: announcedSchema,
    streams: true,
    errors: { ...readErrors, 403: ['forbidden'] },
    async handle(request) {
      const { principal } = request
      const query = queriesOf(request, parameters)
      const access = accessOf(deps, principal)
      const interest = interestOf(deps, access, query)
      const after = afterOf(request, query)
      deps.connections.mustHaveRoom(principal.org)
      const frontier = async () => ({ position: await deps.feed.frontier(principal.org) })
      const { position } =
        after === undefined
          ? await frontier()
          : await atLeast({ position: after, waitMs: WAIT_MS }, deps.signal, request, frontier)
      const start = { cursor: after ?? position, frontier: position }
      return {
        headers: { 'Kogi-Position': String(position) },
        stream: outlet => new EventStream(deps, principal, { access, interest }, outlet).begin(start),
      }
    },
  }
}

/** The position after which a client wants to begin. A browser that comes again keeps the URL and adds the header. */
function afterOf({ header }: ApiRequest, { after }: Queries): bigint | undefined {
  const last = header('last-event-id') || after
  if (last === undefined) return undefined
  if (!isPosition(last)) throw invalidParameter('Last-Event-ID', POSITION_FORM)
  return BigInt(last)
}

function interestOf({ readPermissions }: LiveDeps, access: Access, query: Queries): Interest {
  const asked = query.category === undefined ? undefined : listed(query.category)!
  const closed = (asked ?? []).filter(category => !access.categories.includes(category))
  if (closed.length > 0 || access.categories.length === 0) {
    const needed = new Set(
      (closed.length > 0 ? closed : [...readPermissions.keys()]).map(name => readPermissions.get(name)!),
    )
    const details = [...needed].map(message => ({ field: 'permission', message }))
    throw new KogiError('forbidden', 'The token does not allow to read what these events are about.', details)
  }
  return {
    categories: asked ?? access.categories,
    ...(query.types !== undefined && { types: listed(query.types)! }),
    ...(query.id !== undefined && { id: query.id }),
  }
}

type Told = { readonly access: Access; readonly interest: Interest }

class EventStream implements Subscriber {
  readonly org: string
  cursor = 0n
  readonly #deps: LiveDeps
  readonly #principal: Principal
  readonly #told: Told
  readonly #outlet: Outlet
  /** Streams with the same key are sent the same bytes. */
  readonly #key: string

  constructor(deps: LiveDeps, principal: Principal, told: Told, outlet: Outlet) {
    this.org = principal.org
    this.#deps = deps
    this.#principal = principal
    this.#told = told
    this.#outlet = outlet
    this.#key = JSON.stringify([told.access.isWhole, told.interest])
  }

  begin({ cursor, frontier }: { cursor: bigint; frontier: bigint }): void {
    const { feed, connections } = this.#deps
    this.cursor = cursor
    try {
      connections.add({
        org: () => this.org,
        endsAt: () => this.#principal.endsAt,
        stands: () => this.#principal.stands?.() ?? true,
        outlet: this.#outlet,
        heartbeat: () => this.#heartbeat(),
        end: why => this.#end(why),
      })
    } catch {
      this.#end('too_many_requests')
      return
    }
    // An id without data is remembered by the client and shown to nobody.
    this.#outlet.send(`retry: ${RETRY_MS}\nid: ${cursor}\n\n`)
    const unsubscribe = feed.subscribe(this, frontier)
    this.#outlet.onClose(unsubscribe)
    this.#outlet.onDrain(() => feed.resume(this))
  }

  interest(): Interest {
    return this.#told.interest
  }

  grantees(): Grantees {
    return this.#told.access.grantees
  }

  isReady(): boolean {
    return this.#outlet.waiting() < this.#deps.bufferBytes
  }

  take({ events, rendered }: Batch): void {
    if (events.length === 0) return
    // Bytes are shared by those who stand at the same place; a stream that is ahead of the batch has its own.
    const isAhead = events[0]!.position <= this.cursor
    const bytes = isAhead ? this.#render(events) : (rendered.get(this.#key) ?? this.#render(events))
    if (!isAhead) rendered.set(this.#key, bytes)
    if (bytes.length > 0) this.#outlet.send(bytes)
  }

  #render(events: Batch['events']): Uint8Array {
    const { access, interest } = this.#told
    const { categories, types, id } = interest
    const wanted = events.filter(
      event =>
        event.position > this.cursor &&
        categories.includes(event.category) &&
        (types === undefined || types.includes(event.type)) &&
        (id === undefined || id === event.id),
    )
    return Buffer.from(
      wanted.map(event => `id: ${event.position}\ndata: ${toldOf(event, access.isWhole)}\n\n`).join(''),
    )
  }

  /** The id moves on with what the client was not interested in, so that it need not be looked through again. */
  #heartbeat(): boolean {
    this.#outlet.send(`: heartbeat\nid: ${this.cursor}\n\n`)
    return true
  }

  #end(why: Ending): void {
    const data = JSON.stringify({ code: why, message: ENDINGS[why], last_id: String(this.cursor) })
    this.#outlet.end(`event: end\ndata: ${data}\n\n`)
  }
}
