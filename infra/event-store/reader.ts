/**
 * The event store as projections read it, through `@eventstore/db-client`: one code for the embedded server and a
 * cluster. Only subscriptions to `$all` go past the client (`subscription.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AllStreamResolvedEvent,
  BACKWARDS,
  END,
  EventStoreDBClient,
  type Position,
  StreamNotFoundError,
} from '@eventstore/db-client'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import type { EventLog, FollowOptions, ReadOptions, UnparsedEvent } from '../../projections/ports.ts'
import { EventBuffer } from './buffer.ts'
import { LogEnd } from './log-end.ts'
import { subscribeToAll } from './subscription.ts'

/** How far one read of the tail of `$all` looks back for a domain event, in events of any kind. */
const TAIL_EVENTS = 64
const CALL_TIMEOUT_MS = 10_000
const BACKOFF_MAX_MS = 5_000
/**
 * Lists that a read which ends may have ahead, with the one that is taken: events that wait for long are moved to where
 * V8 looks for garbage once there are some 100 MB of it.
 */
const READ_AHEAD = 1.25
/** How often a node that lags behind is asked how far it has come. */
const LAG_POLL_MS = 100

export type EventLogOptions = {
  /** Connection string of the event store. */
  readonly url: string
  /** Prefixes of the streams that hold domain events. */
  readonly prefixes: readonly string[]
  /** How long a node may take to answer a subscription, and to answer a ping. */
  readonly timeoutMs?: number
}

/** Connects lazily; `close` ends every reader that is still open. */
export function eventLog({
  url,
  prefixes,
  timeoutMs = CALL_TIMEOUT_MS,
}: EventLogOptions): EventLog & { close: () => Promise<void> } {
  const client = EventStoreDBClient.connectionString(url)
  const source: Source = { url, client, prefixes, timeoutMs }
  const closing = new AbortController()
  const ends = new LogEnd(source)

  return {
    head: headOf(source, ends),
    follow: options => following(source, { ...options, signal: anyOf(options.signal, closing.signal) }),
    read: options => reading(source, { ...options, signal: anyOf(options.signal, closing.signal) }),
    skips: async names => {
      const found = await Promise.all(names.map(async name => [name, await skipsOf(client, name)] as const))
      return new Map(found)
    },
    close: async () => {
      closing.abort()
      ends.close()
      await client.dispose()
    },
  }
}

/** Where a reader reads. */
type Source = Required<EventLogOptions> & { readonly client: EventStoreDBClient }

/**
 * Follows for ever: a subscription that breaks is opened again behind the last event that was delivered or filtered
 * out.
 */
