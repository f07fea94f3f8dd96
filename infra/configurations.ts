/** Settings, flags, quotas and maintenance as the log has them: folded in the process that asks. */
import { LRUCache } from 'lru-cache'
import { streamOf } from '../commands/ids.ts'
import type { EventStore } from '../commands/ports.ts'
import { type AnyAggregate, evolveWith } from '../domain/kernel/aggregate.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import type { DomainEvent } from '../domain/kernel/event.ts'
import { type Platform, platform, quotaOf } from '../domain/platform/platform/platform.ts'
import { PLATFORM_ORG } from '../domain/record/installation.ts'
import { type Configuration, configuration, ownValues } from '../domain/settings/configuration/configuration.ts'
import type { Moment, SettingsDeps } from '../read-api/settings/routes.ts'
import { codec } from './catalogue.ts'

const STREAMS_MAX = 10_000
const PAGE_EVENTS = 1_000
/** Time after which the log is asked again, by the next request: what another process wrote counts then. */
const FRESH_MS = 1_500

type Log = Pick<EventStore, 'read'>
type Found<S> = S | Promise<S>

export type Configurations = {
  /** What operators say, as the log had it at most 1.5 seconds ago, or as it was known last while the log is away. */
  readonly platform: () => Found<Platform>
  /** Looks again at the next request, because this process has changed something. */
  readonly changed: (category: string, org: string) => void
} & Pick<SettingsDeps, 'values' | 'flags' | 'limit' | 'notices' | 'acts'>

/** `clock`: milliseconds that only go forwards. */
export function configurations(store: Log, clock = () => performance.now()): Configurations {
  const { stateOf, changed } = followed(store, clock)
  const ofPlatform = () => stateOf<Platform>(platform, PLATFORM_ORG)
  const ofOrg = (org: string) => stateOf<Configuration>(configuration, org)
  return {
    platform: ofPlatform,
    changed,
    async values({ org, user }, then) {
      const [said, own] = then
        ? [
            await stateAt<Platform>(store, platform, PLATFORM_ORG, then),
            await stateAt<Configuration>(store, configuration, org, then),
          ]
        : [await ofPlatform(), await ofOrg(org)]
      return { platform: said.values, organization: own.values, user: ownValues(own, user) }
    },
    flags: async org => ({ organization: (await ofOrg(org)).flags, platform: (await ofPlatform()).flags }),
    limit: async (org, quota) => quotaOf(await ofPlatform(), org, quota),
    notices: async () => (await ofPlatform()) as Awaited<ReturnType<SettingsDeps['notices']>>,
    acts: () => eventsOf(store, platform, PLATFORM_ORG),
  }
}

/** One stream as far as it was read. */
type Known = {
  state: unknown
  next: bigint
  readAt: number
  /** Changes by this process, and how many of them the last look has seen. */
  changes: number
  seen: number
  reading?: Promise<void> | undefined
}

/** States of aggregates of which an org has one, each read on from where it was read to. */
function followed(store: Log, clock: () => number) {
  const all = new LRUCache<string, Known>({ maxSize: STREAMS_MAX, sizeCalculation: () => 1 })

  async function look(stream: string, aggregate: AnyAggregate, it: Known): Promise<void> {
    const [started, { changes }] = [clock(), it]
    for (;;) {
      const events = await store.read(stream, it.next, PAGE_EVENTS)
      for (const event of events) it.state = evolveWith(aggregate, it.state, codec.decode(event))
      if (events.length > 0) it.next = events.at(-1)!.revision + 1n
      if (events.length < PAGE_EVENTS) break
    }
    it.readAt = started
    it.seen = changes
  }

  /** A look that began before the last change of this process may not have seen it: another one follows. */
  async function looked(stream: string, aggregate: AnyAggregate, it: Known): Promise<void> {
    if (it.seen !== it.changes) await it.reading
    it.reading ??= look(stream, aggregate, it)
      .catch(error => {
        if (!(error instanceof KogiError)) throw error
      })
      .finally(() => {
        it.reading = undefined
      })
    await it.reading
  }

  return {
    stateOf<S>(aggregate: AnyAggregate, org: string): Found<S> {
      const stream = streamOf(org, aggregate.name, aggregate.only!)
      const start = { next: 0n, readAt: Number.NEGATIVE_INFINITY, changes: 0, seen: 0 }
      const it = all.get(stream) ?? { state: aggregate.initial, ...start }
      if (it.readAt === Number.NEGATIVE_INFINITY) all.set(stream, it)
      if (it.seen === it.changes && clock() - it.readAt < FRESH_MS) return it.state as S
      return looked(stream, aggregate, it).then(() => it.state as S)
    },
    changed(category: string, org: string): void {
      const it = all.get(streamOf(org, category, category))
      if (it) it.changes += 1
    },
  }
}

async function eventsOf(store: Log, aggregate: AnyAggregate, org: string): Promise<readonly DomainEvent[]> {
  const stream = streamOf(org, aggregate.name, aggregate.only!)
  const found: DomainEvent[] = []
  for (;;) {
    const page = await store.read(stream, BigInt(found.length), PAGE_EVENTS)
    found.push(...page.map(event => codec.decode(event)))
    if (page.length < PAGE_EVENTS) return found
  }
}

/** What was said up to a moment. */
async function stateAt<S>(store: Log, aggregate: AnyAggregate, org: string, then: Moment): Promise<S> {
  const isThen = ({ metadata, position }: DomainEvent) =>
    'position' in then ? position <= then.position : metadata.at <= then.instant
  const events = (await eventsOf(store, aggregate, org)).filter(isThen)
  return events.reduce<unknown>((state, event) => evolveWith(aggregate, state, event), aggregate.initial) as S
}
