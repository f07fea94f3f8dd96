/** Commands about an earlier event of their thing: it is found in the log, because states do not hold events. */
import type { EventQuery } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import type { StoredEvent } from '../domain/kernel/event.ts'
import type { Command } from './command.ts'
import type { EventStore } from './ports.ts'
import type { Streams } from './streams.ts'

type LookUpDeps = { readonly store: EventStore; readonly codec: EventCodec; readonly streams: Streams }

/** Events in one read, and how many of the last ones are looked through for an event of an unknown revision. */
const PAGE = 1_000
const LOOKED_THROUGH_MAX = 100_000

/** The command with the event that it is about, where it is about one and the log has it. */
export async function withFound(deps: LookUpDeps, stream: string, command: Command): Promise<Command> {
  const queryOf = command.aggregate.looksUp?.[command.name]
  if (!queryOf) return command
  const event = await lookUp(deps, stream, command, queryOf(command.body))
  return event ? { ...command, found: deps.codec.decode(event) } : command
}

async function lookUp(
  { store, streams }: LookUpDeps,
  stream: string,
  { aggregate }: Command,
  { type, revision, is }: EventQuery,
): Promise<StoredEvent | undefined> {
  const isIt = (event: StoredEvent) => event.type === type && is(event.data)
  if (revision !== undefined) return (await store.read(stream, revision, 1)).find(isIt)
  const { loaded } = await streams.load(aggregate, stream)
  const last = loaded.revision
  // The loaded stream may lag behind the log: what is newer comes first.
  for (let from = last + 1n; ; ) {
    const page = await store.read(stream, from, PAGE)
    const found = page.find(isIt)
    if (found || page.length < PAGE) {
      if (found) return found
      break
    }
    from += BigInt(page.length)
  }
  const first = last - BigInt(LOOKED_THROUGH_MAX)
  for (let end = last + 1n; end > 0n && end > first; ) {
    const from = end > BigInt(PAGE) ? end - BigInt(PAGE) : 0n
    const found = (await store.read(stream, from, Number(end - from))).find(isIt)
    if (found) return found
    end = from
  }
  return undefined
}
