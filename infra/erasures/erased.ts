/** Whose personal data the log says was erased. A database of keys that was restored may not know it any more. */
import { LRUCache } from 'lru-cache'
import { streamOf } from '../../commands/ids.ts'
import type { EventStore } from '../../commands/ports.ts'
import { erasure } from '../../domain/audit/erasure/erasure.ts'
import { thingOfKey } from '../../domain/record/subject.ts'

const ORGS_MAX = 10_000
const PAGE_EVENTS = 1_000
/** Time after which the log is asked again, by the next who wants to know. */
const FRESH_MS = 2_500
/** Time for which the last look counts while the log is away. */
const STALE_MS = 60_000

type Subjects = ReadonlySet<string>

export type Erased = {
  /**
   * The erased subjects of an org, as the log had them at most 2.5 seconds ago, or has them now, where that is asked
   * for. While the event store is away they are as they were, for a minute at most: then, and where those of now are
   * asked for, it throws `engine_unavailable`.
   */
  readonly of: (org: string, now?: 'now') => Promise<Subjects>
  /** How many persons are among them; things with keys of their own are none. */
  readonly people: (org: string) => Promise<number>
  /** How many there are in all, as the log has them now. */
  readonly count: (org: string) => Promise<number>
  /** Those that were read before. */
  readonly known: (org: string) => Subjects | undefined
}

const NEVER = Number.NEGATIVE_INFINITY

type Org = {
  readonly subjects: Set<string>
  people: number
  next: bigint
  readAt: number
  reading?: Promise<void> | undefined
}

/**
 * Reads the erasures of an org when they are first asked for, and later those that are new. `clock`: milliseconds that
 * only go forwards.
 */
export function erasedSubjects(store: Pick<EventStore, 'read'>, clock = () => performance.now()): Erased {
  const orgs = new LRUCache<string, Org>({ maxSize: ORGS_MAX, sizeCalculation: () => 1 })

  async function read(name: string, org: Org): Promise<void> {
    const stream = streamOf(name, erasure.name, erasure.only!)
    const started = clock()
    for (;;) {
      const events = await store.read(stream, org.next, PAGE_EVENTS)
      for (const { type, data, revision } of events) {
        org.next = revision + 1n
        if (type !== 'SubjectErased') continue
        const { subject } = data as { readonly subject: string }
        org.subjects.add(subject)
        if (!thingOfKey(subject)) org.people += 1
      }
      if (events.length < PAGE_EVENTS) break
    }
    org.readAt = started
  }

  const of = async (name: string, now?: 'now'): Promise<Org> => {
    const org = orgs.get(name) ?? { subjects: new Set(), people: 0, next: 0n, readAt: NEVER }
    if (org.readAt === NEVER) orgs.set(name, org)
    if (clock() - org.readAt < FRESH_MS && !now) return org
    if (now) await org.reading?.catch(() => {})
    org.reading ??= read(name, org).finally(() => {
      org.reading = undefined
    })
    try {
      await org.reading
    } catch (error) {
      if (now || clock() - org.readAt > STALE_MS) throw error
    }
    return org
  }

  return {
    count: async name => (await of(name, 'now')).subjects.size,
    of: async (...which) => (await of(...which)).subjects,
    people: async name => (await of(name)).people,
    known(name) {
      const org = orgs.peek(name)
      return org && org.readAt !== NEVER ? org.subjects : undefined
    },
  }
}
