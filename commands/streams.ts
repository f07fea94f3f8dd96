/**
 * What the write path knows of a stream: its state, and which commands it holds. Loaded streams are cached; a long one
 * is loaded from a snapshot and the blocks of command ids written with it, both derived from the log and disposable.
 */
import { setImmediate } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { type AnyAggregate, evolveWith } from '../domain/kernel/aggregate.ts'
import type { EventCodec } from '../domain/kernel/codec.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import type { DomainEvent, StoredEvent } from '../domain/kernel/event.ts'
import { uuidOf } from './ids.ts'
import type { EventStore, UnskippedBy } from './ports.ts'
import { derived, readSnapshot, saveSnapshot } from './snapshot.ts'

/** Revisions between two snapshots: a cold load reads at most about twice as many events. */
export const SNAPSHOT_EVERY = 500
/** Streams kept in memory, and command ids kept over all of them: some 200 MB at most. */
const CACHED_STREAMS_MAX = 20_000
const CACHED_COMMANDS_MAX = 2_000_000
/** What a stream counts for at least; a cache with a bound on its number of entries makes room for all at once. */
const COMMANDS_MIN = CACHED_COMMANDS_MAX / CACHED_STREAMS_MAX
const PAGE = 4096
const HASH_BYTES = 8
/** Time after which reading a stream gives the event loop back. */
const SLICE_MS = 5
/** Keeps a block below the log's limit of 1 MiB for one append. */
const IDS_PER_BLOCK = 100_000

/** The commands of a stream: 48 bits of each id name the revisions that may hold it; the event there decides. */
class CommandIndex {
  readonly #revisions = new Map<number, number | number[]>()
  readonly #hashes: string[] = []

  get size(): number {
    return this.#hashes.length
  }

  /** Adds the command of the next revision. `hash` is 16 hexadecimal digits. */
  add(hash: string): void {
    const revision = this.#hashes.push(hash) - 1
    const short = shorten(hash)
    const known = this.#revisions.get(short)
    if (known === undefined) this.#revisions.set(short, revision)
    else if (typeof known === 'number') this.#revisions.set(short, [known, revision])
    else known.push(revision)
  }

  /** Runs of revisions whose command may be this one, oldest first: a command's events stand side by side. */
  candidates(commandId: string): readonly { readonly from: number; readonly count: number }[] {
    const known = this.#revisions.get(shorten(hashOf(commandId)))
    if (known === undefined) return NO_RUNS
    const runs: { from: number; count: number }[] = []
    for (const revision of typeof known === 'number' ? [known] : known) {
      const last = runs.at(-1)
      if (last && last.from + last.count === revision) last.count++
      else runs.push({ from: revision, count: 1 })
    }
    return runs
  }

