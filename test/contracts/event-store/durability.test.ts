/** What an acknowledged append survives, and the care of a folder: export, import, scavenge. */
import type { ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { ExportEnd } from '../../../infra/embedded/event-store/care/export-end.ts'
import { scavenge } from '../../../infra/embedded/event-store/care/scavenge.ts'
import { exportEvents, importEvents } from '../../../infra/embedded/event-store/care/transfer.ts'
import { verifyFolder } from '../../../infra/embedded/event-store/care/verify.ts'
import { type EventStore, startEventStore } from '../../../infra/embedded/event-store/index.ts'
import { FILE, Store } from '../../../infra/embedded/event-store/log/store.ts'
import { Committer } from '../../../infra/embedded/event-store/write/committer.ts'
import { firstLine, kill, script, startChild } from './child.ts'
import { append, batchCall, batchRequest, batchResponse, deleteRequest, read } from './messages.ts'
import { RawClient, Status, streamsPath } from './raw.ts'

describe('durability of the embedded event store', () => {
  let folder: string
  const running: EventStore[] = []
  const clients: RawClient[] = []
  const children: ChildProcess[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kogi-durability-'))
  })

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    for (const server of running.splice(0)) await server.close()
    for (const child of children.splice(0)) await kill(child)
    rmSync(folder, { recursive: true, force: true })
  })

  async function start(dataDir = folder): Promise<RawClient> {
    const server = await startEventStore({ dataDir })
    running.push(server)
    return client(server.url)
  }

  function client(url: string): RawClient {
    const raw = new RawClient(url)
    clients.push(raw)
    return raw
  }

  const stop = () => running.pop()!.close()

  /** A server in a process of its own, with a limit on the size of its files where one is given. */
  async function spawned(fileBlocks?: number): Promise<{ child: ChildProcess; raw: RawClient }> {
    const limit = fileBlocks === undefined ? '' : `ulimit -f ${fileBlocks}; `
    const node = [process.execPath, ...script('./serve.ts', import.meta.url), folder]
    const child = startChild('bash', ['-c', `${limit}exec "$0" "$@"`, ...node])
    children.push(child)
    return { child, raw: client(await firstLine(child)) }
  }

  it('keeps everything over a restart and goes on from there', async () => {
    const first = await start()
    const ids = [{ id: randomUUID() }, { id: randomUUID() }]
    const { result } = await append(first, 'kept', 'no_stream', ids)
    await append(first, '$$kept', 'any', [{ data: Buffer.from('{"$maxCount":2}') }])
    await stop()
    const second = await start()
    expect((await append(second, 'kept', 'no_stream', ids)).result).to.deep.equal(result)
    const again = await append(second, 'kept', 'any', ids)
    expect(again.result!.success!.currentRevision, 'with any, ids are forgotten').to.equal('3')
    const { reads } = await read(second, { stream: 'kept' })
    expect(reads.map(one => Number(one.event!.revision))).to.deep.equal([2, 3])
    expect(reads[0]!.event!.commit > BigInt(result!.success!.position!.commitPosition)).to.equal(true)
  })

  it('answers no append before its sync, and shows it to no reader', async () => {
    const store = new Store(folder, { noSync: false })
    const commit = store.commit.bind(store)
    let release = (): void => {}
    store.commit = async changes => {
      await new Promise<void>(resolve => {
        release = resolve
      })
      await commit(changes)
    }
    const committer = new Committer(store)
    const event = {
      id: randomUUID(),
      type: Buffer.from('T'),
      json: true,
      metadata: Buffer.alloc(0),
      data: Buffer.alloc(0),
    }
    const answers: string[] = []
    committer.append('s', -1, [event], (_error, result) => answers.push(`written ${result?.kind}`))
    committer.append('s', -1, [{ ...event, id: randomUUID() }], (_error, result) =>
      answers.push(`refused ${result?.kind}`),
    )
    committer.append('s', -1, [event], (_error, result) => answers.push(`repeated ${result?.kind}`))
    await new Promise(resolve => setTimeout(resolve, 50))
    expect([answers, store.head('s')]).to.deep.equal([[], undefined])
    release()
    await committer.flush()
    expect(answers).to.deep.equal(['written written', 'refused wrong', 'repeated written'])
    expect(store.head('s')!.revision).to.equal(0)
    await store.close()
  })

  it('fails what a failed commit held, and goes on from what the disk has', async () => {
    const store = new Store(folder, { noSync: false })
    const committer = new Committer(store)
    const event = () => ({
      id: randomUUID(),
      type: Buffer.from('T'),
      json: true,
      metadata: Buffer.alloc(0),
      data: Buffer.alloc(0),
    })
    const write = (expected: number, one = event()) =>
      new Promise((resolve, reject) =>
        committer.append('s', expected, [one], (error, result) => (error ? reject(error) : resolve(result))),
      )
    await write(-1)
    const commit = store.commit.bind(store)
    store.commit = () => Promise.reject(new Error('no space left'))
    const lost = event()
    const outcomes = await Promise.allSettled([write(0, lost), write(1), write(-2)])
    expect(outcomes.map(one => one.status)).to.deep.equal(['rejected', 'rejected', 'rejected'])
    store.commit = commit
    expect(await write(-2, lost), 'its id must not be remembered').to.deep.include({ kind: 'written', revision: 1 })
    expect(store.head('s')!.revision).to.equal(1)
    await store.close()
  })

  it('refuses a folder that is served already, by this process or another', async () => {
    const { child } = await spawned()
    const outcome = await startEventStore({ dataDir: folder }).catch((error: Error) => error.message)
    expect(outcome).to.equal(
      `The folder ${folder} is in use by process ${child.pid}: stop it, or choose another folder`,
    )
    child.kill('SIGKILL')
    await once(child, 'exit')
    await start()
    const again = await startEventStore({ dataDir: folder }).catch((error: Error) => error.message)
    expect(again).to.contain(`in use by process ${process.pid}`)
  })

  it('ends open calls UNAVAILABLE at SIGTERM, and leaves no lock', async () => {
    const { child, raw } = await spawned()
    const batch = batchCall(raw).send(batchRequest('s', 'any', [{}]))
    expect(batchResponse((await batch.received(1))[0]!).success!.currentRevision).to.equal('0')
    child.kill('SIGTERM')
    expect((await batch.done).status).to.equal(Status.unavailable)
    const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    expect(code).to.equal(0)
    expect(readdirSync(folder).sort()).to.deep.equal([FILE, `${FILE}-lock`])
  })

  it('answers a full disk with an error, stays up, and keeps what it has', async () => {
    const { child, raw } = await spawned(4096) // 4 MiB
    const answers: (number | undefined)[] = []
    const data = Buffer.alloc(300_000)
    for (let n = 0; n < 30 && answers.at(-1) !== Status.unavailable; n++)
      answers.push((await append(raw, 'filling', 'any', [{ data }])).status)
    expect(answers.length).to.be.within(5, 29)
    expect(answers.at(-1)).to.equal(Status.unavailable)
    const { reads } = await read(raw, { stream: 'filling' })
    expect(reads).to.have.length(answers.filter(status => status === Status.ok).length)
    child.kill('SIGTERM')
    await once(child, 'exit')
    expect((await verifyFolder(folder)).problems).to.deep.equal([])
  })

  describe('care of the folder', () => {
    async function filled(): Promise<string[]> {
      const raw = await start()
      await append(raw, 'plain', 'any', [
        { data: Buffer.from('{"ü":1}') },
        { data: Buffer.from([0xff, 0]), contentType: 'x' },
      ])
      await append(raw, 'limited', 'any', Array(10).fill({ metadata: Buffer.from('m') }))
      await append(raw, '$$limited', 'any', [{ data: Buffer.from('{"$maxCount":3}') }])
      await append(raw, 'deleted', 'any', Array(4).fill({}))
      await raw.ask(streamsPath('delete'), deleteRequest('deleted', 'any'))
      await append(raw, 'buried', 'any', Array(4).fill({}))
      await raw.ask(streamsPath('tombstone'), deleteRequest('buried', 'any', true))
      const all = await contents(raw)
      await stop()
      return all
    }

    async function contents(raw: RawClient): Promise<string[]> {
      const { reads } = await read(raw, {})
      return reads.map(one => JSON.stringify(one, (_, value) => (typeof value === 'bigint' ? String(value) : value)))
    }

    it('exports and imports to the byte', async () => {
      const all = await filled()
      const file = join(folder, 'events.ndjson')
      const copy = join(folder, 'copy')
      expect(await exportEvents(folder, file)).to.equal(all.length + 1)
      expect(await importEvents(copy, file)).to.equal(all.length + 1)
      expect((await verifyFolder(copy)).problems).to.deep.equal([])
      const raw = await start(copy)
      expect(await contents(raw)).to.deep.equal(all)
      expect((await append(raw, 'buried', 'any', [{}])).status).to.equal(Status.failedPrecondition)
      expect((await read(raw, { stream: 'limited' })).reads).to.have.length(3)
      const refused = await importEvents(folder, file).catch((error: Error) => error.message)
      expect(refused).to.contain('has events already')
    })

    function whole(lines: readonly string[]): string {
      const end = new ExportEnd()
      for (const line of lines) end.add(line)
      return `${[...lines, end.line()].join('\n')}\n`
    }

    it('imports nothing from an export that is cut, changed or missing', async () => {
      const events = Array.from({ length: 4 }, (_, revision) => exportedLine(revision))
      const lines = whole(events).trimEnd().split('\n')
      const file = join(folder, 'events.ndjson')
      const copy = join(folder, 'copy')
      const refusals: [string[], RegExp][] = [
        [lines.slice(0, -1), /has no last line with "events" and "sha256": it is cut off/],
        [[...lines.slice(0, 1), ...lines.slice(2)], /has 3 events, and its last line says 4/],
        [[lines[0]!, lines[0]!, ...lines.slice(2)], /does not match the SHA-256 in its last line/],
        [[], /it is cut off/],
      ]
      for (const [kept, message] of refusals) {
        writeFileSync(file, kept.join('\n'))
        expect(await importEvents(copy, file).catch((error: Error) => error.message)).to.match(message)
      }
      expect(await importEvents(copy, `${file}.none`).catch((error: Error) => error.message)).to.contain('ENOENT')
      expect(readdirSync(folder)).to.deep.equal(['events.ndjson'])
      writeFileSync(file, whole([...events.slice(1, 2), ...events.slice(3)]))
      const holed = await importEvents(copy, file).catch((error: Error) => error.message)
      expect(holed).to.equal(`${file}, line 2: Revision 3 of s comes behind revision 1: events are missing`)
      writeFileSync(file, whole(events.slice(1)))
      expect(await importEvents(join(folder, 'scavenged'), file)).to.equal(3)
      writeFileSync(file, events.join('\n'))
      expect(await importEvents(join(folder, 'older'), file, true)).to.equal(4)
    })

    function exportedLine(revision: number): string {
      const contentType = 'application/json'
      const position = revision * 1000
      return JSON.stringify({
        ...{ position, stream: 's', revision, id: randomUUID(), type: 'T', contentType },
        ...{ created: '17600000000000000', data: '{}', metadata: '' },
      })
    }

    it('names the line that cannot be imported', async () => {
      const file = join(folder, 'events.ndjson')
      writeFileSync(file, whole(['{"position":1}']))
      const refused = await importEvents(join(folder, 'copy'), file).catch((error: Error) => error.message)
      expect(refused).to.equal(`${file}, line 1: the revision is no whole number`)
    })

    it('scavenges what nobody can read, and nothing else', async () => {
      await filled()
      const { removed, kept } = await scavenge(folder)
      expect(removed).to.equal(7 + 4 + 4)
      expect((await verifyFolder(folder)).problems).to.deep.equal([])
      const raw = await start()
      expect((await read(raw, {})).reads).to.have.length(kept - 1)
      const revisions = async (stream: string) =>
        (await read(raw, { stream })).reads.map(one => (one.event ? Number(one.event.revision) : one.kind))
      expect(await revisions('limited')).to.deep.equal([7, 8, 9])
      expect(await revisions('plain')).to.deep.equal([0, 1])
      expect(await revisions('deleted')).to.deep.equal(['not found'])
      expect((await append(raw, 'deleted', 'any', [{}])).result!.success!.currentRevision).to.equal('4')
      expect(await revisions('deleted')).to.deep.equal([4])
      expect((await append(raw, 'limited', 9, [{}])).result!.success!.currentRevision).to.equal('10')
      expect((await append(raw, 'buried', 'any', [{}])).status).to.equal(Status.failedPrecondition)
    })

    it('finds a changed byte, and does not start on a damaged end', async () => {
      await filled()
      const path = join(folder, FILE)
      const bytes = readFileSync(path)
      const at = bytes.lastIndexOf('{"ü":1}')
      bytes[at] = 0x5b
      writeFileSync(path, bytes)
      const { problems } = await verifyFolder(folder)
      expect(problems.join()).to.match(/The block at position \d+ does not match its checksum/)
      const outcome = await startEventStore({ dataDir: folder }).catch((error: Error) => error.message)
      expect(outcome).to.match(
        /is damaged: The block at position \d+ does not match its checksum\. Run `kogi store verify`/,
      )
      expect(readdirSync(folder)).to.not.include('owner.lock')
    })
  })
})
