/** One WebSocket of `/ws`: a caller, the channels that they listen to, and what is said between both sides. */
import { z } from 'zod'
import { KogiError } from '../../domain/kernel/errors.ts'
import type { Outlet, Principal } from '../../domain/kernel/route.ts'
import { atLeast } from '../consistency.ts'
import { isPosition, POSITION_FORM } from '../parameters.ts'
import type { Grantees } from '../readers.ts'
import { type Access, accessOf, toldOf } from './announced.ts'
import { categoriesOf, isUserChannel, messageTypeOf, userChannel } from './channels.ts'
import { ENDINGS, type Ending } from './connections.ts'
import type { LiveDeps } from './event-stream.ts'
import type { Batch, Interest, Subscriber } from './feed.ts'

export type SessionDeps = LiveDeps & {
  /** Finds the caller of a token. Throws `invalid_token`. */
  readonly authenticate: (authorization: string) => Principal | Promise<Principal>
}

/** The socket of a session. */
export type Socket = {
  readonly outlet: Outlet
  readonly ping: () => void
  /** Sets with which code and reason the outlet closes the socket. */
  readonly closeWith: (code: number, reason: string) => void
  readonly cut: () => void
}

/** Channels that one connection may listen to. */
const CHANNELS_MAX = 100
/** Time that a client has to send its token. */
const AUTH_MS = 10_000
const WAIT_MS = 2_000
/** Characters of a token. */
const TOKEN_MAX = 16_384

/** What the channels of rooms begin with. */
const ROOM = 'room:'

const requestId = z.string().max(128).optional()
const channels = z.array(z.string().max(200)).min(1).max(CHANNELS_MAX)
const after = z.string().refine(isPosition, POSITION_FORM).optional()

/** What clients send. */
const requestSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auth'), token: z.string().max(TOKEN_MAX), requestId }),
  z.strictObject({ type: z.literal('subscribe'), channels, after, requestId }),
  z.strictObject({ type: z.literal('unsubscribe'), channels, requestId }),
  z.strictObject({ type: z.literal('typing'), channel: z.string().max(200), requestId }),
])
type Request = z.output<typeof requestSchema>

/** What clients are sent, in the form that all messages have; `channel` is empty where it is about none. */
export const messageSchema = z.strictObject({
  type: z.string().meta({ description: '`task.created`, `item.updated`, `project.deleted`, …, or an answer' }),
  channel: z.string(),
  data: z.unknown(),
  timestamp: z.string(),
  position: z.string().meta({ description: 'for `after` of a later `subscribe`' }),
  requestId,
})

/** The codes with which a WebSocket is closed (RFC 6455, section 7.4; those from 4000 on are ours). */
const CLOSE_CODES: Readonly<Record<Ending | 'unauthenticated', number>> = {
  unauthenticated: 4401,
  token_ended: 4401,
  access_changed: 4403,
  too_slow: 1013,
  draining: 1001,
  gone: 1001,
  too_many_requests: 1013,
  engine_unavailable: 1011,
}

export class Session implements Subscriber {
  cursor = 0n
  readonly #deps: SessionDeps
  readonly #socket: Socket
  readonly #openedAt = Date.now()
  /** The channels with the positions after which their events are wanted. */
  readonly #channels = new Map<string, bigint>()
  #principal: Principal | undefined
  #access: Access = { isWhole: false, categories: [], grantees: [] }
  #isAlive = true
  #unsubscribe: (() => void) | undefined

