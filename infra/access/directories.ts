/** The directories of organizations, as the log has them. */
import { LRUCache } from 'lru-cache'
import { streamOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { type Directory, emptyDirectory, partsOfDirectory } from '../../domain/identity/access.ts'
import { type AnyAggregate, evolveWith } from '../../domain/kernel/aggregate.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { codec } from '../catalogue.ts'
import { within } from '../within.ts'

const ORGS_MAX = 10_000
const PAGE_EVENTS = 1_000
/** Time after which the log is asked again, by the next request of the org: what another process wrote counts then. */
const FRESH_MS = 1_500
/** Time for which the last look counts while the log is away, where the organization was founded. */
const STALE_MS = 5_000
/** Longest time that a request waits for a look that is not needed to answer it. */
const WAIT_MS = 500

type Log = Pick<EventStore, 'read'>

/** One org as it is known: the directory is another object after each event. */
type Known = {
  directory: Directory
  readonly next: Record<string, bigint>
  readAt: number
  /** Changes by this process, and how many of them the last look has seen. */
  changes: number
  seen: number
  reading?: Promise<void> | undefined
}

export type Directories = {
  /** The directory of an org where it is known well enough, without a wait. */
  readonly fresh: (org: string) => Directory | undefined
  /**
   * The directory as the log had it at most 1.5 seconds ago. While the log is away, that of an org without an
   * organization is what it was; of another one for five seconds, then it throws `engine_unavailable`, so that nothing
   * that was taken away is allowed for longer.
   */
  readonly of: (org: string) => Promise<Directory>
  /** Looks again at the next request, because this process has changed something. */
  readonly changed: (org: string) => void
}

/** `clock`: milliseconds that only go forwards. */
export function directories(store: Log, clock = () => performance.now()): Directories {
  const orgs = new LRUCache<string, Known>({ maxSize: ORGS_MAX, sizeCalculation: () => 1 })

  const known = (org: string): Known => {
    const before = orgs.get(org)
    if (before) return before
    const made: Known = { directory: emptyDirectory, next: {}, readAt: Number.NEGATIVE_INFINITY, changes: 0, seen: 0 }
    orgs.set(org, made)
    return made
  }

  function look(org: string, it: Known): Promise<void> {
    it.reading ??= read(store, org, it, clock()).finally(() => {
      it.reading = undefined
    })
    return it.reading
  }

  const isFresh = (it: Known) => it.seen === it.changes && clock() - it.readAt < FRESH_MS

  return {
    fresh(org) {
      const it = orgs.get(org)
      return it && isFresh(it) ? it.directory : undefined
    },
    async of(org) {
      const it = known(org)
      // A look that began before the last change of this process may not have seen it.
      if (it.seen !== it.changes) await it.reading?.catch(() => {})
      if (isFresh(it)) return it.directory
      const isKnown = it.readAt !== Number.NEGATIVE_INFINITY
      const isStale = it.directory.organization.status === 'founded' && clock() - it.readAt > STALE_MS
      const needed = !isKnown || isStale || it.seen !== it.changes
      try {
        const looking = look(org, it)
        await (needed ? looking : within(WAIT_MS, looking, () => new Error('the log takes its time')))
      } catch (error) {
        if (needed) throw asUnavailable(error)
      }
      return it.directory
    },
    changed(org) {
      const it = orgs.get(org)
      if (it) it.changes += 1
    },
  }
}

async function readPart(store: Log, org: string, it: Known, aggregate: AnyAggregate): Promise<void> {
  const name = aggregate.name as keyof Directory
  for (;;) {
    const from = it.next[name] ?? 0n
    const events = await store.read(streamOf(org, name, aggregate.only!), from, PAGE_EVENTS)
    if (events.length === 0) return
    const state = events.reduce(
      (before: unknown, event) => evolveWith(aggregate, before, codec.decode(event)),
      it.directory[name],
    )
    it.directory = { ...it.directory, [name]: state }
    it.next[name] = events.at(-1)!.revision + 1n
    if (events.length < PAGE_EVENTS) return
  }
}

/** An org that is no organization has one empty stream to look at; the other parts count for nothing there. */
async function read(store: Log, org: string, it: Known, started: number): Promise<void> {
  const { changes } = it
  const [first, ...rest] = partsOfDirectory
  await readPart(store, org, it, first)
  if (it.directory.organization.status === 'founded')
    await Promise.all(rest.map(part => readPart(store, org, it, part)))
  it.readAt = started
  it.seen = changes
}

const asUnavailable = (error: unknown) =>
  error instanceof KogiError
    ? error
    : new KogiError('engine_unavailable', 'Who may do what cannot be read at the moment.', [], { cause: error })
