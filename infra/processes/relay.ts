/** The relay process: the log to the event bus. Of several one works, and the others stand by. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import pg from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import { domainStreamPrefixes, serviceOfCategory } from '../catalogue.ts'
import { type Config, EMBEDDED } from '../config.ts'
import type { EngineUrls } from '../engines.ts'
import { commandStore } from '../event-store/command-store.ts'
import { eventLog } from '../event-store/reader.ts'
import { HeadWatch } from '../head-watch.ts'
import type { Probe } from '../http/health.ts'
import { Leases } from '../leases.ts'
import type { Log } from '../log.ts'
import type { Metrics } from '../metrics.ts'
import type { Bus } from '../relay/bus.ts'
import { jetStreamBus } from '../relay/jetstream.ts'
import { relayMetrics } from '../relay/metrics.ts'
import { RELAY, Relay } from '../relay/relay.ts'

type Relaying = {
  /** Red when the bus or an engine does not answer, or the head of the log moves and the relay does not. */
  readonly probes: readonly Probe[]
  /** Ends after the messages under way; another relay can go on at once. */
  readonly close: () => Promise<void>
}

const HOUR_MS = 3_600_000

/** The event bus of the settings. Throws `no_event_bus` where they name no server. */
export function busOf({ natsUrl, natsStream, natsKeepHours, natsConsumers }: Config): Bus {
  if (natsUrl === EMBEDDED) throw new KogiError('no_event_bus', 'Name a NATS server with JetStream in KOGI_NATS_URL.')
  return jetStreamBus({
    url: natsUrl,
    stream: natsStream,
    maxAgeMs: natsKeepHours * HOUR_MS,
    consumers: natsConsumers,
  })
}

export type RelayProcessOptions = {
  readonly config: Config
  readonly urls: EngineUrls
  readonly log: Log
  readonly metrics?: Metrics
  readonly bus?: Bus
  readonly leaseMs?: number
}

/** Starts relaying. Never fails because an engine or the bus is away: it waits for it, visibly. */
export function startRelay({
  config,
  urls,
  log,
  metrics,
  leaseMs,
  bus = busOf(config),
}: RelayProcessOptions): Relaying {
  const id = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`
  const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  const store = commandStore(urls.eventStoreUrl, config.appendTimeoutMs)
  const figures = metrics && relayMetrics(metrics.registry)
  const relay = new Relay({
    bus,
    events,
    store,
    serviceOf: serviceOfCategory,
    worker: id,
    log,
    now: () => new Date().toISOString(),
    ...(figures && { onRelayed: figures.onRelayed }),
  })
  const connect = async () => {
    const client = new pg.Client({
      connectionString: urls.databaseUrl,
      keepAlive: true,
      application_name: 'kogi-relay',
      connectionTimeoutMillis: config.databaseConnectTimeoutMs,
    })
    await client.connect()
    return client
  }
  const work = { name: RELAY, run: (signal: AbortSignal) => relay.run(signal) }
  const leases = new Leases({ connect, owner: id, log, ...(leaseMs !== undefined && { ttlMs: leaseMs }) }, [work])
  const watch = new HeadWatch(events, () => (relay.position === undefined ? [] : [relay.position]))
  figures?.watch(() => ({ position: relay.position, head: watch.head, stuckMs: watch.stuckMs }))
  return {
    probes: [
      { name: 'leases', check: () => heldOrThrow(leases) },
      { name: 'event_bus', check: () => checkRelay(relay) },
      { name: 'head', check: () => watch.check() },
    ],
    async close() {
      watch.close()
      await leases.close()
      await Promise.allSettled([bus.close(), events.close(), store.close()])
    },
  }
}

function heldOrThrow({ state: { held, error } }: Leases): readonly string[] {
  if (error) throw new Error(`the database of the leases does not answer: ${error.message}`)
  return [...held]
}

function checkRelay({ trouble, position }: Relay) {
  if (trouble) throw new Error(`events are not relayed: ${trouble.message}`)
  return { position: position ?? null }
}
