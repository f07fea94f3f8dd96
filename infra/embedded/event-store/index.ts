/**
 * An event store that behaves towards any gRPC client as EventStoreDB 23.10 does, in this process and on LMDB.
 *
 * **Rooms**: `wire/` decodes requests and encodes answers, `log/` keeps events, `write/` decides and commits them,
 * `serve/` answers calls, `care/` checks, moves and tidies a folder that no server need have open. `serve/` and `care/`
 * import `write/`, which imports `log/`, which imports `wire/`; never the other way.
 *
 * **On disk**: a folder with one LMDB file (`events.mdb`, its reader table `events.mdb-lock`), and, while it is served,
 * the two files of the journal and the lock `owner.lock`. The log is a sequence of blocks of up to 16 KiB; a block
 * holds whole events of one commit, each as the gRPC frame that a reader gets, behind a checksum. A commit is one
 * synced write to the journal (`log/journal.ts`); its blocks and where their events stand are also held in memory
 * (`log/tail.ts`), and move from there into the tables of LMDB (`log/tables.ts`), thousands of events in a transaction.
 * A start reads the rest of the journal again (`log/recovery.ts`); a clean stop leaves none.
 *
 * **What always holds**
 * - A position is a byte offset in a log that exists only as arithmetic: each record takes 90 bytes and the lengths of
 *   its name, type, data and metadata. Positions grow, never repeat, and are not dense.
 * - A commit holds whole appends only, and is visible to readers after its sync. Blocks are never changed.
 * - The revisions of a stream have no gap but at its beginning (truncation, deletion, scavenge).
 * - One process serves a folder; one commit is under way at a time.
 * - The tables hold everything before a position, the journal everything behind it, and a commit is in one of them.
 *
 * **The life of an append**: `wire/call.ts` cuts the HTTP/2 stream into messages; `serve/writes.ts` decodes and checks
 * them; `write/decide.ts` holds them against the stream as `write/committer.ts` sees it, which is ahead of the disk,
 * and finds repeats; `write/group.ts` writes the events into the blocks of the open group; at the end of the event-loop
 * turn, or when the commit before has been synced, the committer commits the group; a thread of its own writes and
 * syncs; then all answers of the group leave, and the subscriptions that wait for one of its streams are woken and read
 * on from what is stored. When a commit fails, everything decided upon it fails with it and the disk is the truth
 * again.
 *
 * **The life of a read**: `log/scan.ts` walks blocks by position or by a stream's entries and yields stretches of
 * frames; `serve/outlet.ts` sends them in chunks of 64 KiB, no faster than the client takes them. Frames are decoded
 * only to filter, to follow links or to send ids in two halves.
 *
 * Left out, and answered UNIMPLEMENTED: persistent subscriptions, server-side projections, users, operations,
 * clustering.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { lockFolder } from './care/lock.ts'
import { checkTail, tornNote } from './care/verify.ts'
import { Store } from './log/store.ts'
import { listen } from './serve/server.ts'
import { Committer } from './write/committer.ts'
import { seed } from './write/seed.ts'

export type EventStoreOptions = {
  /** Folder of the events; left out with `memory`. */
  readonly dataDir?: string
  /** Keeps nothing: the same code works on a temporary folder without syncs, which is removed at the end. */
  readonly memory?: boolean
  /** 0 or left out: a free one. */
  readonly port?: number
  readonly host?: '127.0.0.1'
  readonly log?: Logger
}

export type EventStore = {
  /** Connection string for an EventStoreDB client. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/** Starts a server that behaves as EventStoreDB 23.10 does towards any gRPC client. */
export async function startEventStore(options: EventStoreOptions): Promise<EventStore> {
  const log = options.log ?? pino({ name: 'event-store', level: 'warn' })
  const host = options.host ?? '127.0.0.1'
  const isTemporary = options.memory === true
  if (!isTemporary && options.dataDir === undefined) throw new Error('Give the event store a dataDir, or memory: true')
  const folder = isTemporary ? mkdtempSync(join(tmpdir(), 'kogi-event-store-')) : options.dataDir!
  const lock = await lockFolder(folder)
  let store: Store | undefined
  const cleanUp = async (): Promise<void> => {
    await store?.close()
    lock.release()
    if (isTemporary) rmSync(folder, { recursive: true, force: true })
  }
  try {
    store = new Store(folder, { noSync: isTemporary, mayWrite: lock.check })
    checkAtStart(store, folder, log)
    const committer = new Committer(store, error => log.error({ err: error, folder }, 'a commit failed'))
    if (store.isEmpty) await seed(committer)
    const listener = await listen({ store, committer, host, port: options.port ?? 0, log })
    let closing: Promise<void> | undefined
    return {
      url: `esdb://${host}:${listener.port}?tls=false`,
      port: listener.port,
      close: () => {
        closing ??= listener.close().then(cleanUp)
        return closing
      },
    }
  } catch (error) {
    await cleanUp()
    throw error
  }
}

/** Logs what the folder holds, and refuses one whose end is damaged. */
function checkAtStart(store: Store, folder: string, log: Logger): void {
  const { problems } = checkTail(store)
  if (problems.length > 0)
    throw new Error(`The event store in ${folder} is damaged: ${problems[0]}. Run \`kogi store verify\` for all of it`)
  const { nextPosition, nextStream } = store.state
  if (store.torn > 0) log.warn({ folder }, tornNote(store))
  if (store.isEmpty) log.info({ folder }, 'the event store is new')
  else log.info({ folder, nextPosition, streams: nextStream - 1 }, 'the event store is whole')
}
