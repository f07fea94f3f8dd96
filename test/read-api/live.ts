/** The read API over HTTP, on rows that the runner made: what tests of answers from the past share. */
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import type { Route } from '../../domain/kernel/route.ts'
import { createApp } from '../../infra/http/server.ts'
import { silentLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import type { Pool } from '../../infra/postgres.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { type ReadDeps, readRoutes } from '../../read-api/routes.ts'
import { type Answer, client } from '../support/client.ts'

export type Live = {
  /** Reads as the org; the path begins below `/api/v1`. */
  readonly get: (org: string, path: string, headers?: Record<string, string>) => Promise<Answer>
  readonly close: () => Promise<void>
}

/** Serves reads of a database on a free port. Personal data stays sealed: `sealed <text>`. */
export async function serveReads(pool: Pool, routesOf: (deps: ReadDeps) => Route[] = readRoutes): Promise<Live> {
  const signal = followCheckpoints({
    async connect() {
      const client = new pg.Client({ connectionString: pool.options.connectionString })
      await client.connect()
      return client
    },
  })
  const app = createApp({
    routes: routesOf({
      pool,
      signal,
      unseal: async (_, envelopes) => envelopes.map(({ text }) => `sealed ${text}`),
      memories: memoryIndex({ pool }).search,
      allows: () => true,
    }),
    aliases: {},
    authenticate: org => ({ subject: 'reader', org: org!.slice(7), roles: [], permissions: ['*'] }),
    log: silentLog,
    metrics: createMetrics({ service: 'test', processMetrics: false }),
    config: { bodyLimitBytes: 1_000_000, corsOrigins: [] },
  })
  const server = app.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clients = new Map<string, ReturnType<typeof client>>()
  return {
    get(org, path, headers = {}) {
      const known = clients.get(org) ?? client(base, org)
      clients.set(org, known)
      return known.call('GET', `/api/v1${path}`, { headers })
    },
    async close() {
      for (const each of clients.values()) each.close()
      server.closeAllConnections()
      server.close()
      await signal.close()
    },
  }
}
