/** The HTTP processes: the command API, the read API, or both on one port. */
import type { Server } from 'node:http'
import pg from 'pg'
import { uploadRoutes } from '../../commands/briefcase/files.ts'
import { restoreBookRoute } from '../../commands/briefcase/restore-book.ts'
import { taskTableRoute } from '../../commands/center/task-table.ts'
import { apiKeyRoutes } from '../../commands/identity/api-keys.ts'
import { importRoutes } from '../../commands/imports/routes.ts'
import { type FindDuplicates, flaggingDuplicates } from '../../commands/memory/store.ts'
import { officeImportRoutes } from '../../commands/office/import.ts'
import type { EventStore } from '../../commands/ports.ts'
import type { CommandDeps } from '../../commands/requests.ts'
import { restoreRoutes } from '../../commands/restore.ts'
import { commandRoutes } from '../../commands/routes.ts'
import { secretRoutes } from '../../commands/vault/secrets.ts'
import { partsOfDirectory } from '../../domain/identity/access.ts'
import { Rejection } from '../../domain/kernel/errors.ts'
import type { Route } from '../../domain/kernel/route.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { aliasesOf } from '../../read-api/aliases.ts'
import { followCheckpoints } from '../../read-api/checkpoint-signal.ts'
import { explainRoute } from '../../read-api/identity/explain.ts'
import { liveRoutes } from '../../read-api/live/routes.ts'
import { keepMoments } from '../../read-api/moments.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { settingsRoutes } from '../../read-api/settings/routes.ts'
import { absent, followVersions } from '../../read-api/versions.ts'
import { admission } from '../access/admission.ts'
import { storedKeys } from '../access/api-keys.ts'
import { type Directories, directories } from '../access/directories.ts'
import { explaining } from '../access/explain.ts'
import { sharedThings } from '../access/governed.ts'
import { namesOthersOf, thingsOf } from '../access/things.ts'
import type { Authenticate } from '../auth/authenticate.ts'
import { tokenAdvice } from '../auth/dev-keys.ts'
import { allows, permissions } from '../auth/permissions.ts'
import {
  domainStreamPrefixes,
  guards,
  kinds,
  memories,
  memoryPermissions,
  projections,
  resources,
  services,
} from '../catalogue.ts'
import { timestampNow } from '../clock.ts'
import type { Config } from '../config.ts'
import { type Configurations, configurations } from '../configurations.ts'
import { mountDav } from '../dav/mount.ts'
import type { EngineUrls } from '../engines.ts'
import { erasedSubjects } from '../erasures/erased.ts'
import { keyNamesOf } from '../erasures/keys.ts'
import { commandStore } from '../event-store/command-store.ts'
import { eventLog } from '../event-store/reader.ts'
import { fileStore } from '../files/open.ts'
import { watchBacklog } from '../http/backlog.ts'
import { mountDocs } from '../http/docs.ts'
import { mountHealth, type Probe } from '../http/health.ts'
import { type Lifecycle, listen } from '../http/lifecycle.ts'
import { Places, placeLimits } from '../http/places.ts'
import { createApp } from '../http/server.ts'
import { Slices } from '../http/slices.ts'
import { type KeyWatch, keyWatch } from '../key-watch.ts'
import { keyring } from '../keyring.ts'
import { type Log, reasonOf } from '../log.ts'
import { masterKeysOf } from '../master-keys.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { sealedEvents } from '../notary/sealed-events.ts'
import { notedOperations } from '../operations.ts'
import { createPool, type Pool } from '../postgres.ts'
import { notedRefusals } from '../refusals.ts'
import { secretMasters } from '../secrets/master.ts'
import { secretValues } from '../secrets/values.ts'
import { notedReads, sensitiveReads } from '../sensitive-reads.ts'
import { mountMetadata, signInRoutesOf } from '../sign-in/open.ts'
import { openWriteSide } from '../write-side.ts'
import { readXml } from '../xml/read.ts'
import { type Callers, openCallers } from './callers.ts'
import { duplicateFinder, openDuplicates } from './duplicates.ts'
import { openLive } from './live.ts'
import { memoryThread } from './memory-thread.ts'

type Side = 'commands' | 'reads'

type ApiOptions = {
  readonly config: Config
  readonly urls: EngineUrls
  readonly log: Log
  readonly lifecycle: Lifecycle
  readonly sides: readonly Side[]
  /** Further probes that must be green for this process to be ready. */
  readonly probes?: readonly Probe[]
}

