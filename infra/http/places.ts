/** Places for reads at work: so many in a process, fewer for one org, and a short queue that orgs share fairly. */
import type { Config } from '../config.ts'
import { ClientGone } from './body.ts'
import { httpError } from './errors.ts'

export type PlaceLimits = {
  /** Most reads at work at once. */
  readonly atOnce: number
  /** Most reads of one org at work at once: fewer than `atOnce`, so that no org takes all places. */
  readonly atOncePerOrg: number
  /** Most reads that wait for a place, and most that wait for a checkpoint. */
  readonly queue: number
  /** Most of either that are of one org. */
  readonly queuePerOrg: number
  /** Longest time that a read waits for a place. */
  readonly waitMsMax: number
}

/** What of a process one org may take unless a setting says it. */
const ORG_SHARE = 0.75
/** A queue that quick reads drain in a fraction of a second, while `waitMsMax` makes it short for slow ones. */
const QUEUE_FOR_EACH = 16

export const shareOf = (count: number) => Math.max(1, Math.floor(count * ORG_SHARE))

/** The limits that settings give: a read at work needs a connection, so there are no more than the pool has. */
export function placeLimits(
  config: Pick<Config, 'databasePoolSize' | 'readsAtOnce' | 'readsAtOncePerOrg' | 'readQueue' | 'readQueueMs'>,
): PlaceLimits {
  const atOnce = config.readsAtOnce ?? config.databasePoolSize
  const queue = config.readQueue ?? atOnce * QUEUE_FOR_EACH
  const atOncePerOrg = config.readsAtOncePerOrg ?? shareOf(atOnce)
  return { atOnce, atOncePerOrg, queue, queuePerOrg: shareOf(queue), waitMsMax: config.readQueueMs }
}

type Queued = {
  readonly admit: () => void
  readonly refuse: (error: Error) => void
  /** Asked when its turn comes: a listener for each read that waits would cost more than the reading. */
  readonly isGone: () => boolean
  /** Time at which it is refused, in ms since the epoch. */
  readonly until: number
}

/** How often the queues are looked through for those that have waited too long. */
const LOOK_MS = 50

/** What an org has taken. */
class Share {
  atWork = 0
  aside = 0
  returning = 0
  queue: Queued[] = []
}

/**
 * Admits reads. A read that finds no place waits in the queue of its org; orgs with a queue get free places in turns.
 * Where a queue is full or the wait too long the read is refused with `too_many_requests`, which costs next to nothing.
 */
export class Places {
  readonly #limits: PlaceLimits
  readonly #shares = new Map<string, Share>()
  /** The shares with a queue, the one whose turn it is first. */
  #turns: Share[] = []
  #atWork = 0
  #queued = 0
  #aside = 0
  /** Those in the queues that come back from a wait: they were counted with the waits already. */
  #returning = 0
  #isShut = false
  #timer: NodeJS.Timeout | undefined

  constructor(limits: PlaceLimits) {
    this.#limits = limits
  }

  get atWork(): number {
    return this.#atWork
  }

  get queued(): number {
    return this.#queued
  }

  /** Lets no read begin until `open`; those that come meanwhile queue. */
  shut(): void {
    this.#isShut = true
  }

  open(): void {
    this.#isShut = false
    this.#admitNext()
  }

  /** Takes a place, and waits for it in the queue. Throws `too_many_requests`, or `ClientGone` where `isGone`. */
  async enter(org: string, isGone: () => boolean): Promise<void> {
    const share = this.#shareOf(org)
    if (this.#isFree(share)) return this.#take(share)
    const { queue, queuePerOrg, waitMsMax } = this.#limits
    if (this.#queued - this.#returning >= queue || share.queue.length - share.returning >= queuePerOrg) {
      this.#forget(org, share)
      throw httpError('too_many_requests')
    }
    await new Promise<void>((admit, refuse) =>
      this.#add(share, { admit, refuse, isGone, until: Date.now() + waitMsMax }),
    )
  }

  /** Gives a place back. */
  leave(org: string): void {
    const share = this.#shareOf(org)
    this.#atWork -= 1
    share.atWork -= 1
    this.#admitNext()
    this.#forget(org, share)
  }

  /**
   * Runs a wait without the place, which it gives back before and takes again after it, however long that lasts: a read
   * that came so far is not refused any more. Throws `too_many_requests` where too many wait already.
   */
  async aside<T>(org: string, wait: () => Promise<T>): Promise<T> {
    const share = this.#shareOf(org)
    if (this.#aside >= this.#limits.queue || share.aside >= this.#limits.queuePerOrg) {
      throw httpError('too_many_requests')
    }
    this.#aside += 1
    share.aside += 1
    this.leave(org)
    try {
      return await wait()
    } finally {
      if (this.#isFree(share)) this.#take(share)
      else await this.#return(share)
      this.#aside -= 1
      share.aside -= 1
    }
  }

  async #return(share: Share): Promise<void> {
    this.#returning += 1
    share.returning += 1
    await new Promise<void>(admit =>
      this.#add(share, { admit, refuse: () => admit(), isGone: () => false, until: Number.POSITIVE_INFINITY }),
    )
    this.#returning -= 1
    share.returning -= 1
  }

  #shareOf(org: string): Share {
    const known = this.#shares.get(org)
    if (known) return known
    const share = new Share()
    this.#shares.set(org, share)
    return share
  }

  #forget(org: string, { atWork, aside, queue }: Share): void {
    if (atWork + aside + queue.length === 0) this.#shares.delete(org)
  }

  #isFree({ atWork, queue }: Share): boolean {
    const { atOnce, atOncePerOrg } = this.#limits
    return !this.#isShut && this.#atWork < atOnce && atWork < atOncePerOrg && queue.length === 0
  }

  #take(share: Share): void {
    this.#atWork += 1
    share.atWork += 1
  }

  #add(share: Share, queued: Queued): void {
    if (share.queue.length === 0) this.#turns.push(share)
    share.queue.push(queued)
    this.#queued += 1
    this.#timer ??= setInterval(() => this.#refuseLate(), Math.min(LOOK_MS, this.#limits.waitMsMax))
  }

  #refuseLate(): void {
    const now = Date.now()
    for (const [org, share] of this.#shares) {
      for (const queued of share.queue.filter(({ until, isGone }) => until <= now || isGone())) {
        this.#remove(share, queued)
        queued.refuse(queued.isGone() ? new ClientGone() : httpError('too_many_requests'))
      }
      this.#forget(org, share)
    }
    if (this.#queued > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #remove(share: Share, queued: Queued): void {
    share.queue = share.queue.filter(other => other !== queued)
    this.#queued -= 1
    if (share.queue.length === 0) this.#turns = this.#turns.filter(other => other !== share)
  }

  #admitNext(): void {
    const { atOnce, atOncePerOrg } = this.#limits
    while (!this.#isShut && this.#atWork < atOnce) {
      const at = this.#turns.findIndex(({ atWork }) => atWork < atOncePerOrg)
      if (at < 0) return
      const [share] = this.#turns.splice(at, 1) as [Share]
      const next = share.queue.shift()!
      this.#queued -= 1
      if (share.queue.length > 0) this.#turns.push(share)
      if (next.isGone()) {
        next.refuse(new ClientGone())
        continue
      }
      this.#take(share)
      next.admit()
    }
  }
}
