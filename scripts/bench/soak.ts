import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventStoreDBClient, streamNameFilter } from '@eventstore/db-client'
import type { Figure } from './figure.ts'
import { anonymousMb, type Bench, event, startServer } from './store-load.ts'

/**
 * Ten minutes (KOGI_SOAK_MINUTES) of everything at once on one event store, and its heap meanwhile: it must be flat.
 * `npm run bench -- soak` prints a line a sample and fails when the heap grows.
 */

const SAMPLES_PER_MINUTE = 2
/** The second half may exceed the first by this much: caches that fill, code that is compiled late. */
const GROWTH_MAX = 1.2

export interface Sample {
  readonly second: number
  readonly operations: number
  readonly heapMb: number
  readonly anonymousMb: number
}

export async function soak(
  minutes: number,
  report: (sample: Sample) => void,
): Promise<{ first: number; second: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'kogi-soak-'))
  const server = await startServer(folder)
  const samples: Sample[] = []
  const load = new Load(server)
  try {
    const begun = Date.now()
    for (let n = 1; n <= minutes * SAMPLES_PER_MINUTE; n++) {
      const due = begun + (n * 60_000) / SAMPLES_PER_MINUTE
      await Promise.race([load.over, new Promise(resolve => setTimeout(resolve, due - Date.now()))])
      const sample = {
        second: Math.round((Date.now() - begun) / 1000),
        operations: load.operations,
        heapMb: (await server.heapUsed()) / 1e6,
        anonymousMb: anonymousMb(server),
      }
      samples.push(sample)
      report(sample)
    }
  } finally {
    await load.stop().finally(() => server.stop())
    rmSync(folder, { recursive: true, force: true })
  }
  const half = Math.floor(samples.length / 2)
  const largest = (part: readonly Sample[]): number => Math.max(...part.map(sample => sample.heapMb))
  return { first: largest(samples.slice(0, half)), second: largest(samples.slice(half)) }
}

/** Appends, batches, reads both ways, subscriptions that come and go, connections that are dropped. */
class Load {
  operations = 0
  private isStopping = false
  private readonly server: Bench
  /** Resolves after `stop`, and rejects as soon as an operation fails. */
  readonly over: Promise<unknown>

  constructor(server: Bench) {
    this.server = server
    const { client } = server
    this.over = Promise.all([
      this.repeat(n => client.appendToStream(`soak-${n % 1000}`, event(n))),
      this.repeat(n =>
        client.appendToStream(
          `soak-${n % 7}`,
          Array.from({ length: 100 }, (_, i) => event(i)),
        ),
      ),
      this.repeat(async n => {
        const direction = n % 2 ? 'backwards' : 'forwards'
        const fromPosition = n % 2 ? 'end' : 'start'
        for await (const _ of client.readAll({ direction, fromPosition, maxCount: 500 }));
      }),
      this.repeat(n => this.subscribeShortly(client, n)),
      this.repeat(() => this.dropConnection()),
    ])
    this.over.catch(() => {}) // Told by the next sample, or by `stop`.
  }

  async stop(): Promise<void> {
    this.isStopping = true
    await this.over
  }

  private async repeat(operation: (n: number) => Promise<unknown>): Promise<void> {
    for (let n = 0; !this.isStopping; n++) {
      await operation(n)
      this.operations++
    }
  }

  private async subscribeShortly(client: EventStoreDBClient, n: number): Promise<void> {
    const filter = streamNameFilter({ prefixes: [`soak-${n % 10}`], checkpointInterval: 10 })
    const subscription = client.subscribeToAll({ fromPosition: 'end', filter })
    subscription.on('data', () => {})
    subscription.on('error', () => {})
    await new Promise(resolve => setTimeout(resolve, 50))
    await subscription.unsubscribe()
  }

  /** A client that reads a little and goes away in the middle. */
  private async dropConnection(): Promise<void> {
    const client = EventStoreDBClient.connectionString(this.server.url)
    for await (const _ of client.readAll()) break
    await client.dispose()
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/** The soak as a figure: the heap of the second half of the minutes against that of the first. */
export async function soakBench(): Promise<Figure[]> {
  const minutes = Number(process.env.KOGI_SOAK_MINUTES ?? 10)
  const { first, second } = await soak(minutes, ({ second, operations, heapMb, anonymousMb }) =>
    process.stderr.write(
      `${second} s: ${operations} operations, heap ${heapMb.toFixed(1)} MB, anonymous ${anonymousMb.toFixed(1)} MB\n`,
    ),
  )
  if (second > first * GROWTH_MAX) throw new Error(`the heap grew from ${first} to ${second} MB`)
  return [{ name: 'store_soak_heap', value: second, unit: 'MB', bare: first, ratio: second / first }]
}
