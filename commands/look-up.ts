/** What commands are decided on beside the state of their thing: an earlier event of it, or another thing. */
import { type AnyAggregate, type EventQuery, evolveWith } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import type { OtherThing } from '../domain/kernel/context.ts'
import type { StoredEvent } from '../domain/kernel/event.ts'
import type { Command } from './command.ts'
import { streamOf } from './ids.ts'
import type { EventStore } from './ports.ts'
import type { Streams } from './streams.ts'

type LookUpDeps = { readonly store: EventStore; readonly codec: EventCodec; readonly streams: Streams }

/** Events in one read, and how many of the last ones are looked through for an event of an unknown revision. */
const PAGE = 1_000
const LOOKED_THROUGH_MAX = 100_000

/** The command with the event that it is about, and the state of the other thing that it sees, where there are such. */
export async function withFound(deps: LookUpDeps, stream: string, command: Command): Promise<Command> {
  const { aggregate, name, body, principal } = command
  const query = aggregate.looksUp?.[name]?.(body)
  const event = query && (await lookUp(deps, stream, command, query))
  const other: OtherThing | undefined = aggregate.sees?.[name]?.(body)
  return {
    ...command,
    ...(event && { found: deps.codec.decode(event) }),
    ...(event && query.withBefore && { before: await stateIn(deps, aggregate, event.stream, event.revision) }),
    ...(other && { seen: await stateOf(deps, principal.org, other) }),
  }
}

/** The state of a thing, folded from the log: it is as new as the log, and no turn has to be waited for. */
const stateOf = (deps: LookUpDeps, org: string, { category, id }: OtherThing): Promise<unknown> =>
  stateIn(deps, deps.codec.aggregateOf(category), streamOf(org, category, id), NO_END)

const NO_END = 2n ** 63n

/** The state that the events of a stream before a revision lead to. */
async function stateIn({ store, codec }: LookUpDeps, aggregate: AnyAggregate, stream: string, end: bigint) {
  let state: unknown = aggregate.initial
  for (let from = 0n; from < end; from += BigInt(PAGE)) {
    const left = end - from
    const page = await store.read(stream, from, left < BigInt(PAGE) ? Number(left) : PAGE)
    state = page.reduce((before, event) => evolveWith(aggregate, before, codec.decode(event)), state)
    if (page.length < PAGE) break
  }
  return state
}

async function lookUp(
  { store, streams }: LookUpDeps,
  stream: string,
  { aggregate }: Command,
  { types, revision, is }: EventQuery,
): Promise<StoredEvent | undefined> {
  const isIt = (event: StoredEvent) => types.includes(event.type) && is(event.data)
  if (revision !== undefined) return (await store.read(stream, revision, 1)).find(isIt)
  const { loaded } = await streams.load(aggregate, stream)
  const last = loaded.revision
  // The loaded stream may lag behind the log: what is newer comes first.
  let newest: StoredEvent | undefined
  for (let from = last + 1n; ; ) {
    const page = await store.read(stream, from, PAGE)
    newest = page.findLast(isIt) ?? newest
    if (page.length < PAGE) break
    from += BigInt(page.length)
  }
  if (newest) return newest
  const first = last - BigInt(LOOKED_THROUGH_MAX)
  for (let end = last + 1n; end > 0n && end > first; ) {
    const from = end > BigInt(PAGE) ? end - BigInt(PAGE) : 0n
    const found = (await store.read(stream, from, Number(end - from))).findLast(isIt)
    if (found) return found
    end = from
  }
  return undefined
}