type SideParts = {
  /** Where who may do what is read. */
  readonly store: Pick<EventStore, 'read'>
  readonly routes: (callers: Callers) => readonly Route[]
  readonly probes: readonly Probe[]
  /** Serves what is no request, once the server listens. */
  readonly serve?: (server: Server, authenticate: Authenticate) => void
}

/** Serves one side of the API or both, and returns its URL. The lifecycle closes what is opened here. */
export async function startApi({ config, urls, log, lifecycle, sides, probes = [] }: ApiOptions): Promise<string> {
  const metrics = createMetrics({ service: sides.length === 1 ? `kogi-${sides[0]}` : 'kogi-api', processMetrics: true })
  const watch = keyWatch(log, metrics)
  const between: Between = {}
  const ofLog = { read: (...of: Parameters<EventStore['read']>) => parts[0]!.store.read(...of) }
  const access = directories(ofLog)
  const settings = configurations(ofLog)
  const parts: readonly SideParts[] = sides.map(side =>
    PARTS[side]({ config, urls, log, lifecycle, metrics, watch, between, access, settings }),
  )
  if (sides.includes('commands')) between.findDuplicates ??= openDuplicates({ config, urls, log, lifecycle })
  const keyPool = keysPool({ config, urls, log, lifecycle })
  const keys = { name: 'keys', check: () => watch.check(keyPool) }
  const callers = await openCallers({ config, log, keyPool, watch, store: parts[0]!.store, access, settings })
  const { authenticate, issuer } = callers
  const routes = parts.flatMap(part => part.routes(callers))
  const reads = countedPlaces(config, metrics)
  const admit = admission(settings)
  const app = createApp({
    routes,
    aliases: aliasesOf(routes),
    authenticate,
    admit,
    isShared: sharedThings(access, thingsOf(services), namesOthersOf(services)),
    log,
    metrics,
    config,
    drain: lifecycle.drain,
    reads,
    mount: app => {
      const all = [...parts.flatMap(part => part.probes), keys, ...probes]
      mountHealth(app, { probes: all, metrics, drain: lifecycle.drain })
      if (issuer) mountMetadata(app, issuer)
      if (sides.length > 1)
        mountDav(app, {
          routes,
          authenticate,
          admit,
          onFault: fault => log.error({ reason: reasonOf(fault) }, 'a request of a calendar client failed'),
        })
      mountDocs(app, routes, { services, token: tokenAdvice(config) })
    },
  })
  const slices = new Slices()
  const { server, url } = await listen(app, lifecycle, config, slices)
  for (const part of parts) part.serve?.(server, authenticate)
  const onBusy = () => {
    slices.hold()
    reads.shut()
  }
  const onCalm = () => {
    reads.open()
    slices.release()
  }
  watchBacklog(server, { onBusy, onCalm })
  return url
}

function countedPlaces(config: Config, metrics: Metrics): Places {
  const places = new Places(placeLimits(config))
  metrics.gauge('http_reads_at_work', 'Reads that are worked on', () => places.atWork)
  metrics.gauge('http_reads_queued', 'Reads that wait for their turn', () => places.queued)
  return places
}

type PartOptions = Pick<ApiOptions, 'config' | 'urls' | 'log' | 'lifecycle'> & {
  readonly metrics: Metrics
  readonly watch: KeyWatch
  readonly between: Between
  readonly access: Directories
  readonly settings: Configurations
}

/** What one side has for the other. */
type Between = { findDuplicates?: FindDuplicates }

/** Categories whose events say who may do what. */
const OF_DIRECTORY: ReadonlySet<string> = new Set(partsOfDirectory.map(({ name }) => name))

const OF_SETTINGS: ReadonlySet<string> = new Set(['configuration', 'platform'])

