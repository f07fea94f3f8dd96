import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { open } from 'lmdb'
import { alone, type Figure, paired } from './figure.ts'

/** The embedded event store against bare operations of the same run; the server is a process of its own. */

/** KOGI_BENCH_EVENTS=1000000 shows what a large store costs. */
const EVENTS = Number(process.env.KOGI_BENCH_EVENTS ?? 100_000)
const FIRST_EVENTS = 10_000
const BATCH = 1000
const SINGLE_APPENDS = 6000
const POINT_READS = 1000
const ROUNDS = 3
const IN_FLIGHT = 64
const PAD = 'x'.repeat(180)
const INDEX = new URL('../../infra/embedded/event-store/index.ts', import.meta.url).href

export async function eventStoreBench(): Promise<Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-bench-'))
  try {
    return [await appendFigure(folder), ...(await logFigures(folder))]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Single appends at 64 in flight, synced, against the same without a disk. */
async function appendFigure(folder: string): Promise<Figure> {
  const durable = await startServer(join(folder, 'single'))
  const memory = await startServer(undefined)
  try {
    const rounds: { value: number; bare: number }[] = []
    for (const server of [memory, durable]) await singleAppends(server, SINGLE_APPENDS / 3)
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({
        bare: await singleAppends(memory, SINGLE_APPENDS),
        value: await singleAppends(durable, SINGLE_APPENDS),
      })
    return paired('store_synced_appends_against_memory', 'appends/s', rounds)
  } finally {
    await durable.stop()
    await memory.stop()
  }
}

async function logFigures(folder: string): Promise<Figure[]> {
  const path = join(folder, 'log')
  const server = await startServer(path)
  try {
    await batchAppends(server, FIRST_EVENTS)
    const small = await costs(server, FIRST_EVENTS)
    const written = await batchAppends(server, EVENTS - FIRST_EVENTS)
    const large = await costs(server, EVENTS)
    const drains: { value: number; bare: number }[] = []
    for (let round = 0; round < ROUNDS; round++)
      drains.push({ bare: await stockDrain(server), value: await rawDrain(server.url) })
    const drain = paired('store_drain_not_decoded_against_stock_client', 'events/s', drains)
    const anonymous = rssAnon(server) / 1e6
    await server.stop()
    return [
      drain,
      figure('batches_of_1000_against_stock_drain', 'events/s', written, drain.bare!),
      figure('batches_of_1000_against_bare_lmdb', 'events/s', written, await bareLmdb(join(folder, 'bare'))),
      figure(`append_at_${EVENTS}_against_${FIRST_EVENTS}_events`, 'appends/s', large.append, small.append),
      figure(`read_at_${EVENTS}_against_${FIRST_EVENTS}_events`, 'reads/s', large.read, small.read),
      figure(`anonymous_memory_at_${EVENTS}_events_against_limit`, 'MB', anonymous, 200),
      await openFigure(path),
    ]
  } finally {
    await server.stop()
  }
}

async function openFigure(path: string): Promise<Figure> {
  const server = await startServer(path)
  await server.stop()
  return alone(`store_opening_${EVENTS}_events`, server.startMs, 'ms')
}

/** What single operations cost in a store of some size. */
async function costs(server: Bench, size: number): Promise<{ append: number; read: number }> {
  await singleAppends(server, POINT_READS)
  return { append: await singleAppends(server, SINGLE_APPENDS), read: await pointReads(server, size) }
}

function figure(name: string, unit: string, value: number, bare: number): Figure {
  return { name: `store_${name}`, value, unit, bare, ratio: value / bare }
}

export interface Bench {
  readonly url: string
  readonly client: EventStoreDBClient
  readonly process: ChildProcess
  /** From the start of the store in its process to its readiness. */
  readonly startMs: number
  /** Bytes that live in the server's heap after a collection. */
  heapUsed(): Promise<number>
  stop(): Promise<void>
}

export async function startServer(dataDir: string | undefined): Promise<Bench> {
  const where = dataDir === undefined ? { memory: true } : { dataDir }
  const code = `import { startEventStore } from ${JSON.stringify(INDEX)}
    const begun = performance.now()
    const server = await startEventStore(${JSON.stringify(where)})
    console.log(server.url + ' ' + (performance.now() - begun))
    process.on('SIGUSR2', () => { gc(); console.log(process.memoryUsage().heapUsed) })
    process.once('SIGTERM', () => server.close().then(() => process.exit(0)))`
  const flags = ['--expose-gc', '--import', 'tsx', '--input-type=module', '--eval', code]
  const child = spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const [url, startMs] = (await nextLine(lines)).split(' ') as [string, string]
  const client = EventStoreDBClient.connectionString(url)
  return {
    url,
    client,
    process: child,
    startMs: Number(startMs),
    async heapUsed() {
      const answer = nextLine(lines)
      child.kill('SIGUSR2')
      return Number(await answer)
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      await client.dispose()
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

async function nextLine(lines: Interface): Promise<string> {
  const [line] = (await once(lines, 'line')) as [string]
  return line
}

export function event(n: number): ReturnType<typeof jsonEvent> {
  return jsonEvent({ type: 'EntryPosted', data: { n, pad: PAD }, metadata: { org: 'bench', at: n } })
}

const STREAMS = 10
let series = 0
let lastBatches = ''

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
  lastBatches = prefix
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

/** Single events from the batches' streams, from all over the store. */
async function pointReads({ client }: Bench, size: number): Promise<number> {
  const perStream = Math.floor((size === FIRST_EVENTS ? size : size - FIRST_EVENTS) / STREAMS)
  const begun = performance.now()
  for (let n = 0; n < POINT_READS; n++) {
    const fromRevision = BigInt((n * 7919) % perStream)
    for await (const _ of client.readStream(`${lastBatches}-${n % STREAMS}`, { fromRevision, maxCount: 1 }));
  }
  return perSecond(POINT_READS, begun)
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

export function rssAnon({ process: { pid } }: Bench): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1] ?? 0) * 1024
}

function perSecond(count: number, begun: number): number {
  return (count / (performance.now() - begun)) * 1000
}