  /** Throws `too_many_requests` where the process has no room for one more. */
  constructor(deps: SessionDeps, socket: Socket) {
    this.#deps = deps
    this.#socket = socket
    const { outlet } = socket
    deps.connections.add({
      org: () => this.#principal?.org,
      endsAt: () => (this.#principal ? this.#principal.endsAt : this.#openedAt + AUTH_MS),
      stands: () => this.#principal?.stands?.() ?? true,
      outlet,
      heartbeat: () => this.#heartbeat(),
      end: why => this.#end(this.#principal || why !== 'token_ended' ? why : 'unauthenticated'),
    })
    outlet.onClose(() => this.#unsubscribe?.())
    outlet.onDrain(() => this.#principal && deps.feed.resume(this))
  }

  get org(): string {
    return this.#principal?.org ?? ''
  }

  interest(): Interest {
    const wanted = new Set([...this.#channels.keys()].flatMap(channel => categoriesOf(channel) ?? []))
    return { categories: this.#access.categories.filter(category => wanted.has(category)), channels: true }
  }

  grantees(): Grantees {
    return this.#access.grantees
  }

  isReady(): boolean {
    return this.#socket.outlet.waiting() < this.#deps.bufferBytes
  }

  take({ events, rendered }: Batch): void {
    const { isWhole, categories } = this.#access
    for (const event of events) {
      if (event.position <= this.cursor || !categories.includes(event.category)) continue
      for (const channel of event.channels) {
        const from = this.#channels.get(channel)
        if (from === undefined || event.position <= from) continue
        const key = `${isWhole} ${event.position} ${channel}`
        const bytes = rendered.get(key) ?? Buffer.from(eventMessage(event, channel, isWhole))
        rendered.set(key, bytes)
        this.#socket.outlet.send(bytes)
      }
    }
  }

  /** A sign of life came from the client. */
  isHeard(): void {
    this.#isAlive = true
  }

  /** Answers a message. Messages of one client are to come one after another. */
  async receive(text: string): Promise<void> {
    this.isHeard()
    let request: Request | undefined
    try {
      request = parsed(text)
      await this.#answer(request)
    } catch (error) {
      const { code, message } = error instanceof KogiError ? error : UNAVAILABLE
      this.#say('error', { code, message }, request?.requestId)
      if (code === 'invalid_token' || code === 'unauthenticated') this.#end('unauthenticated')
      else if (code === 'too_many_requests') this.#end('too_many_requests')
      else if (!(error instanceof KogiError)) this.#end('engine_unavailable')
    }
  }

  async #answer(request: Request): Promise<void> {
    if (request.type === 'auth') return this.#authenticate(request.token, request.requestId)
    if (!this.#principal) throw new KogiError('unauthenticated', 'Send `{ "type": "auth", "token": … }` first.')
    if (request.type === 'subscribe') return this.#subscribe(this.#principal, request)
    if (request.type === 'typing') return this.#typing(this.#principal, request.channel)
    for (const channel of request.channels) this.#channels.delete(channel)
    this.#say('unsubscribed', { channels: [...this.#channels.keys()] }, request.requestId)
  }

  /** A later token of the same caller takes the place of the one before, so that a connection may outlive it. */
  async #authenticate(token: string, requestId: string | undefined): Promise<void> {
    const principal = await this.#deps.authenticate(`Bearer ${token}`)
    const before = this.#principal
    if (before && (before.org !== principal.org || before.subject !== principal.subject)) {
      throw new KogiError('invalid_token', 'This token is of another caller: open a connection of its own for it.')
    }
    if (!before) this.#deps.connections.join(principal.org)
    this.#principal = principal
    this.#access = accessOf(this.#deps, principal)
    const { subject, org, endsAt } = principal
    const ends = endsAt === undefined ? {} : { ends_at: new Date(endsAt).toISOString() }
    this.#say('authenticated', { subject, org, ...ends }, requestId)
  }

  /** Tells the others in a room that the caller is typing: no event, and nothing is kept of it. */
  async #typing({ subject }: Principal, channel: string): Promise<void> {
    if (!channel.startsWith(ROOM) || !this.#channels.has(channel)) {
      throw new KogiError('invalid_body', 'Subscribe to the room first: `room:<id>`.')
    }
    const [timestamp, position] = [new Date().toISOString(), String(this.cursor)]
    const said = JSON.stringify({ type: 'typing', channel, data: { user: subject }, timestamp, position })
    await this.#deps.feed.passOn(this, channel.slice(ROOM.length), channel, Buffer.from(said))
  }

  hear(channel: string, bytes: Uint8Array): void {
    if (this.#channels.has(channel) && this.isReady()) this.#socket.outlet.send(bytes)
  }

  async #subscribe(principal: Principal, request: Extract<Request, { type: 'subscribe' }>): Promise<void> {
    const refused = request.channels.flatMap(channel => this.#refusalOf(principal, channel))
    const added = request.channels.filter(channel => !refused.some(each => each.channel === channel))
    if (new Set([...this.#channels.keys(), ...added]).size > CHANNELS_MAX) {
      throw new KogiError('invalid_body', `One connection listens to at most ${CHANNELS_MAX} channels.`)
    }
    const { org } = principal
    const { feed, signal } = this.#deps
    const frontier = async () => ({ position: await feed.frontier(org) })
    const asked = request.after === undefined ? undefined : BigInt(request.after)
    const patient = { signal: new AbortController().signal }
    const { position } =
      asked === undefined
        ? await frontier()
        : await atLeast({ position: asked, waitMs: WAIT_MS }, signal, patient, frontier)
    const begin = asked ?? position
    // What the other channels were given up to here is not sent again while the cursor goes back for the new ones.
    for (const [channel, from] of this.#channels) if (from < this.cursor) this.#channels.set(channel, this.cursor)
    for (const channel of added) this.#channels.set(channel, begin)
    if (!this.#unsubscribe || begin < this.cursor) this.cursor = begin
    this.#say('subscribed', { channels: [...this.#channels.keys()], refused }, request.requestId)
    this.#unsubscribe ??= feed.subscribe(this, position)
    feed.resume(this)
  }

  #refusalOf({ subject }: Principal, channel: string): readonly Refused[] {
    const categories = categoriesOf(channel)
    if (!categories) return [{ channel, code: 'invalid_channel', message: CHANNEL_FORMS }]
    if (isUserChannel(channel) && channel !== userChannel(subject)) {
      return [{ channel, code: 'forbidden', message: 'Only a user may listen to their notifications.' }]
    }
    if (categories.some(category => this.#access.categories.includes(category))) return []
    return [{ channel, code: 'forbidden', message: 'The token does not allow to read what this channel is about.' }]
  }

  #say(type: string, data: object, requestId: string | undefined): void {
    this.#socket.outlet.send(this.#message(type, data, requestId))
  }

  #message(type: string, data: object, requestId?: string): string {
    const rest = { timestamp: new Date().toISOString(), position: String(this.cursor) }
    return JSON.stringify({ type, channel: '', data, ...rest, ...(requestId !== undefined && { requestId }) })
  }

  #heartbeat(): boolean {
    if (!this.#isAlive) return false
    this.#isAlive = false
    this.#socket.ping()
    return true
  }

  #end(why: Ending | 'unauthenticated'): void {
    if (why === 'gone') {
      this.#socket.cut()
      return
    }
    const message = why === 'unauthenticated' ? 'No valid token came.' : ENDINGS[why]
    const last = String(this.cursor)
    this.#socket.closeWith(CLOSE_CODES[why], `${why}, last position ${last}`)
    this.#socket.outlet.end(this.#message('end', { code: why, message, last_position: last }))
  }
}

/** A channel that is not listened to, and why. */
type Refused = { readonly channel: string; readonly code: string; readonly message: string }
const CHANNEL_FORMS = 'A channel is briefcase:<id>, project:<id>, room:<id> or user:<id>.'

const UNAVAILABLE = { code: 'engine_unavailable', message: 'An engine does not answer at the moment; come again.' }

/** Throws `invalid_json` or `invalid_body`. */
function parsed(text: string): Request {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new KogiError('invalid_json', 'The message is not valid JSON.')
  }
  const { success, data, error } = requestSchema.safeParse(json)
  if (success) return data
  const { path, message } = error.issues[0]!
  throw new KogiError(
    'invalid_body',
    `The message is not one of auth, subscribe, unsubscribe: ${path.join('.')} ${message}.`,
  )
}

function eventMessage(event: Batch['events'][number], channel: string, isWhole: boolean): string {
  const notice = isUserChannel(channel) && event.notifications?.find(({ user }) => channel === userChannel(user))
  const called = notice ? 'notification.created' : messageTypeOf(event)
  const [type, at, name] = [called, event.row.at, channel].map(text => JSON.stringify(text))
  const told = toldOf(event, isWhole)
  const data = notice ? `{"notification":${JSON.stringify(notice.id)},"kind":"${notice.kind}",${told.slice(1)}` : told
  return `{"type":${type},"channel":${name},"data":${data},"timestamp":${at},"position":"${event.position}"}`
}