async function* following(
  source: Source,
  { after, max, signal, onStatus, unparsed = false }: FollowOptions,
): AsyncGenerator<readonly UnparsedEvent[]> {
  const buffer = new EventBuffer(after)
  const abort = () => buffer.end()
  signal.addEventListener('abort', abort, { once: true })
  let attempt = 0
  try {
    while (!signal.aborted) {
      onStatus?.({ state: 'reading' })
      const close = subscribe(source, buffer, unparsed)
      try {
        for await (const events of buffer.lists(max)) {
          if (events === 'live') onStatus?.({ state: 'live' })
          else yield events
          attempt = 0
        }
        return
      } catch (error) {
        attempt += 1
        const delayMs = Math.min(BACKOFF_MAX_MS, 25 * 2 ** attempt)
        onStatus?.({ state: 'retrying', error: error as Error, attempt, delayMs })
        await buffer.pause(delayMs)
      } finally {
        close()
      }
    }
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Reads up to a position and ends; fails when the engine does not answer, or does not come as far in time. */
async function* reading(
  source: Source,
  { after, to, max, signal }: ReadOptions,
): AsyncGenerator<readonly StoredEvent[]> {
  signal?.throwIfAborted()
  if (to <= after) return
  const buffer = new EventBuffer(after, max * READ_AHEAD)
  const abort = () => buffer.fail(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const close = subscribe(source, buffer)
  // Position of the last event up to `to`; not asked for when the subscription delivers that one or a later one.
  let last = to
  let seen = after
  let late: NodeJS.Timeout | undefined
  try {
    for await (const events of buffer.lists(() => max)) {
      if (events === 'live') {
        last = await lastUpTo(source, to, signal)
        late = setTimeout(() => buffer.fail(notDelivered(last, source.timeoutMs)), source.timeoutMs)
      } else {
        const beyond = events.findIndex(({ position }) => position > to)
        if (beyond === 0) return
        yield beyond === -1 ? events : events.slice(0, beyond)
        if (beyond !== -1) return
        seen = events.at(-1)!.position
      }
      if (seen >= last) return
    }
  } finally {
    clearTimeout(late)
    close()
    signal?.removeEventListener('abort', abort)
  }
}

/**
 * Position of the last domain event up to `to`. A subscription that has delivered all that its node has may miss it,
 * because that node follows the leader at a distance. The node that answers here may lag too, and is asked until it has
 * come as far.
 */
async function lastUpTo(source: Source, to: bigint, signal: AbortSignal | undefined): Promise<bigint> {
  const deadline = performance.now() + source.timeoutMs
  for (;;) {
    signal?.throwIfAborted()
    const { end, last } = await tailOf(source, to, signal)
    if (end >= to) return last
    if (performance.now() > deadline) throw notDelivered(to, source.timeoutMs)
    await sleep(Math.min(LAG_POLL_MS, source.timeoutMs), undefined, { signal })
  }
}

const notDelivered = (position: bigint, timeoutMs: number) =>
  new Error(`the event store did not come as far as position ${position} within ${timeoutMs} ms`)

/**
 * Finds the last domain event; while the log ends where it ended before, it asks for that position alone, over a
 * connection of its own: at rest it is asked every few seconds, and through the client it costs several times as much.
 */
function headOf(source: Source, ends: LogEnd): EventLog['head'] {
  let known: { readonly end: bigint; readonly last: bigint } | undefined
  return async signal => {
    if (known === undefined || (await ends.position()) !== known.end) {
      known = await tailOf(source, undefined, signal)
    }
    return known.last
  }
}

/** Position of the last event of any kind, and of the last domain event up to `to`; `0n` for none. */
async function tailOf(
  { client, prefixes }: Source,
  to?: bigint,
  signal?: AbortSignal,
): Promise<{ readonly end: bigint; readonly last: bigint }> {
  const isWanted = ({ event }: AllStreamResolvedEvent) =>
    event !== undefined &&
    (to === undefined || event.position.commit <= to) &&
    prefixes.some(prefix => event.streamId.startsWith(prefix))
  let from: typeof END | Position = END
  let end: bigint | undefined
  for (let count = TAIL_EVENTS; ; count = Math.min(count * 4, 4_096)) {
    const events: AllStreamResolvedEvent[] = await collect(
      client.readAll({ direction: BACKWARDS, fromPosition: from, maxCount: count, deadline: CALL_TIMEOUT_MS }),
      signal,
    )
    end ??= events.length === 0 ? 0n : positionOf(events[0]!).commit
    const found = events.find(isWanted)
    if (found) return { end, last: found.event!.position.commit }
    if (events.length < count) return { end, last: 0n }
    from = positionOf(events.at(-1)!)
  }
}

const positionOf = ({ link, event }: AllStreamResolvedEvent): Position => (link ?? event)!.position

/** Opens one subscription that fills the buffer, slowing down when it is full. */
function subscribe({ url, client, prefixes, timeoutMs }: Source, buffer: EventBuffer, unparsed = false): () => void {
  const subscription = subscribeToAll({
    url,
    client,
    prefixes,
    after: buffer.open(),
    timeoutMs,
    unparsed,
    onMessage: (message, bytes) => {
      if (message.kind === 'event') return !buffer.push(message.event, bytes)
      if (message.kind === 'checkpoint') buffer.mark(message.position)
      else if (message.kind === 'caught-up') buffer.caughtUp()
      return true
    },
    onEnd: error => buffer.fail(error),
  })
  buffer.onRoom = subscription.resume
  return () => {
    buffer.onRoom = undefined
    subscription.close()
  }
}

const anyOf = (signal: AbortSignal | undefined, closing: AbortSignal): AbortSignal =>
  signal ? AbortSignal.any([signal, closing]) : closing

async function skipsOf(client: EventStoreDBClient, projection: string): Promise<ReadonlySet<bigint>> {
  const events = await collect(client.readStream(`projection-${projection}`, { deadline: CALL_TIMEOUT_MS })).catch(
    error => {
      if (error instanceof StreamNotFoundError) return []
      throw error
    },
  )
  const positions = events.flatMap(({ event }) => {
    const position = (event?.data as { position?: unknown } | undefined)?.position
    return event?.type === 'ProjectionEventSkipped' && typeof position === 'string' ? [BigInt(position)] : []
  })
  return new Set(positions)
}

async function collect<E>(reading: AsyncIterable<E> & { destroy: () => void }, signal?: AbortSignal): Promise<E[]> {
  const found: E[] = []
  const abort = () => reading.destroy()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const event of reading) found.push(event)
    return found
  } finally {
    signal?.removeEventListener('abort', abort)
    reading.destroy()
  }
}
