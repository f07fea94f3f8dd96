/** What commands are decided on beside the state of their thing: an earlier event of it, or another thing. */
import { type AnyAggregate, type EventQuery, evolveWith } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import type { Context, OtherThing } from '../domain/kernel/context.ts'
import type { StoredEvent } from '../domain/kernel/event.ts'
import type { Command } from './command.ts'
import type { Draft } from './draft.ts'
import { streamOf } from './ids.ts'
import type { EventStore } from './ports.ts'
import type { Streams } from './streams.ts'

type LookUpDeps = { readonly store: EventStore; readonly codec: EventCodec; readonly streams: Streams }

/** Events in one read, and how many of the last ones are looked through for an event of an unknown revision. */
const PAGE = 1_000
const LOOKED_THROUGH_MAX = 100_000

/** What a command looks at before its turn: an earlier event, another thing, or both. */
type Looks = { readonly query: EventQuery | undefined; readonly other: OtherThing | undefined }

/** What a command looks at, `undefined` where that is nothing. */
export function looksOf({ aggregate, name, body }: Pick<Command, 'aggregate' | 'name' | 'body'>): Looks | undefined {
  const query: EventQuery | undefined = aggregate.looksUp?.[name]?.(body)
  const other: OtherThing | undefined = aggregate.sees?.[name]?.(body)
  return query || other ? { query, other } : undefined
}

/** The command with the event that it is about, and the state of the other thing that it sees, where there are such. */
export async function withFound(
  deps: LookUpDeps,
  stream: string,
  command: Command,
  { query, other }: Looks,
): Promise<Command> {
  const { event, upTo } = query ? await lookUp(deps, stream, command, query) : {}
  return {
    ...(await about(deps, command, event, query)),
    ...(upTo !== undefined && { lookedUpTo: upTo }),
    ...(other && { seen: await stateOf(deps, command.principal.org, other) }),
  }
}

/** Whether a command is about an event of a draft, which is looked for in the log once it is there. */
export function isAbout(
  { aggregate, name, body, lookedUpTo, dryRun }: Command,
  { events }: Pick<Draft, 'events'>,
): boolean {
  if (lookedUpTo === undefined || dryRun || events.length === 0) return false
  const query = aggregate.looksUp![name]!(body)
  return events.some(({ event }) => isIt(query)(event as Pick<StoredEvent, 'type' | 'data'>))
}

/** The command with the event that it is about, where one came after its look and before a draft. */
export async function withNews(
  deps: LookUpDeps,
  command: Command,
  { stream, before }: Pick<Draft, 'stream' | 'before'>,
): Promise<Command> {
  const { aggregate, name, body, lookedUpTo } = command
  if (lookedUpTo === undefined || before.revision <= lookedUpTo) return command
  const query = aggregate.looksUp![name]!(body)
  const { event } = await newestBehind(deps, stream, lookedUpTo, query)
  return about(deps, command, event, query)
}

async function about(
  deps: LookUpDeps,
  command: Command,
  event: StoredEvent | undefined,
  query: EventQuery | undefined,
): Promise<Command> {
  if (!event) return command
  const before = query?.withBefore && (await stateIn(deps, command.aggregate, event.stream, event.revision))
  return { ...command, found: deps.codec.decode(event), ...(query?.withBefore && { before }) }
}

/** A thing that is changed: its state, and the command that changes it. */
type Changed = Pick<Command, 'aggregate' | 'id' | 'body'> & { readonly state: unknown }

/**
 * Asks the things that a changed one is a part of whether the caller may do that. Throws the `Rejection` of the first
 * that says no.
 */
export async function askGuards(deps: LookUpDeps, changed: Changed, context: Context): Promise<void> {
  const { aggregate, id, body, state } = changed
  const { partOf } = aggregate as AnyAggregate
  for (const whole of partOf?.of(state, body as Readonly<Record<string, unknown>>, id) ?? []) {
    const above = {
      aggregate: deps.codec.aggregateOf(whole.category),
      id: whole.id,
      body: {},
      state: await stateOf(deps, context.org, whole),
    }
    above.aggregate.guard?.(above.state, context)
    await askGuards(deps, above, context)
  }
}

/**
 * The state of a thing, as new as the log: that of the cache with what follows in the log. No turn is waited for, and
 * the cached stream stays as it is, because a command may be decided on it at the same time.
 */
async function stateOf(deps: LookUpDeps, org: string, { category, id }: OtherThing): Promise<unknown> {
  const aggregate = deps.codec.aggregateOf(category)
  const stream = streamOf(org, category, id)
  const { loaded, fresh } = await deps.streams.load(aggregate, stream)
  const { state, revision } = loaded
  if (fresh) return state
  try {
    return await stateIn(deps, aggregate, stream, NO_END, { state, revision })
  } catch {
    // An event that cannot be read may have been skipped, which a whole load knows.
    deps.streams.forget(stream)
    return (await deps.streams.load(aggregate, stream)).loaded.state
  }
}

const NO_END = 2n ** 63n

/** The state that the events of a stream before a revision lead to, all of them or those after a known state. */
async function stateIn(
  { store, codec }: LookUpDeps,
  aggregate: AnyAggregate,
  stream: string,
  end: bigint,
  known = { state: aggregate.initial as unknown, revision: -1n },
) {
  let { state } = known
  for (let from = known.revision + 1n; from < end; from += BigInt(PAGE)) {
    const left = end - from
    const page = await store.read(stream, from, left < BigInt(PAGE) ? Number(left) : PAGE)
    state = page.reduce((before, event) => evolveWith(aggregate, before, codec.decode(event)), state)
    if (page.length < PAGE) break
  }
  return state
}

/** The event, and the last revision up to which it was looked for where its own is not known. */
type Look = { readonly event?: StoredEvent | undefined; readonly upTo?: bigint }

const isIt =
  ({ types, is }: EventQuery) =>
  ({ type, data }: Pick<StoredEvent, 'type' | 'data'>): boolean =>
    types.includes(type) && is(data)

async function lookUp(deps: LookUpDeps, stream: string, { aggregate }: Command, query: EventQuery): Promise<Look> {
  const { store, streams } = deps
  if (query.revision !== undefined) return { event: (await store.read(stream, query.revision, 1)).find(isIt(query)) }
  const { loaded } = await streams.load(aggregate, stream)
  const last = loaded.revision
  // The loaded stream may lag behind the log: what is newer comes first.
  const { event: newest, upTo } = await newestBehind(deps, stream, last, query)
  if (newest) return { event: newest, upTo }
  const first = last - BigInt(LOOKED_THROUGH_MAX)
  for (let end = last + 1n; end > 0n && end > first; ) {
    const from = end > BigInt(PAGE) ? end - BigInt(PAGE) : 0n
    const event = (await store.read(stream, from, Number(end - from))).findLast(isIt(query))
    if (event) return { event, upTo }
    end = from
  }
  return { upTo }
}

/** The last event of a query behind a revision, and the last revision that there is. */
async function newestBehind({ store }: LookUpDeps, stream: string, revision: bigint, query: EventQuery) {
  let event: StoredEvent | undefined
  for (let upTo = revision; ; ) {
    const page = await store.read(stream, upTo + 1n, PAGE)
    event = page.findLast(isIt(query)) ?? event
    upTo += BigInt(page.length)
    if (page.length < PAGE) return { event, upTo }
  }
}
