import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Bucket limits in seconds, with small steps below 50 ms, where the latencies of commands and reads are. */
const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The metrics that every process has; a process with more registers them in `registry`. */
export type Metrics = ReturnType<typeof createMetrics>

/** Makes the metrics of one process. Nothing is global, because tests run several servers in one process. */
export function createMetrics(options: { service: string; processMetrics?: boolean }) {
  const registry = new Registry()
  registry.setDefaultLabels({ service: options.service })
  if (options.processMetrics) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    httpRequests: new Counter({
      name: 'http_requests_total',
      help: 'HTTP requests answered',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    httpDuration: new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the head of an HTTP request to its answer',
      labelNames: ['method', 'route'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    httpInFlight: new Gauge({ name: 'http_requests_in_flight', help: 'HTTP requests not answered yet', registers }),
    dbConnections: new Gauge({
      name: 'db_connections_active',
      help: 'PostgreSQL connections in use',
      labelNames: ['database'],
      registers,
    }),
    dbQueries: new Counter({
      name: 'db_queries_total',
      help: 'SQL statements run',
      labelNames: ['database', 'outcome'],
      registers,
    }),
    dbDuration: new Histogram({
      name: 'db_query_duration_seconds',
      help: 'Time of an SQL statement, to and fro',
      labelNames: ['database'],
      buckets: LATENCY_BUCKETS,
      registers,
    }),
  }
}
