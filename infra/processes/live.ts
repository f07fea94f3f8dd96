/** The live side of the read API: one feed of announcements, the connections that follow it. */
import type { Server } from 'node:http'
import type { ReadStore } from '../../read-api/consistency.ts'
import { Connections } from '../../read-api/live/connections.ts'
import type { LiveDeps } from '../../read-api/live/event-stream.ts'
import { Feed } from '../../read-api/live/feed.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { allows } from '../auth/permissions.ts'
import { eventTypes, projections, readPermissions } from '../catalogue.ts'
import type { Config } from '../config.ts'
import type { Lifecycle } from '../http/lifecycle.ts'
import { liveMetrics } from '../http/live/metrics.ts'
import { serveSockets } from '../http/live/sockets.ts'
import { shareOf } from '../http/places.ts'
import { type Log, reasonOf } from '../log.ts'
import type { Metrics } from '../metrics.ts'

type LiveOptions = {
  readonly config: Config
  readonly log: Log
  readonly lifecycle: Lifecycle
  readonly metrics: Metrics
  readonly stores: Pick<ReadStore, 'pool' | 'signal' | 'versions' | 'guards'>
}

type Live = { readonly deps: LiveDeps; readonly serve: (server: Server, authenticate: Authenticate) => void }

export function openLive({ config, log, lifecycle, metrics, stores }: LiveOptions): Live {
  const { onEnd, onAnnounced } = liveMetrics(metrics.registry)
  const { liveConnections, liveHeartbeatMs: heartbeatMs, liveSlowMs: slowMs, liveBufferBytes: bufferBytes } = config
  const perOrg = config.liveConnectionsPerOrg ?? shareOf(liveConnections)
  const connections = new Connections({ connections: liveConnections, perOrg, heartbeatMs, slowMs }, onEnd)
  metrics.gauge('kogi_live_connections', 'Live connections that are open', () => connections.count)
  const onFault = (error: unknown) =>
    log.warn({ reason: reasonOf(error) }, 'events could not be announced, trying again')
  const feed = new Feed({ ...stores, projections, onFault, onAnnounced })
  lifecycle.onStop('feed of live connections', () => feed.close())
  const deps = { feed, connections, signal: stores.signal, readPermissions, allows, eventTypes, bufferBytes }
  return {
    deps,
    serve(server, authenticate) {
      serveSockets(server, {
        session: { ...deps, authenticate },
        corsOrigins: config.corsOrigins,
        drain: lifecycle.drain,
      })
      // Closes before the server does, which waits for answers without an end.
      lifecycle.onStop('live connections', () => connections.close())
    },
  }
}
