/** What a damaged folder does: its damage is found, none of it is served, and what is sound stays readable. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { open } from 'lmdb'
import { scavenge } from '../../../infra/embedded/event-store/care/scavenge.ts'
import { exportEvents } from '../../../infra/embedded/event-store/care/transfer.ts'
import { verifyFolder } from '../../../infra/embedded/event-store/care/verify.ts'
import { type EventStore, startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { FILE } from '../../../infra/embedded/event-store/log/store.ts'
import { kill, script, startChild } from './child.ts'
import { append, read } from './messages.ts'
import { RawClient } from './raw.ts'

const DATA_LOSS = 15
/** More blocks than are checked at each start. */
const FILLER_EVENTS = 80

describe('a damaged file of the embedded event store', () => {
  let folder: string
  let server: EventStore | undefined
  let raw: RawClient | undefined

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kogi-damage-'))
    await start()
    await append(raw!, 'hurt', 'any', [{ data: Buffer.from('"precious bytes"') }])
    await append(raw!, 'filler', 'any', Array(FILLER_EVENTS).fill({ data: Buffer.alloc(8000, 32) }))
    await append(raw!, 'sound', 'any', [{ data: Buffer.from('"whole"') }])
    await stop()
  })

  afterEach(async () => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(): Promise<void> {
    server = await startEventStore({ dataDir: folder })
    raw = new RawClient(server.url)
  }

  async function stop(): Promise<void> {
    raw?.close()
    await server?.close()
    raw = undefined
    server = undefined
  }

  function damage(): void {
    const path = join(folder, FILE)
    const bytes = readFileSync(path)
    for (let at = bytes.indexOf('precious'); at >= 0; at = bytes.indexOf('precious', at + 1)) bytes[at] = 0x50
    writeFileSync(path, bytes)
  }

  it('answers DATA_LOSS instead of changed bytes, and serves the rest', async () => {
    damage()
    await start()
    const hurt = await read(raw!, { stream: 'hurt' })
    expect([hurt.status, hurt.reads.filter(one => one.event)]).to.deep.equal([DATA_LOSS, []])
    expect((await read(raw!, {})).status).to.equal(DATA_LOSS)
    expect((await read(raw!, { stream: 'sound' })).reads.filter(one => one.event)).to.have.length(1)
  })

  it('is found by a check, and neither exported nor copied under a new checksum', async () => {
    damage()
    const { problems } = await verifyFolder(folder)
    expect(problems[0]).to.match(/^The block at position \d+ does not match its checksum$/)
    const before = readFileSync(join(folder, FILE))
    for (const work of [() => exportEvents(folder, join(folder, 'out')), () => scavenge(folder)]) {
      const error = await work().catch((error: Error) => error)
      expect(error)
        .to.be.instanceOf(Error)
        .with.property('message')
        .that.matches(/block at position \d+ does not match/)
    }
    expect(readFileSync(join(folder, FILE)).equals(before)).to.equal(true)
  })

  it('is refused before it is mapped when it is cut or something else', async () => {
    const path = join(folder, FILE)
    const whole = readFileSync(path)
    const refusals: [Buffer, RegExp][] = [
      [Buffer.alloc(40_960, 7), /events.mdb is no event store, or its beginning is damaged: restore/],
      [whole.subarray(0, 100), /is no event store/],
      [whole.subarray(0, 5000), /is cut off: it has 1 pages of 4096 bytes and needs \d+; restore/],
      [whole.subarray(0, whole.length >> 1), /is cut off/],
    ]
    for (const [bytes, message] of refusals) {
      writeFileSync(path, bytes)
      for (const work of [() => verifyFolder(folder), () => start()])
        expect(await work().catch((error: Error) => error))
          .to.have.property('message')
          .that.matches(message)
    }
  })

  it('of another program is not touched', async () => {
    const other = mkdtempSync(join(folder, 'other-'))
    const database = open({ path: join(other, FILE), noSubdir: true })
    await database.put('key', 'value')
    await database.close()
    const before = readFileSync(join(other, FILE))
    const error = await scavenge(other).catch((error: Error) => error)
    expect(error).to.have.property('message').that.contains('events.mdb is no event store: it has a table "key"')
    expect(readFileSync(join(other, FILE)).equals(before)).to.equal(true)
  })

  it('is replaced by a scavenge together with its lock, so that readers of the old one go on', async () => {
    const reader = startChild(process.execPath, [...script('./reader.ts', import.meta.url), folder])
    try {
      const lines = createInterface({ input: reader.stdout! })[Symbol.asyncIterator]()
      const before = (await lines.next()).value
      await scavenge(folder)
      expect(existsSync(`${join(folder, FILE)}-lock`)).to.equal(false)
      reader.stdin!.end()
      expect((await lines.next()).value).to.equal(before)
      expect(readdirSync(folder)).not.to.include(`${FILE}.new`)
    } finally {
      await kill(reader)
    }
  })
})
