/** Whole-folder work beside a server that goes on writing: checks, exports, reads, and what must be refused. */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ExportEnd } from '../../../infra/embedded/event-store/care/export-end.ts'
import { scavenge } from '../../../infra/embedded/event-store/care/scavenge.ts'
import { exportEvents, importEvents } from '../../../infra/embedded/event-store/care/transfer.ts'
import { verifyFolder } from '../../../infra/embedded/event-store/care/verify.ts'
import { Store } from '../../../infra/embedded/event-store/log/store.ts'
import { firstLine, kill, script, startChild } from './child.ts'
import { eventually } from './engines.ts'
import { append, read } from './messages.ts'
import { RawClient } from './raw.ts'

const LONG = process.env.KOGI_LONG !== undefined
const EVENTS_PER_APPEND = 50
const EVENTS_BEFORE = LONG ? 10_000 : 4_000
const ROUNDS = LONG ? 10 : 4
const PATIENCE_MS = 20_000

describe('beside a server of the embedded event store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-beside-'))
  let server: ChildProcess | undefined
  let raw: RawClient | undefined
  let appended = 0
  let isStopping = false
  let appending: Promise<void> | undefined

  before(async () => {
    server = startChild(process.execPath, [...script('./serve.ts', import.meta.url), folder])
    raw = new RawClient(await firstLine(server))
    appending = goOnAppending(raw)
    await eventually('there are events', () => appended >= EVENTS_BEFORE, PATIENCE_MS)
  })

  after(async () => {
    isStopping = true
    await kill(server)
    raw?.close()
    await appending
    rmSync(folder, { recursive: true, force: true })
  })

  /** Long and short events in many streams, so that the tables take over from the journal all the time. */
  async function goOnAppending(raw: RawClient): Promise<void> {
    for (let n = 0; !isStopping && !raw.session.closed; n++) {
      const data = Buffer.alloc((n * 137) % 2000, 32)
      await append(raw, `s${n % 700}`, 'any', Array(EVENTS_PER_APPEND).fill({ data }))
      appended += EVENTS_PER_APPEND
    }
  }

  it('finds the store whole, again and again, while appends go on', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const before = appended
      const { events, problems } = await verifyFolder(folder)
      expect(problems).to.deep.equal([])
      expect(events).to.be.at.least(before)
    }
  })

  it('exports everything up to a moment, which imports into a whole store', async () => {
    const before = appended
    const file = join(folder, 'events.ndjson')
    const count = await exportEvents(folder, file)
    expect(appended, 'appends went on').to.be.greaterThan(before)
    expect(count).to.be.at.least(before)
    const copy = join(folder, 'copy')
    expect(await importEvents(copy, file)).to.equal(count)
    expect(await verifyFolder(copy)).to.deep.include({ events: count, problems: [] })
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    const { reads } = await read(raw!, { count: count - 1 })
    const served = reads.map(({ event }) => [Number(event!.commit), event!.id.string])
    const exported = lines.slice(1, -1).map(line => JSON.parse(line) as { position: number; id: string })
    expect(exported.map(({ position, id }) => [position, id])).to.deep.equal(served)
  })

  it('reads on where it began, while the file grows far beyond what it was', async () => {
    const store = new Store(folder, { readOnly: { isServed: true } })
    const { nextPosition } = store.state
    const begin = appended
    await eventually('the file grows', () => appended >= begin + 20_000, PATIENCE_MS)
    const last = [...store.allBlocks()].at(-1)!
    expect(last.position).to.be.below(nextPosition)
    expect(store.state.nextPosition).to.equal(nextPosition)
    await store.close()
  })

  function exported(): string {
    const file = join(folder, 'empty.ndjson')
    writeFileSync(file, `${new ExportEnd().line()}\n`)
    return file
  }

  it('refuses what changes the folder, and says what to do', async () => {
    const messages: string[] = []
    for (const change of [scavenge(folder), importEvents(folder, exported())])
      await change.catch((error: Error) => messages.push(error.message))
    const served = `The folder ${folder} is served by process ${server!.pid}: stop it before you`
    expect(messages).to.deep.equal([`${served} scavenge it`, `${served} import into it`])
  })
})
