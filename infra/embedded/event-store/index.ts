import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, pino } from 'pino'
import { lockFolder } from './lock.ts'
import { seed } from './seed.ts'
import { listen } from './server.ts'
import { Store } from './store.ts'
import { checkTail } from './verify.ts'
import { Writer } from './writer.ts'

export interface EventStoreOptions {
  /** Where the events are kept. Left out with `memory`. */
  readonly dataDir?: string
  /** Keep nothing: the same code on a temporary folder without syncs, removed at the end. */
  readonly memory?: boolean
  /** 0 or left out: a free one. */
  readonly port?: number
  readonly host?: '127.0.0.1'
  readonly log?: Logger
}

export interface EventStore {
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
  const lock = lockFolder(folder)
  let store: Store | undefined
  const cleanUp = async (): Promise<void> => {
    await store?.close()
    lock.release()
    if (isTemporary) rmSync(folder, { recursive: true, force: true })
  }
  try {
    store = new Store(folder, { noSync: isTemporary })
    checkAtStart(store, folder, log)
    const writer = new Writer(store)
    if (store.isEmpty) await seed(writer)
    const listener = await listen({ store, writer, host, port: options.port ?? 0, log })
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

/** Says what the folder holds, and refuses one whose end is damaged. */
function checkAtStart(store: Store, folder: string, log: Logger): void {
  const { problems } = checkTail(store)
  if (problems.length > 0)
    throw new Error(`The event store in ${folder} is damaged: ${problems[0]}. Run \`kogi store verify\` for all of it`)
  const { nextPosition, nextStream } = store.state
  if (store.isEmpty) log.info({ folder }, 'the event store is new')
  else log.info({ folder, nextPosition, streams: nextStream - 1 }, 'the event store is whole')
}
