/** The read API over HTTP, on rows that the runner made: what tests of answers from the past share. */
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import type { Sealed } from '../../domain/kernel/schema.ts'
import { kinds, memories, memoryPermissions, projections, resources } from '../../infra/catalogue.ts'
import { createApp } from '../../infra/http/server.ts'
import { silentLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import type { Pool } from '../../infra/postgres.ts'
import { memoryIndex } from '../../projections/memory/index.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { Guards } from '../../read-api/readers.ts'
import type { Resource } from '../../read-api/resource.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { followVersions } from '../../read-api/versions.ts'
import { type Answer, client } from '../support/client.ts'

export type Live = {
  /** Reads as the org; the path begins below `/api/v1`. */
  readonly get: (org: string, path: string, headers?: Record<string, string>) => Promise<Answer>
  /** What `/health/ready` asks: throws while a version is being built. */
  readonly ready: () => Promise<void>
  readonly close: () => Promise<void>
}

/** The code that a process is of: its projections, and the resources over them. */
export type Code = { readonly projections: readonly AnyProjection[]; readonly resources: readonly Resource[] }

/** Serves reads of a database on a free port. Personal data stays sealed: `sealed <text>`. */
export async function serveReads(pool: Pool, code: Code = { projections, resources }): Promise<Live> {
  const versions = followVersions(pool as never)
  const signal = followCheckpoints({
    serves: code.projections,
    async connect() {
      const client = new pg.Client({ connectionString: pool.options.connectionString })
      await client.connect()
      return client
    },
  })
  const unseal = async (_: string, envelopes: readonly Sealed[]) => envelopes.map(({ text }) => `sealed ${text}`)
  const deps = {
    pool: pool as never,
    signal,
    versions,
    moments: keepMoments(pool as never, { step: 3, walk: 7 }),
    guards: new Guards(code.projections),
    unseal,
    ...memoryIndex({ pool, memories, unseal }),
    memories,
    kinds,
    memoryPermissions,
    resources: code.resources,
    eventsAt: async () => [],
    refusals: async () => [],
    sensitiveReads: async () => [],
    operations: async () => [],
    noteRead: () => {},
    keysOf: async () => new Set<string>(),
    openFile: async () => undefined,
    allows: () => true,
  }
  const app = createApp({
    routes: readRoutes(deps),
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
    ready: async () => versions.built(code.projections),
    async close() {
      for (const each of clients.values()) each.close()
      server.closeAllConnections()
      server.close()
      await signal.close()
    },
  }
}
