/** Events relayed in a second, from the log into JetStream, against bare publishing of the same bytes. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { jsonEvent } from '@eventstore/db-client'
import { connect, StorageType } from 'nats'
import { domainStreamPrefixes, serviceOfCategory } from '../../infra/catalogue.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { freePort } from '../../infra/free-port.ts'
import { silentLog } from '../../infra/log.ts'
import { administrationOf, probeNats } from '../../infra/nats.ts'
import type { BusMessage } from '../../infra/relay/bus.ts'
import { jetStreamBus } from '../../infra/relay/jetstream.ts'
import { messageOf, Relay } from '../../infra/relay/relay.ts'
import { type Figure, paired } from './figure.ts'
import { type Bench, startServer } from './store-load.ts'

const EVENTS = 20_000
const PER_STREAM = 500
const ROUNDS = 5
/** Bare messages on their way at once: as many as the relay has. */
const WINDOW = 1_024
const BARE = 'BARE'

export async function relayBench(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'kogi-bench-nats-'))
  const port = await freePort()
  const url = `nats://127.0.0.1:${port}`
  const nats = spawn('nats-server', ['-js', '-sd', folder, '-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const started = await answering(nats, url)
  if (!started) {
    process.stderr.write('no nats-server on this machine (apt-get install nats-server): the relay is not measured\n')
    return []
  }
  const server = await startServer(undefined)
  try {
    const rounds: { value: number; bare: number }[] = []
    // The first round warms both up.
    for (let round = 0; round <= ROUNDS; round++) {
      const figures = await oneRound(server, url)
      if (round > 0) rounds.push(figures)
    }
    return [paired('events_relayed_per_second', '1/s', rounds)]
  } finally {
    await server.stop()
    nats.kill('SIGTERM')
    await once(nats, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
}

async function answering(nats: ChildProcess, url: string): Promise<boolean> {
  let isThere = true
  nats.on('error', () => {
    isThere = false
  })
  while (isThere && !(await probeNats(url).catch(() => undefined))) await sleep(50)
  return isThere
}

/** Appends events and relays them; then publishes what was relayed once more, without a relay. */
async function oneRound(server: Bench, url: string): Promise<{ value: number; bare: number }> {
  const events = eventLog({ url: server.url, prefixes: domainStreamPrefixes })
  const store = commandStore(server.url)
  const bus = jetStreamBus({ url, stream: 'KOGI', maxAgeMs: 0, consumers: [] })
  const after = await events.head()
  await append(server)
  const head = await events.head()
  const messages: BusMessage[] = []
  for await (const list of events.read({ after, to: head, max: 500 })) {
    for (const event of list) messages.push(messageOf(event, { serviceOf: serviceOfCategory, bus })!)
  }
  const now = () => new Date().toISOString()
  const relay = new Relay({
    bus,
    events,
    store,
    serviceOf: serviceOfCategory,
    worker: randomUUID(),
    log: silentLog,
    now,
  })
  const stop = new AbortController()
  const began = performance.now()
  const running = relay.run(stop.signal)
  while ((relay.position ?? 0n) < head) await sleep(1)
  const value = messages.length / ((performance.now() - began) / 1_000)
  stop.abort()
  await running
  await Promise.all([bus.close(), store.close(), events.close()])
  return { value, bare: await publishBare(url, messages) }
}

async function append({ client }: Bench): Promise<void> {
  for (let n = 0; n < EVENTS; n += PER_STREAM) {
    const stream = randomUUID()
    const made = Array.from({ length: PER_STREAM }, (_, at) =>
      jsonEvent({
        type: 'ItemUpdated',
        data: { name: `Item ${n + at}`, description: 'x'.repeat(80), metadata: { n: n + at } },
        metadata: {
          $correlationId: randomUUID(),
          $causationId: randomUUID(),
          commandId: randomUUID(),
          fingerprint: 'f'.repeat(64),
          org: 'bench',
          id: stream,
          actor: { subject: 'bench', roles: ['team-member'] },
          subjects: [],
          at: new Date().toISOString(),
          schema: 1,
        },
      }),
    )
    await client.appendToStream(`item-${stream}`, made)
  }
}

async function publishBare(url: string, messages: readonly BusMessage[]): Promise<number> {
  const connection = await connect({ servers: url.slice('nats://'.length) })
  const admin = await administrationOf(connection)
  await admin.streams.add({ name: BARE, subjects: ['bare.>'], storage: StorageType.File })
  const publisher = connection.jetstream()
  const began = performance.now()
  const sent: Promise<unknown>[] = []
  for (const [n, { subject, id, body }] of messages.entries()) {
    if (n >= WINDOW) await sent[n - WINDOW]
    sent.push(publisher.publish(`bare.${subject}`, body, { msgID: id }))
  }
  await Promise.all(sent)
  const rate = messages.length / ((performance.now() - began) / 1_000)
  await admin.streams.delete(BARE)
  await connection.close()
  return rate
}
