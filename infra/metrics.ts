import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Bucket limits in seconds, with small steps below 50 ms, where the latencies of commands and reads are. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** How often the delay of the event loop is measured: every 10 ms, the default, takes 0.3 % of a core at rest. */
const LOOP_DELAY_MS = 100

/** The metrics that every process has; a process with more registers them in `registry`. */
export type Metrics = ReturnType<typeof createMetrics>

/** Makes the metrics of one process. Nothing is global, because tests run several servers in one process. */
export function createMetrics(options: { service: string; processMetrics?: boolean }) {
  const registry = new Registry()
  registry.setDefaultLabels({ service: options.service })
  if (options.processMetrics) collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LOOP_DELAY_MS })
  const registers = [registry]
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const duration = (name: string, help: string, labelNames: string[] = []) =>
    new Histogram({ name, help, labelNames, buckets: LATENCY_BUCKETS, registers })
  const keyLookups = counter('kogi_key_lookups_total', 'Keys of data subjects looked up', ['outcome'])
  return {
    registry,
    ...httpMetrics(
      counter('http_requests_total', 'HTTP requests answered', ['method', 'route', 'status']),
      duration('http_request_duration_seconds', 'Time from the head of an HTTP request to its answer', [
        'method',
        'route',
      ]),
    ),
    httpInFlight: new Gauge({ name: 'http_requests_in_flight', help: 'HTTP requests not answered yet', registers }),
    dbConnections: new Gauge({
      name: 'db_connections_active',
      help: 'PostgreSQL connections in use',
      labelNames: ['database'],
      registers,
    }),
    dbQueries: counter('db_queries_total', 'SQL statements run', ['database', 'outcome']),
    dbDuration: duration('db_query_duration_seconds', 'Time of an SQL statement, to and fro', ['database']),
    commandAnswered: commandMetrics(
      counter(
        'kogi_commands_total',
        'Commands decided: accepted, replayed, unchanged, dry_run or the code of a refusal',
        ['command', 'outcome'],
      ),
    ),
    appendDuration: duration('kogi_append_duration_seconds', 'Time of an append to the event store'),
    keyCacheHits: keyLookups.labels('cached'),
    keyCacheMisses: keyLookups.labels('asked'),
    keysMissing: counter('kogi_personal_keys_missing_total', 'Sealed texts that were to be opened and have no key'),
    /** Adds a value that is asked for whenever metrics are collected. */
    gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    },
  }
}

type Inc = { readonly inc: () => void }

/** Notes answered requests. What belongs to a set of labels is looked up once, not for every request. */
function httpMetrics(requests: Counter, durations: Histogram) {
  const routes = new Map<string, { readonly observe: (seconds: number) => void; readonly statuses: Map<number, Inc> }>()
  return {
    httpAnswered(method: string, route: string, status: number, seconds: number): void {
      const name = `${method} ${route}`
      const known = routes.get(name) ?? { ...durations.labels(method, route), statuses: new Map() }
      routes.set(name, known)
      known.observe(seconds)
      const counted = known.statuses.get(status) ?? requests.labels(method, route, String(status))
      known.statuses.set(status, counted)
      counted.inc()
    },
  }
}

function commandMetrics(commands: Counter) {
  const known = new Map<string, Inc>()
  return (command: string, outcome: string): void => {
    const name = `${command} ${outcome}`
    const counted = known.get(name) ?? commands.labels(command, outcome)
    known.set(name, counted)
    counted.inc()
  }
}
