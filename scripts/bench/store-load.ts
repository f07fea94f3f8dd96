import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import { createInterface, type Interface } from 'node:readline'
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client'
import { open } from 'lmdb'

/** Loads for the benchmarks of the event store, whose server is a process of its own. */

const BATCH = 1000
/** Of one stream in a row. */
const BATCHES_PER_STREAM = 10
const POINT_READS = 1000
const IN_FLIGHT = 64
const PAD = 'x'.repeat(180)
const INDEX = new URL('../../infra/embedded/event-store/index.ts', import.meta.url).href

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

let series = 0

export async function singleAppends({ client }: Bench, count: number): Promise<number> {
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

/** What a fill has written: its rate, streams, and the positions where its batches end. */
export interface Fill {
  readonly rate: number
  readonly streams: string[]
  readonly perStream: number
  readonly positions: bigint[]
}

/** Two batches under way, as a loader would do it, so that the server need not wait for the client. */
export async function batchAppends({ client }: Bench, count: number): Promise<Fill> {
  const prefix = `batch${series++}`
  const batches = count / BATCH
  const streams = Array.from({ length: Math.ceil(batches / BATCHES_PER_STREAM) }, (_, n) => `${prefix}-${n}`)
  const positions: bigint[] = []
  const begun = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < batches) {
      const n = next++
      const events = Array.from({ length: BATCH }, (_, i) => event(n * BATCH + i))
      const { position } = await client.appendToStream(streams[n % streams.length]!, events)
      positions.push(position!.commit)
    }
  }
  await Promise.all([lane(), lane()])
  return { rate: perSecond(count, begun), streams, perStream: Math.floor(count / streams.length), positions }
}

export async function stockDrain({ client }: Bench, events: number): Promise<number> {
  const begun = performance.now()
  let count = 0
  for await (const _ of client.readAll({ maxCount: events })) count++
  return perSecond(count, begun)
}

/** Reads `$all` and looks at nothing but the lengths of the messages. */
export async function rawDrain(url: string): Promise<number> {
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

/** Single events by stream and revision, from all over the store. */
export async function streamReads({ client }: Bench, { streams, perStream }: Fill): Promise<number> {
  const begun = performance.now()
  for (let n = 0; n < POINT_READS; n++) {
    const fromRevision = BigInt((n * 7919) % perStream)
    for await (const _ of client.readStream(streams[n % streams.length]!, { fromRevision, maxCount: 1 }));
  }
  return perSecond(POINT_READS, begun)
}

/** Single events by position, from all over the store. */
export async function positionReads({ client }: Bench, { positions }: Fill): Promise<number> {
  const begun = performance.now()
  for (let n = 0; n < POINT_READS; n++) {
    const at = positions[(n * 7919) % positions.length]!
    for await (const _ of client.readAll({ fromPosition: { commit: at, prepare: at }, maxCount: 1 }));
  }
  return perSecond(POINT_READS, begun)
}

/** The same bytes put into LMDB with nothing around them: a transaction and a sync for each batch. */
export async function bareLmdb(path: string, events: number): Promise<number> {
  const db = open<Buffer, Buffer>({ path, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false })
  const value = Buffer.alloc(400, 1)
  const begun = performance.now()
  for (let n = 0; n < events; n += BATCH)
    await db.batch(() => {
      for (let i = 0; i < BATCH; i++) {
        const key = Buffer.alloc(8)
        key.writeUInt32BE(n + i, 4)
        void db.put(key, value)
      }
    })
  const rate = perSecond(events, begun)
  await db.close()
  return rate
}

/** Memory of the server's own; what it maps is the system's to keep or to drop. */
export function anonymousMb({ process: { pid } }: Bench): number {
  const match = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return (Number(match?.[1] ?? 0) * 1024) / 1e6
}

function perSecond(count: number, begun: number): number {
  return (count / (performance.now() - begun)) * 1000
}
