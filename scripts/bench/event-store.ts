import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { open } from 'lmdb'

/** The embedded event store against bare operations of the same run; the server is a process of its own. */

export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The bare operation that the value is held against. */
  readonly bare: number
  readonly ratio: number
}

const EVENTS = Number(process.env.KOGI_BENCH_EVENTS ?? 100_000)
const BATCH = 1000
const SINGLE_APPENDS = 10_000
const IN_FLIGHT = 64
const PAD = 'x'.repeat(180)
const INDEX = new URL('../../infra/embedded/event-store/index.ts', import.meta.url).href

export async function eventStoreBench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-bench-'))
  try {
    return [...(await appendFigures(folder)), ...(await logFigures(folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Single appends at 64 in flight, synced, against the same without a disk; the better of two rounds each. */
async function appendFigures(folder: string): Promise<Figure[]> {
  const durable = await startServer(join(folder, 'single'))
  const memory = await startServer(undefined)
  try {
    await singleAppends(memory, SINGLE_APPENDS / 5)
    await singleAppends(durable, SINGLE_APPENDS / 5)
    let [value, bare] = [0, 0]
    for (let round = 0; round < 3; round++) {
      bare = Math.max(bare, await singleAppends(memory, SINGLE_APPENDS))
      value = Math.max(value, await singleAppends(durable, SINGLE_APPENDS))
    }
    return [figure('single appends, 64 in flight, synced', value, 'appends/s', bare)]
  } finally {
    await durable.stop()
    await memory.stop()
  }
}

async function logFigures(folder: string): Promise<Figure[]> {
  const path = join(folder, 'log')
  const server = await startServer(path)
  try {
    const figures: Figure[] = []
    const first = await batchAppends(server, Math.min(10_000, EVENTS))
    const written = await batchAppends(server, EVENTS)
    const stock = Math.max(await stockDrain(server), await stockDrain(server))
    const raw = Math.max(await rawDrain(server.url), await rawDrain(server.url), await rawDrain(server.url))
    figures.push(
      figure('$all to a client that does not decode', raw, 'events/s', stock),
      figure('batches of 1,000 events', written, 'events/s', stock),
      figure('batches of 1,000 events, against bare LMDB', written, 'events/s', await bareLmdb(join(folder, 'bare'))),
      figure('batches with a full store, against an empty one', written, 'events/s', first),
      figure('read of one event in a full store', ...(await pointReads(server))),
    )
    figures.push(figure('anonymous memory of the server', rssAnon(server) / 1e6, 'MB', 200))
    await server.stop()
    const [reopened, empty] = [await startServer(path), await startServer(join(folder, 'new'))]
    figures.push(figure(`opening a store of ${EVENTS} events`, reopened.startMs, 'ms', empty.startMs))
    await reopened.stop()
    await empty.stop()
    return figures
  } finally {
    await server.stop()
  }
}

function figure(name: string, value: number, unit: string, bare: number): Figure {
  return { name: `event store: ${name}`, value: round(value), unit, bare: round(bare), ratio: value / bare }
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100
}

interface Bench {
  readonly url: string
  readonly client: EventStoreDBClient
  readonly process: ChildProcess
  /** From the start of the store in its process to its readiness. */
  readonly startMs: number
  stop(): Promise<void>
}

export async function startServer(dataDir: string | undefined): Promise<Bench> {
  const where = dataDir === undefined ? { memory: true } : { dataDir }
  const code = `import { startEventStore } from ${JSON.stringify(INDEX)}
    const begun = performance.now()
    const server = await startEventStore(${JSON.stringify(where)})
    console.log(server.url + ' ' + (performance.now() - begun))
    process.once('SIGTERM', () => server.close().then(() => process.exit(0)))`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const [url, startMs] = line.split(' ') as [string, string]
  const client = EventStoreDBClient.connectionString(url)
  return {
    url,
    client,
    process: child,
    startMs: Number(startMs),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      await client.dispose()
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

function event(n: number) {
  return jsonEvent({ type: 'EntryPosted', data: { n, pad: PAD }, metadata: { org: 'bench', at: n } })
}

let series = 0

async function singleAppends({ client }: Bench, count: number): Promise<number> {
  const prefix = `single${series++}`
  const begun = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) {
      const n = next++
      await client.appendToStream(`${prefix}-${n % 500}`, event(n))
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return perSecond(count, begun)
}

/** Two batches under way, as a loader would do it, so that the server need not wait for the client. */
async function batchAppends({ client }: Bench, count: number): Promise<number> {
  const prefix = `batch${series++}`
  const batches = count / BATCH
  const begun = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < batches) {
      const n = next++
      await client.appendToStream(
        `${prefix}-${n % 10}`,
        Array.from({ length: BATCH }, (_, i) => event(n * BATCH + i)),
      )
    }
  }
  await Promise.all([lane(), lane()])
  return perSecond(count, begun)
}

async function stockDrain({ client }: Bench): Promise<number> {
  const begun = performance.now()
  let count = 0
  for await (const _ of client.readAll({ maxCount: EVENTS })) count++
  return perSecond(count, begun)
}

/** Reads `$all` and looks at nothing but the lengths of the messages. */
async function rawDrain(url: string): Promise<number> {
  const session = connect(url.replace('esdb:', 'http:').replace(/\?.*$/, ''), {
    settings: { initialWindowSize: 4 * 1024 * 1024 },
  })
  await once(session, 'connect')
  session.setLocalWindowSize(16 * 1024 * 1024)
  const begun = performance.now()
  const stream = session.request({
    ':method': 'POST',
    ':path': '/event_store.client.streams.Streams/Read',
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  // ReadReq.options: all from the start, forwards, count 2^32 - 1, no filter, ids as strings.
  const request = Buffer.from([
    0x0a, 18, 0x12, 2, 0x12, 0, 0x28, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x42, 0, 0x4a, 2, 0x12, 0, 0x20, 0,
  ])
  stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]))
  let count = 0
  let rest = 0
  let header = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let at = rest
    while (at < chunk.length) {
      if (header.length + chunk.length - at < 5) break
      const head =
        header.length > 0
          ? Buffer.concat([header, chunk.subarray(at, at + 5 - header.length)])
          : chunk.subarray(at, at + 5)
      at += 5 - header.length + head.readUInt32BE(1)
      header = Buffer.alloc(0)
      count++
    }
    if (at < chunk.length) {
      header = Buffer.concat([header, chunk.subarray(at)])
      rest = 0
    } else rest = at - chunk.length
  }
  session.destroy()
  return perSecond(count, begun)
}

/** One event at a time from streams all over the store; bare is a read of the first stream's first event. */
async function pointReads({ client }: Bench): Promise<[number, string, number]> {
  const reads = async (stream: (n: number) => string, revision: (n: number) => bigint): Promise<number> => {
    const begun = performance.now()
    const count = 2000
    for (let n = 0; n < count; n++)
      for await (const _ of client.readStream(stream(n), { fromRevision: revision(n), maxCount: 1 }));
    return perSecond(count, begun)
  }
  const last = series - 1
  const spread = Math.max(1, Math.floor(EVENTS / 10) - 1)
  await reads(
    () => `batch${last}-0`,
    () => 0n,
  )
  const bare = await reads(
    () => `batch${last}-0`,
    () => 0n,
  )
  const value = await reads(
    n => `batch${last}-${n % 10}`,
    n => BigInt((n * 7919) % spread),
  )
  return [value, 'reads/s', bare]
}

/** The same bytes put into LMDB with nothing around them: a transaction and a sync for each batch. */
async function bareLmdb(path: string): Promise<number> {
  const db = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false })
  const value = Buffer.alloc(400, 1)
  const begun = performance.now()
  for (let n = 0; n < EVENTS; n += BATCH)
    await db.batch(() => {
      for (let i = 0; i < BATCH; i++) {
        const key = Buffer.alloc(8)
        key.writeUInt32BE(n + i, 4)
        void db.put(key, value)
      }
    })
  const rate = perSecond(EVENTS, begun)
  await db.close()
  return rate
}

function rssAnon({ process: { pid } }: Bench): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0) * 1024
}

function perSecond(count: number, begun: number): number {
  return (count / (performance.now() - begun)) * 1000
}
