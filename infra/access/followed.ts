/** States of one org that are folded from the log in the process that asks, and looked at again while they are used. */
import { LRUCache } from 'lru-cache'
import { streamOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { type AnyAggregate, evolveWith } from '../../domain/kernel/aggregate.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { codec } from '../catalogue.ts'
import { within } from '../within.ts'

const ORGS_MAX = 10_000
const PAGE_EVENTS = 1_000
/** Time after which the log is asked again, by the next request of the org: what another process wrote counts then. */
const FRESH_MS = 1_500
/** Time for which the last look counts while the log is away, where something can have been taken away. */
const STALE_MS = 5_000
/** Longest time that a request waits for a look that is not needed to answer it. */
const WAIT_MS = 500

type Log = Pick<EventStore, 'read'>

/** One org as it is known: the state is another object after each event. */
type Known<S> = {
  state: S
  readonly next: Record<string, bigint>
  readAt: number
  /** Changes by this process, and how many of them the last look has seen. */
  changes: number
  seen: number
  reading?: Promise<void> | undefined
}

/** Folds what one aggregate has new for an org into a state. */
export type ReadPart<S> = (
  aggregate: AnyAggregate,
  of: (state: S) => unknown,
  set: (state: S, part: unknown) => S,
) => Promise<void>

export type Followed<S> = {
  /** The state of an org where it is known well enough, without a wait. */
  readonly fresh: (org: string) => S | undefined
  /** The state as it was read last, however long ago; looks again where that has been a while, without a wait. */
  readonly known: (org: string) => S | undefined
  /**
   * The state as the log had it at most 1.5 seconds ago. While the log is away it is what it was; for five seconds
   * where something can be taken away, then this throws `engine_unavailable`.
   */
  readonly of: (org: string) => Promise<S>
  /** Looks again at the next request, because this process has changed something. */
  readonly changed: (org: string) => void
}

type Options<S> = {
  readonly initial: S
  /** Reads all parts that count, by `part`. */
  readonly read: (part: ReadPart<S>, state: () => S) => Promise<void>
  /** Whether a state has something that others can take away. */
  readonly canEnd: (state: S) => boolean
  readonly unavailable: string
  /** Milliseconds that only go forwards. */
  readonly clock?: (() => number) | undefined
}

export function followed<S>(store: Log, options: Options<S>): Followed<S> {
  const { initial, canEnd, unavailable, clock = () => performance.now() } = options
  const orgs = new LRUCache<string, Known<S>>({ maxSize: ORGS_MAX, sizeCalculation: () => 1 })

  const known = (org: string): Known<S> => {
    const before = orgs.get(org)
    if (before) return before
    const made: Known<S> = { state: initial, next: {}, readAt: Number.NEGATIVE_INFINITY, changes: 0, seen: 0 }
    orgs.set(org, made)
    return made
  }

  async function read(org: string, it: Known<S>, started: number): Promise<void> {
    const { changes } = it
    await options.read(
      (aggregate, of, set) => readPart(store, org, it, { aggregate, of, set }),
      () => it.state,
    )
    it.readAt = started
    it.seen = changes
  }

  function look(org: string, it: Known<S>): Promise<void> {
    it.reading ??= read(org, it, clock()).finally(() => {
      it.reading = undefined
    })
    return it.reading
  }

  const isFresh = (it: Known<S>) => it.seen === it.changes && clock() - it.readAt < FRESH_MS
  const asUnavailable = (error: unknown) =>
    error instanceof KogiError ? error : new KogiError('engine_unavailable', unavailable, [], { cause: error })

  return {
    fresh(org) {
      const it = orgs.get(org)
      return it && isFresh(it) ? it.state : undefined
    },
    known(org) {
      const it = known(org)
      if (!isFresh(it)) look(org, it).catch(() => {})
      return it.readAt === Number.NEGATIVE_INFINITY ? undefined : it.state
    },
    async of(org) {
      const it = known(org)
      // A look that began before the last change of this process may not have seen it.
      if (it.seen !== it.changes) await it.reading?.catch(() => {})
      if (isFresh(it)) return it.state
      const isKnown = it.readAt !== Number.NEGATIVE_INFINITY
      const isStale = canEnd(it.state) && clock() - it.readAt > STALE_MS
      const needed = !isKnown || isStale || it.seen !== it.changes
      try {
        const looking = look(org, it)
        await (needed ? looking : within(WAIT_MS, looking, () => new Error('the log takes its time')))
      } catch (error) {
        if (needed) throw asUnavailable(error)
      }
      return it.state
    },
    changed(org) {
      const it = orgs.get(org)
      if (it) it.changes += 1
    },
  }
}

type Part<S> = {
  readonly aggregate: AnyAggregate
  readonly of: (state: S) => unknown
  readonly set: (state: S, part: unknown) => S
}

async function readPart<S>(store: Log, org: string, it: Known<S>, { aggregate, of, set }: Part<S>): Promise<void> {
  const { name } = aggregate
  for (;;) {
    const events = await store.read(streamOf(org, name, aggregate.only!), it.next[name] ?? 0n, PAGE_EVENTS)
    if (events.length === 0) return
    const part = events.reduce(
      (before: unknown, event) => evolveWith(aggregate, before, codec.decode(event)),
      of(it.state),
    )
    it.state = set(it.state, part)
    it.next[name] = events.at(-1)!.revision + 1n
    if (events.length < PAGE_EVENTS) return
  }
}