const PARTS: Readonly<Record<Side, (options: PartOptions) => SideParts>> = {
  commands({ config, urls, log, lifecycle, metrics, watch, between, access, settings }) {
    const keys = keysPool({ config, urls, log, lifecycle })
    const { deps: opened, close } = openWriteSide(urls, config, log, metrics, watch)
    const deps: CommandDeps = {
      ...opened,
      onAnswered(command, outcome, durationMs) {
        const isRefused = 'error' in outcome && outcome.error instanceof Rejection
        if (OF_DIRECTORY.has(command.aggregate.name) && !isRefused) access.changed(command.principal.org)
        if (OF_SETTINGS.has(command.aggregate.name)) settings.changed(command.aggregate.name, command.principal.org)
        opened.onAnswered?.(command, outcome, durationMs)
      },
    }
    lifecycle.onStop('write side', close)
    const probe = { name: 'event_store', check: () => deps.store.readDerived('health-probe', 'backwards', 1) }
    const { put: putFile } = fileStore(config)
    return {
      store: deps.store,
      routes: ({ issuer, users, keyPool, ...callers }) => [
        ...secretRoutes({ ...deps, secretValues: secretValues(keys, secretMasters(config)) }),
        ...flaggingDuplicates(commandRoutes(services, deps), (...of) => between.findDuplicates!(...of)),
        ...importRoutes({ ...deps, readXml }),
        ...apiKeyRoutes({ ...deps, storeKey: storedKeys(keys) }),
        restoreBookRoute(deps),
        ...uploadRoutes({ ...deps, putFile, fileBytesMax: config.fileBytesMax }),
        taskTableRoute(deps),
        ...restoreRoutes(deps),
        ...(issuer
          ? signInRoutesOf(
              { config, pool: keyPool, keyring: deps.keyring, write: deps, issuer, users, directories: access },
              callers,
            )
          : []),
        ...officeImportRoutes(deps),
      ],
      probes: [{ ...probe, check: async () => void (await probe.check()) }],
    }
  },
  reads({ config, urls, log, lifecycle, metrics, watch, between, access, settings }) {
    const shared = { log, metrics, max: config.databasePoolSize, connectTimeoutMs: config.databaseConnectTimeoutMs }
    const limits = { statementTimeoutMs: config.databaseStatementTimeoutMs }
    const pool = createPool({ url: urls.databaseUrl, name: 'read', ...shared, ...limits })
    const keys = createPool({ url: urls.keysDatabaseUrl, name: 'keys', ...shared })
    // Health has a connection of its own: it is asked most when reads have taken all others.
    const own = createPool({
      url: urls.databaseUrl,
      name: 'read',
      log,
      max: 1,
      connectTimeoutMs: shared.connectTimeoutMs,
    })
    const signal = followCheckpoints({
      connect: async () => {
        const client = new pg.Client({ connectionString: urls.databaseUrl, keepAlive: true })
        await client.connect()
        return client
      },
      serves: projections,
      onFault: error => log.warn({ reason: reasonOf(error) }, 'no word of checkpoints; waiting reads poll'),
    })
    const versions = followVersions(pool)
    const events = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    const store = commandStore(urls.eventStoreUrl)
    const erased = erasedSubjects(store)
    const { open: unseal } = keyring(keys, { watch, metrics, erased, masters: masterKeysOf(config) })
    const index = memoryThread({ config, urls, log })
    const { search, insights, holds } = index
    between.findDuplicates = duplicateFinder({ pool, unseal, search }, log)
    const reads = sensitiveReads(store, log, timestampNow)
    lifecycle.onStop('read side', async () => {
      await Promise.allSettled([signal.close(), reads.close(), index.close()])
      await Promise.allSettled([pool.end(), keys.end(), own.end(), events.close(), store.close()])
    })
    const moments = keepMoments(pool)
    const stores = { pool, signal, versions, moments, guards, unseal, search, holds }
    const live = openLive({ config, log, lifecycle, metrics, stores })
    const routes = [
      ...readRoutes({
        ...stores,
        openFile: fileStore(config).read,
        eventsAt: sealedEvents({ pool, events, store }),
        refusals: (...of) => notedRefusals(store, ...of),
        sensitiveReads: (...of) => notedReads(store, ...of),
        operations: (_, ...of) => notedOperations(store, ...of),
        noteRead: reads.note,
        keysOf: (...of) => keyNamesOf(keys, ...of),
        kinds,
        insights,
        memories,
        memoryPermissions,
        resources,
        allows,
      }),
      ...liveRoutes(live.deps),
      ...settingsRoutes({ ...settings, allows, now: timestampNow }),
      explainRoute({ explain: explaining(access), permissions, allows, now: timestampNow }),
    ]
    const check = async () => {
      const [missing] = await absent(own, projections.map(tableOf))
      if (missing !== undefined) throw new Error(`${missing} is not there yet: a projector makes the tables`)
      await versions.built(projections)
    }
    return { store, routes: () => routes, probes: [{ name: 'read_models', check }], serve: live.serve }
  },
}

/** Connections to the keys for what every request may ask, and for health. */
function keysPool({ config, urls, log, lifecycle }: Pick<PartOptions, 'config' | 'urls' | 'log' | 'lifecycle'>): Pool {
  const connectTimeoutMs = config.databaseConnectTimeoutMs
  const pool = createPool({ url: urls.keysDatabaseUrl, name: 'keys', log, max: 2, connectTimeoutMs })
  lifecycle.onStop('keys of callers', () => pool.end())
  return pool
}
