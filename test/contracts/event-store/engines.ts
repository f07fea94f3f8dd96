/** The servers that the contract suite runs on, and what its tests share. */
import { randomUUID } from 'node:crypto'
import { EventStoreDBClient } from '@eventstore/db-client'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { patient } from '../../support/pace.ts'
import { RawClient } from './raw.ts'

/** A server under contract: the embedded one, and a real EventStoreDB where KOGI_EVENTSTORE_URL names one. */
export type Engine = {
  readonly name: string
  readonly isReal: boolean
  url: string
  client: EventStoreDBClient
  raw: RawClient
}

type Start = () => Promise<{ url: string; stop: () => Promise<void> }>

const REAL_URL = process.env.KOGI_EVENTSTORE_URL

const ENGINES: readonly { name: string; isReal: boolean; start: Start }[] = [
  {
    name: 'embedded',
    isReal: false,
    start: async () => {
      const server = await startEventStore({ memory: true })
      return { url: server.url, stop: () => server.close() }
    },
  },
  ...(REAL_URL
    ? [{ name: 'EventStoreDB', isReal: true, start: async () => ({ url: REAL_URL, stop: async () => {} }) }]
    : []),
]

/** Runs a suite over every engine, with a stock client and a raw one connected. */
export function overEngines(title: string, suite: (engine: Engine) => void): void {
  for (const { name, isReal, start } of ENGINES)
    describe(`${title} (${name})`, () => {
      const engine = { name, isReal } as Engine
      let stop: (() => Promise<void>) | undefined
      before(async () => {
        const server = await start()
        stop = server.stop
        engine.url = server.url
        engine.client = EventStoreDBClient.connectionString(server.url)
        engine.raw = new RawClient(server.url)
      })
      after(async () => {
        // What `before` could not make is not there.
        engine.raw?.close()
        await engine.client?.dispose()
        await stop?.()
      })
      suite(engine)
    })
}

export function newStream(prefix = 's'): string {
  return `${prefix}-${randomUUID()}`
}

export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of stream) all.push(item)
  return all
}

/** Waits for a condition; fails with its name when it does not come true in time. */
export async function eventually(what: string, holds: () => boolean, quietMs = 5000): Promise<void> {
  const withinMs = patient(quietMs)
  const until = Date.now() + withinMs
  while (!holds()) {
    if (Date.now() > until) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}
