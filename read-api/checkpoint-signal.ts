import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from 'pg'
import { holdServed } from '../projections/ownership/serving.ts'
import { CHECKPOINT_CHANNEL } from '../projections/ownership/tables.ts'
import type { AnyProjection } from '../projections/rows/projection.ts'

/** How often a waiting read looks for itself: rarely while it is told, often while nobody tells it. */
const POLL_MS_LISTENING = 250
const POLL_MS_DEAF = 50
const RECONNECT_MS = 1_000
/** A replica does not let anybody listen, until it is made the primary. */
const REPLICA_RETRY_MS = 60_000
const READ_ONLY = '25006'

/** Word of moving checkpoints. Missing word costs time, never correctness: every wait ends by itself. */
export type CheckpointSignal = {
  /** A number to take before a read: word that comes between that and the wait is not lost. */
  readonly ticket: () => number
  /** Resolves when a checkpoint at or beyond `position` may have moved since `ticket`, and after `ms` at the latest. */
  readonly moved: (position: bigint, ticket: number, ms: number, abort: AbortSignal) => Promise<void>
  readonly close: () => Promise<void>
}

type Waiter = { readonly position: bigint; readonly wake: () => void }

/**
 * Listens on one connection for all waiting reads of the process. `connect` gives a connected client of its own (not of
 * the pool, and not through a pooler that hands connections out per transaction); while there is none, reads poll.
 */
export function followCheckpoints(options: {
  connect: () => Promise<Client>
  /** What the process reads: while it listens, nobody drops their tables. */
  serves: readonly AnyProjection[]
  onFault?: (error: unknown) => void
}): CheckpointSignal {
  const { connect, serves, onFault = () => {} } = options
  const waiters = new Set<Waiter>()
  const closing = new AbortController()
  let heard = 0
  let listening = false

  const wakeUpTo = (position: bigint) => {
    heard += 1
    for (const waiter of waiters) if (waiter.position <= position) waiter.wake()
  }
  const onListening = (now: boolean) => {
    listening = now
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
    moved: (position, ticket, ms, abort) =>
      new Promise(resolve => {
        if (ticket !== heard || abort.aborted) return resolve()
        const wake = () => {
          waiters.delete(waiter)
          clearTimeout(timer)
          abort.removeEventListener('abort', wake)
          resolve()
        }
        const waiter = { position, wake }
        const timer = setTimeout(wake, Math.min(ms, listening ? POLL_MS_LISTENING : POLL_MS_DEAF))
        waiters.add(waiter)
        abort.addEventListener('abort', wake, { once: true })
      }),
    async close() {
      closing.abort()
      for (const { wake } of waiters) wake()
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