  /** The hashes of the revisions `from` to before `to`, 8 bytes each. */
  bytes(from: number, to: number): Buffer {
    return Buffer.from(this.#hashes.slice(from, to).join(''), 'hex')
  }
}

const NO_RUNS: readonly [] = []

/** The first 16 digits of a UUID, without its dashes. */
const hashOf = (commandId: string) => commandId.slice(0, 8) + commandId.slice(9, 13) + commandId.slice(14, 18)
const shorten = (hash: string) => Number.parseInt(hash.slice(0, 12), 16)

export type LoadedStream = {
  readonly stream: string
  state: unknown
  /** Revision of the last event, -1 while there is none. */
  revision: bigint
  /** Revision of the last event that could be read: operators went past those behind it. Reads answer with this one. */
  known: bigint
  /** Position of the last event, 0 while there is none. */
  position: bigint
  readonly commands: CommandIndex
  /** Revision of the last snapshot, and how many command ids stand in blocks. */
  snapshotAt: bigint
  idsSaved: number
  /** Parts of the last snapshot, 0 while there is none, and whether one is being written. */
  parts: number
  saving: boolean
  /** What it counts for in the cache. */
  size: number
}

export type Streams = {
  /** The cached stream if there is one (it may lag behind the log), else one read from the log. */
  readonly load: (aggregate: AnyAggregate, stream: string) => Promise<{ loaded: LoadedStream; fresh: boolean }>
  /** Reads what the log holds beyond `loaded`. */
  readonly refresh: (aggregate: AnyAggregate, loaded: LoadedStream) => Promise<void>
  /** Takes in events that were just appended and the state that they led to; writes a snapshot when one is due. */
  readonly advance: (
    aggregate: AnyAggregate,
    loaded: LoadedStream,
    events: readonly DomainEvent[],
    state: unknown,
  ) => void
  /** Forgets a stream whose state can no longer be trusted. */
  readonly forget: (stream: string) => void
}

export type StreamsDeps = {
  readonly store: EventStore
  readonly codec: EventCodec
  readonly unskippedBy: UnskippedBy
  readonly onSnapshotFailed: (stream: string, error: unknown) => void
}

/** Makes the cache of streams over one event store. */
export function loadedStreams(deps: StreamsDeps): Streams {
  const { store, onSnapshotFailed } = deps
  const cache = new LRUCache<string, LoadedStream>({ maxSize: CACHED_COMMANDS_MAX })

  const readOn = async (aggregate: AnyAggregate, loaded: LoadedStream, from: bigint) => {
    for (let next = from; ; ) {
      const page = await store.read(loaded.stream, next, PAGE)
      await foldPage(deps, aggregate, loaded, page)
      if (page.length < PAGE) return
      next = page.at(-1)!.revision + 1n
    }
  }
  const readWhole = async (aggregate: AnyAggregate, stream: string): Promise<LoadedStream> => {
    const loaded = emptyStream(aggregate, stream)
    const start = await store.read(stream, 0n, SNAPSHOT_EVERY)
    if (start.length === SNAPSHOT_EVERY) {
      await restoreSaved(store, aggregate, loaded)
      const lastIndexed = BigInt(loaded.commands.size) - 1n
      await readOn(aggregate, loaded, max(0n, min(loaded.revision, lastIndexed)))
    } else await foldPage(deps, aggregate, loaded, start)
    return loaded
  }

  return {
    forget: stream => void cache.delete(stream),
    async load(aggregate, stream) {
      const cached = cache.get(stream)
      const loaded = cached ?? (await readWhole(aggregate, stream))
      // Its size grows with its commands: it is weighed anew each time it is used.
      const size = Math.max(loaded.commands.size, COMMANDS_MIN)
      if (!cached || size !== loaded.size) cache.set(stream, loaded, { size })
      loaded.size = size
      return { loaded, fresh: !cached }
    },
    async refresh(aggregate, loaded) {
      // from the last known event on, because its position may not be known yet
      await readOn(aggregate, loaded, max(0n, loaded.revision))
    },
    advance(aggregate, loaded, events, state) {
      for (const event of events) pass(loaded, event)
      loaded.state = state
      loaded.known = loaded.revision
      if (loaded.saving || loaded.revision - loaded.snapshotAt < snapshotInterval(loaded.parts)) return
      loaded.snapshotAt = loaded.revision
      loaded.saving = true
      save(store, aggregate, loaded)
        .catch(error => onSnapshotFailed(loaded.stream, error))
        .finally(() => {
          loaded.saving = false
        })
    },
  }
}

/** A large state is written less often, so that a command costs the same however large it is. */
const snapshotInterval = (parts: number) => BigInt(SNAPSHOT_EVERY * Math.min(4, Math.max(1, parts)))

function fold(aggregate: AnyAggregate, loaded: LoadedStream, event: DomainEvent): void {
  if (event.revision > loaded.revision) {
    loaded.state = evolveWith(aggregate, loaded.state, event)
    loaded.known = event.revision
  }
  pass(loaded, event)
}

/** Folds events in slices, so that other requests are not held up. */
async function foldPage(
  deps: StreamsDeps,
  aggregate: AnyAggregate,
  loaded: LoadedStream,
  page: readonly StoredEvent[],
): Promise<void> {
  let since = performance.now()
  for (const event of page) {
    try {
      fold(aggregate, loaded, deps.codec.decode(event))
    } catch (error) {
      // It cannot be read: operators may have decided to go past it.
      const stopped = await deps.unskippedBy(event)
      if (stopped.length > 0) throw unreadable(event, stopped, error)
      pass(loaded, event)
    }
    if (performance.now() - since < SLICE_MS) continue
    await setImmediate()
    since = performance.now()
  }
}

/** Notes that the stream has an event of this revision, whether or not it changed the state. */
function pass(loaded: LoadedStream, { revision, position, metadata }: StoredEvent | DomainEvent): void {
  if (revision > loaded.revision) loaded.revision = revision
  loaded.position = position
  if (revision === BigInt(loaded.commands.size)) loaded.commands.add(hashOf(metadata?.commandId ?? NO_COMMAND))
}

/** In the place of the command id of an event that no command made. */
const NO_COMMAND = '00000000-0000-0000-0000-000000000000'

const unreadable = ({ type, revision, position }: StoredEvent, stopped: readonly string[], cause: unknown) =>
  new KogiError(
    'event_unreadable',
    `The event ${type} at revision ${revision} of this thing cannot be read. An operator has to go past it: ` +
      `kogi projections skip <projection> ${position} --reason …, for ${stopped.join(', ')}.`,
    [
      { field: 'position', message: String(position) },
      ...stopped.map(name => ({ field: 'projection', message: name })),
    ],
    { cause },
  )

const min = (a: bigint, b: bigint) => (a < b ? a : b)
const max = (a: bigint, b: bigint) => (a > b ? a : b)

const emptyStream = (aggregate: AnyAggregate, stream: string): LoadedStream => ({
  stream,
  state: aggregate.initial,
  revision: -1n,
  known: -1n,
  position: 0n,
  commands: new CommandIndex(),
  snapshotAt: -1n,
  idsSaved: 0,
  parts: 0,
  saving: false,
  size: 0,
})

/** Writes what makes the next cold load short: the ids of the commands since the last time, and a snapshot. */
async function save(store: EventStore, aggregate: AnyAggregate, loaded: LoadedStream): Promise<void> {
  const { stream, revision, state, commands } = loaded
  const until = commands.size
  for (let from = loaded.idsSaved; from < until; from += IDS_PER_BLOCK) {
    const to = Math.min(from + IDS_PER_BLOCK, until)
    const block = {
      id: uuidOf([stream, 'commands', from, to]),
      type: 'CommandIds',
      data: commands.bytes(from, to),
      metadata: { from },
    }
    await store.appendDerived(derived(stream, 'commands'), [block])
    loaded.idsSaved = to
  }
  loaded.parts = await saveSnapshot(store, aggregate, { stream, revision, state }, loaded.parts)
}

async function restoreSaved(store: EventStore, aggregate: AnyAggregate, loaded: LoadedStream) {
  const snapshot = await readSnapshot(store, aggregate, loaded.stream)
  if (snapshot) {
    loaded.state = snapshot.state
    loaded.revision = snapshot.revision
    loaded.known = snapshot.revision
    loaded.snapshotAt = snapshot.revision
    loaded.parts = snapshot.parts
  }
  const blocks = await store.readDerived(derived(loaded.stream, 'commands'), 'forwards', Number.MAX_SAFE_INTEGER)
  for (const { data, metadata } of blocks) {
    const { from } = metadata as { from: number }
    const hashes = Buffer.from(data as Uint8Array).toString('hex')
    const skip = loaded.commands.size - from
    if (skip < 0) break // A block is missing: the events from here on are read instead.
    for (let at = skip * HASH_BYTES * 2; at < hashes.length; at += HASH_BYTES * 2) {
      loaded.commands.add(hashes.slice(at, at + HASH_BYTES * 2))
    }
  }
  loaded.idsSaved = loaded.commands.size
}
