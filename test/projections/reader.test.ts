/** One contract for every way to read the log: the reader of a real store, and the list that other tests use. */

import { setTimeout as sleep } from 'node:timers/promises'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import type { StoredEvent } from '../../domain/kernel/event.ts'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { type EventStore, startEventStore } from '../../infra/embedded/event-store/index.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { writeSkip } from '../../infra/event-store/skips.ts'
import type { EventLog } from '../../projections/ports.ts'
import { History, thing } from './history.ts'
import { MemoryLog } from './support.ts'

type Engine = {
  readonly log: EventLog
  readonly append: (event: StoredEvent) => Promise<void>
  close: () => Promise<void>
}

const ENGINES: Readonly<Record<string, () => Promise<Engine>>> = {
  'the event store': async () => {
    const store: EventStore = await startEventStore({ memory: true })
    const client = EventStoreDBClient.connectionString(store.url)
    const log = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    return {
      log,
      append: async ({ stream, type, data, metadata }) => {
        await client.appendToStream(stream, jsonEvent({ type, data: data as never, metadata: metadata as never }))
        // What is no domain event passes unseen.
        await client.appendToStream('task_snapshot-1', jsonEvent({ type: 'Snapshot', data: {} }))
      },
      async close() {
        await log.close()
        await client.dispose()
        await store.close()
      },
    }
  },
  'a list': async () => {
    const log = new MemoryLog()
    return { log, append: async event => log.append(event), close: async () => {} }
  },
}

for (const [name, open] of Object.entries(ENGINES)) {
  describe(`projections: reading ${name}`, () => {
    const history = new History()
    let engine: Engine
    before(async () => {
      engine = await open()
      expect(await engine.log.head()).to.equal(0n)
      const task = thing('task', 'acme', 'one')
      await engine.append(history.add(task, 'TaskCreated', { name: 'One', status: 'open' }))
      for (let at = 0; at < 99; at += 1)
        await engine.append(history.add(task, 'TaskAssigned', { from: null, to: `${at}` }))
    })
    after(() => engine.close())

    const all = async (after: bigint, to: bigint, max = 7) => {
      const found: StoredEvent[] = []
      for await (const list of engine.log.read({ after, to, max })) {
        expect(list.length).to.be.within(1, max)
        found.push(...list)
      }
      return found
    }

    it('reads what lies between two positions, in order, with its metadata', async () => {
      const head = await engine.log.head()
      const found = await all(0n, head)
      expect(found.map(({ revision }) => revision)).to.deep.equal(history.events.map(({ revision }) => revision))
      expect(found[3]!.metadata).to.deep.equal(history.events[3]!.metadata)
      expect(found[3]!.data).to.deep.equal(history.events[3]!.data)
      expect(found.at(-1)!.position).to.equal(head)
      const middle = await all(found[9]!.position, found[19]!.position)
      expect(middle.map(({ revision }) => revision)).to.deep.equal([10n, 11n, 12n, 13n, 14n, 15n, 16n, 17n, 18n, 19n])
      expect(await all(head, head)).to.deep.equal([])
    })

    it('follows: what is stored, then word that it is all, then what is new, until it is told to end', async () => {
      const abort = new AbortController()
      const states: string[] = []
      const found: bigint[] = []
      const onStatus = ({ state }: { state: string }) => void states.push(state)
      const [, last] = [await engine.log.head(), history.events.length]
      for await (const list of engine.log.follow({ after: 0n, max: () => 16, signal: abort.signal, onStatus })) {
        found.push(...list.map(({ revision }) => revision))
        // A slow reader loses nothing.
        await sleep(2)
        if (found.length === last) {
          setTimeout(
            () =>
              void engine.append(
                history.add(thing('task', 'acme', 'two'), 'TaskCreated', { name: 'Two', status: 'open' }),
              ),
            50,
          )
        }
        if (found.length > last) abort.abort()
      }
      expect(found).to.deep.equal([...Array(100).keys()].map(BigInt).concat(0n))
      expect(states.filter(state => state === 'live')).to.have.length(1)
    })
  })
}

describe('projections: skips', () => {
  it('are events of the log, written once however often they are decided', async () => {
    const store = await startEventStore({ memory: true })
    const log = eventLog({ url: store.url, prefixes: domainStreamPrefixes })
    expect((await log.skips(['tasks'])).get('tasks')!.size).to.equal(0)
    const skip = { projection: 'tasks', position: 42n, reason: 'written by a faulty import', actor: 'operator' }
    await writeSkip(store.url, skip)
    await writeSkip(store.url, skip)
    expect(await log.skips(['tasks', 'items'])).to.deep.equal(
      new Map([
        ['tasks', new Set([42n])],
        ['items', new Set()],
      ]),
    )
    expect(await log.head()).to.equal(0n)
    await log.close()
    await store.close()
  })
})
