import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { holdServed } from '../projections/ownership/serving.ts'
import { CHECKPOINT_CHANNEL } from '../projections/ownership/tables.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'
import { Waker } from '../projections/waker.ts'

/** How often a waiting read looks by itself: rarely while announcements come, often while there are none. */
const POLL_MS_LISTENING = 250
const POLL_MS_DEAF = 50
const RECONNECT_MS = 1_000
/** A replica refuses to listen until it is made the primary. */
const REPLICA_RETRY_MS = 60_000
/** A position beyond every one that is waited for. */
const FURTHEST = 2n ** 64n
/** SQLSTATE of a statement that a replica refuses. */
const READ_ONLY = '25006'

/** Announcements of moving checkpoints. A missed one costs time, never correctness: every wait ends by itself. */
export type CheckpointSignal = {
  /** A number to take before a read, so that an announcement between the read and the wait is not lost. */
  readonly ticket: () => number
  /** Whether announcements are heard at the moment; while they are not, waits end by themselves, soon. */
  readonly isListening: () => boolean
  /** Resolves when a checkpoint at or beyond `position` may have moved since `ticket`, and after `ms` at the latest. */
  readonly moved: (position: bigint, ticket: number, ms: number, abort: AbortSignal) => Promise<void>
  /**
   * Resolves when any checkpoint has moved since `ticket`, or announcements have begun or ceased to be heard, and after
   * `ms` at the latest. It looks at nothing by itself: what rests costs nothing.
   */
  readonly changed: (ticket: number, ms: number, abort: AbortSignal) => Promise<void>
  readonly close: () => Promise<void>
}

/** For who reads without waiting for a position: nobody listens. */
export const noSignal: CheckpointSignal = {
  ticket: () => 0,
  isListening: () => false,
  moved: async (_, __, ms) => void (await sleep(ms)),
  changed: async (_, ms) => void (await sleep(ms)),
  close: async () => {},
}

type Waiting = { readonly position: bigint; readonly waker: Waker }

/**
 * Listens on one connection for all waiting reads of the process. `connect` gives a connected client of its own (not of
 * the pool, and not through a pooler that hands connections out per transaction); while there is none, reads poll.
 */
export function followCheckpoints(options: {
  connect: () => Promise<Client>
  /** The projections that the process reads: while it listens, their tables are not dropped. */
  serves: readonly AnyProjection[]
  onFault?: (error: unknown) => void
}): CheckpointSignal {
  const { connect, serves, onFault = () => {} } = options
  const waiting = new Set<Waiting>()
  const closing = new AbortController()
  let heard = 0
  let listening = false

  const wakeUpTo = (position: bigint) => {
    heard += 1
    for (const { position: wanted, waker } of waiting) if (wanted <= position) waker.wake()
  }
  const onListening = (now: boolean) => {
    listening = now
    // What was announced while nobody listened is not known.
    wakeUpTo(FURTHEST)
  }
  const wait = async (position: bigint, ms: number, abort: AbortSignal) => {
    const own = { position, waker: new Waker() }
    waiting.add(own)
    await own.waker.wait(ms, abort)
    waiting.delete(own)
  }
  async function listenForEver(): Promise<void> {
    while (!closing.signal.aborted) {
      let pauseMs = RECONNECT_MS
      await listenUntilItEnds({ connect, serves, wakeUpTo, onListening, closing: closing.signal }).catch(error => {
        if ((error as { code?: unknown }).code === READ_ONLY) pauseMs = REPLICA_RETRY_MS
        onFault(error)
      })
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {})
    }
  }
  const running = listenForEver()

  return {
    ticket: () => heard,
    isListening: () => listening,
    async moved(position, ticket, ms, abort) {
      if (ticket !== heard) return
      await wait(position, Math.min(ms, listening ? POLL_MS_LISTENING : POLL_MS_DEAF), abort)
    },
    async changed(ticket, ms, abort) {
      if (ticket === heard) await wait(0n, ms, abort)
    },
    async close() {
      closing.abort()
      for (const { waker } of waiting) waker.wake()
      await running
    },
  }
}

/** Listens on one connection until that breaks, which it throws, or until `closing`. */
async function listenUntilItEnds(options: {
  connect: () => Promise<Client>
  serves: readonly AnyProjection[]
  wakeUpTo: (position: bigint) => void
  onListening: (listening: boolean) => void
  closing: AbortSignal
}): Promise<void> {
  const { connect, serves, wakeUpTo, onListening, closing } = options
  const client = await connect()
  const ended = new Promise<Error | undefined>(resolve => {
    client.on('error', resolve)
    client.once('end', () => resolve(new Error('the database ended the connection')))
    closing.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  try {
    client.on('notification', ({ payload = '' }) => {
      if (/^\d{1,20}$/.test(payload)) wakeUpTo(BigInt(payload))
    })
    await holdServed(client, serves)
    await client.query(`listen ${CHECKPOINT_CHANNEL}`)
    onListening(true)
    const fault = await (closing.aborted ? undefined : ended)
    if (fault) throw fault
  } finally {
    onListening(false)
    await client.end().catch(() => {})
  }
}
