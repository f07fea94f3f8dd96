/** A full disk: its error reaches the client and the log, and appends go on when there is room. */
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { expect } from 'chai'
import { pino } from 'pino'
import { startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { Journal } from '../../../infra/embedded/event-store/log/journal.ts'

const NO_SPACE = /journal-a: ENOSPC/

describe('a full disk under the embedded event store', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kogi-full-'))
  })

  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is told with the file that has no room', async function () {
    if (!existsSync('/dev/full')) return this.skip() // Only Linux has a file that is always full.
    const store = join(folder, 'events.mdb')
    symlinkSync('/dev/full', `${store}-journal-a`)
    const journal = new Journal(store, Buffer.alloc(8, 1), { noSync: true, inUse: async () => {} })
    const error = await journal.append({ from: 0, to: 1, blocks: [] }).catch((error: Error) => error)
    expect(error).to.have.property('message').that.matches(NO_SPACE)
  })

  it('is told to the client of a batch and to the log, and appends go on when there is room', async () => {
    const logged: string[] = []
    const log = pino({ level: 'error' }, { write: line => void logged.push(line) })
    const server = await startEventStore({ dataDir: folder, log })
    const client = EventStoreDBClient.connectionString(server.url as 'esdb://')
    const { append } = Journal.prototype
    Journal.prototype.append = () => Promise.reject(new Error('events.mdb-journal-a: ENOSPC: no space left on device'))
    const write = () => client.appendToStream('s', jsonEvent({ type: 'T', data: {} }))
    try {
      expect(await write().catch((error: Error) => error))
        .to.have.property('message')
        .that.matches(NO_SPACE)
    } finally {
      Journal.prototype.append = append
    }
    expect(logged.map(line => JSON.parse(line).msg)).to.deep.equal(['a commit failed'])
    expect((await write()).success).to.equal(true)
    await client.dispose()
    await server.close()
  })
})
