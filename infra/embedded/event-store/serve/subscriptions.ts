/**
 * Serves subscriptions. A subscription reads the log by position from where it stopped, first what is stored and then,
 * woken by each commit, what is new. Stored and live events take the same path, so there is no hand-over at which one
 * could be lost or doubled, and a slow client costs no memory: what it has not taken stays on disk.
 */
import { randomUUID } from 'node:crypto'
import { Status } from '../../../wire/grpc.ts'
import type { Store } from '../log/store.ts'
import type { Call } from '../wire/call.ts'
import { GrpcError } from '../wire/grpc-error.ts'
import type { ReadRequest } from '../wire/read-request.ts'
import { CAUGHT_UP, confirmation, FELL_BEHIND } from '../wire/responses.ts'
import type { Committer } from '../write/committer.ts'
import { allFeed, StreamFeed } from './feeds.ts'
import { Outlet } from './outlet.ts'

/** A live subscriber that takes nothing for so long gets the message that it fell behind. */
const FELL_BEHIND_MS = 1000
/** A live subscriber that takes nothing for so long is ended; it loses nothing, for it knows its last position. */
const TOO_SLOW_MS = 10_000

/** What the subscriptions of one server share. */
export type LiveStore = {
  readonly store: Store
  readonly committer: Committer
}

export async function subscribe(call: Call, { store, committer }: LiveStore, request: ReadRequest): Promise<void> {
  const feed = request.stream === undefined ? allFeed(store, request) : new StreamFeed(store, request.stream, request)
  const outlet = new Outlet(call, store, request)
  const bell = new Bell(committer, request.stream)
  call.onClose = () => bell.close()
  outlet.message(confirmation(randomUUID()))
  let isLive = false
  while (!call.isOver) {
    bell.reset()
    const isAtEnd = await feed.pull(outlet, isLive)
    if (call.isOver) break
    if (!isLive && isAtEnd && feed.isCaughtUp) {
      isLive = true
      outlet.message(CAUGHT_UP)
    }
    void outlet.flush()
    if (isLive && (await fellBehind(call))) {
      outlet.message(FELL_BEHIND)
      isLive = false
    } else if (isAtEnd) await bell.rung()
  }
}

/** Waits for a client that is behind; true when it took long, and an error when it took too long. */
async function fellBehind(call: Call): Promise<boolean> {
  if (!call.isBehind) return false
  let timer: NodeJS.Timeout | undefined
  const since = Date.now()
  const patience = new Promise<'late'>(resolve => {
    timer = setTimeout(() => resolve('late'), TOO_SLOW_MS)
  })
  const outcome = await Promise.race([call.drained(), patience])
  clearTimeout(timer)
  if (outcome === 'late')
    throw new GrpcError(
      Status.aborted,
      'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
    )
  return Date.now() - since > FELL_BEHIND_MS
}

/** Rings when a commit brought events that the subscription may want. */
class Bell {
  readonly close: () => void
  #ring: () => void = () => {}
  #ringing = Promise.resolve()

  /** Without a stream every commit rings. */
  constructor(committer: Committer, stream: string | undefined) {
    const stop = committer.onCommit(touched => {
      if (stream === undefined || touched.has(stream)) this.#ring()
    })
    this.close = () => {
      stop()
      this.#ring()
    }
  }

  /** Begins to listen; called before the log is read, so that a commit meanwhile is not missed. */
  reset(): void {
    this.#ringing = new Promise(resolve => {
      this.#ring = resolve
    })
  }

  /** Resolves at the first ring since `reset`. */
  rung(): Promise<void> {
    return this.#ringing
  }
}
