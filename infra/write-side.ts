/** Puts the write path together: log, loaded streams, keys, clock. Used by the command API, by imports and by tests. */
import { randomUUID } from 'node:crypto'
import type { UnskippedBy } from '../commands/ports.ts'
import { referenceCheck } from '../commands/references.ts'
import type { CommandDeps } from '../commands/requests.ts'
import { loadedStreams } from '../commands/streams.ts'
import { Turns } from '../commands/turns.ts'
import { unskippedBy } from '../projections/rows/projection.ts'
import { answeredCommands } from './answered.ts'
import { mustAllow } from './auth/permissions.ts'
import { aggregates, codec, projections } from './catalogue.ts'
import { timestampNow } from './clock.ts'
import type { Config } from './config.ts'
import type { EngineUrls } from './engines.ts'
import { erasedSubjects } from './erasures/erased.ts'
import { commandStore } from './event-store/command-store.ts'
import { readSkips } from './event-store/skips.ts'
import { answerTo } from './http/errors.ts'
import { type KeyWatch, keyWatch } from './key-watch.ts'
import { keyring } from './keyring.ts'
import { type Log, reasonOf } from './log.ts'
import { masterKeysOf } from './master-keys.ts'
import type { Metrics } from './metrics.ts'
import { createPool } from './postgres.ts'
import { refusals } from './refusals.ts'

export type WriteSide = { readonly deps: CommandDeps; readonly close: () => Promise<void> }

/** Opens the write side on these engines. Connects lazily: an engine that is down shows in the answers. */
export function openWriteSide(
  urls: EngineUrls,
  config: Config,
  log: Log,
  metrics?: Metrics,
  watch: KeyWatch = keyWatch(log),
): WriteSide {
  const store = timed(commandStore(urls.eventStoreUrl, config.appendTimeoutMs), metrics)
  const keys = createPool({
    url: urls.keysDatabaseUrl,
    name: 'keys',
    log,
    max: config.databasePoolSize,
    connectTimeoutMs: config.databaseConnectTimeoutMs,
    ...(metrics && { metrics }),
  })
  const onSnapshotFailed = (stream: string, error: unknown) =>
    log.warn({ err: error, stream }, 'no snapshot was written')
  const deps: CommandDeps = {
    store,
    codec,
    streams: loadedStreams({ store, codec, unskippedBy: skipLookup(urls.eventStoreUrl), onSnapshotFailed }),
    checkReferences: referenceCheck(aggregates, store),
    turns: new Turns(),
    now: timestampNow,
    onRefused: refusals(store, log, timestampNow),
    onAnswered: answeredCommands(log, metrics),
    keyring: keyring(keys, {
      watch,
      erased: erasedSubjects(store),
      masters: masterKeysOf(config),
      ...(metrics && { metrics }),
    }),
    newKey: randomUUID,
    mustAllow,
    errorAnswer(error, correlationId) {
      const answer = answerTo(error)
      const { status, code } = answer
      const context = { status, code, ...(status === 500 ? { error } : { reason: reasonOf(error) }) }
      const line = { trace_id: correlationId, context }
      if (answer.status >= 500) log[answer.status === 500 ? 'error' : 'warn'](line, 'a command of a bulk failed')
      return answer
    },
  }
  return {
    deps,
    async close() {
      await Promise.allSettled([store.close(), keys.end()])
    },
  }
}

/** A store whose appends are measured. */
function timed(store: ReturnType<typeof commandStore>, metrics: Metrics | undefined): ReturnType<typeof commandStore> {
  if (!metrics) return store
  const append: typeof store.append = async (stream, expected, events) => {
    const start = performance.now()
    try {
      return await store.append(stream, expected, events)
    } finally {
      metrics.appendDuration.observe((performance.now() - start) / 1000)
    }
  }
  return { ...store, append }
}

/** Looks the skips up in the log: only where an event cannot be read, so nothing is kept. */
const skipLookup =
  (url: string): UnskippedBy =>
  async event => {
    const skips = new Map<string, Set<bigint>>()
    for (const { projection, position } of await readSkips(
      url,
      projections.map(({ name }) => name),
    )) {
      skips.set(projection, (skips.get(projection) ?? new Set()).add(position))
    }
    return unskippedBy(projections, skips, event)
  }
