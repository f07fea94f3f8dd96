import { statfs } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import pg from 'pg'
import { domainStreamPrefixes, projections } from '../infra/catalogue.ts'
import type { Config } from '../infra/config.ts'
import { type Engines, openEngines } from '../infra/engines.ts'
import { erasedSubjects } from '../infra/erasures/erased.ts'
import { type Disagreement, disagreements, type Person, unknownMasters } from '../infra/erasures/keys.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { damagedStreams } from '../infra/event-store/damage.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { silentLog } from '../infra/log.ts'
import { masterKeysOf } from '../infra/master-keys.ts'
import { missingKeysSaid, missingPersonalKeys } from '../infra/missing-keys.ts'
import { probeNats } from '../infra/nats.ts'
import { createPool, type Pool } from '../infra/postgres.ts'
import { secretMasters } from '../infra/secrets/master.ts'
import { countSecrets } from '../infra/secrets/values.ts'
import { within } from '../infra/within.ts'
import { type ProjectionStatus, projectionStatus } from '../projections/care/operate.ts'
import { greatest } from '../projections/rows/positions.ts'
import { logWentBack } from '../projections/runner/watch.ts'
import { fail, STATUS, statusHelp } from './failing.ts'
import { standing } from './notary-check.ts'
import { asExpected, mustHaveData, type OperatorOptions, print } from './operator.ts'
import { configFrom } from './serve.ts'
import { table } from './terminal.ts'

const ANSWER_MS_MAX = 5_000
/** Below this much free disk the log may soon refuse appends. */
const FREE_BYTES_MIN = 2 ** 30
/** Sealed texts of each column that are looked at. */
const SEALED_ROWS_MAX = 10_000
const NO_FOLDER = 'every engine is named in the configuration: no data folder is needed'

type Finding = { readonly part: string; readonly state: 'ok' | 'warning' | 'failed'; readonly detail: string }

/** `kogi doctor`: looks at every part and says what is wrong with it. */
export const doctorCommand = () =>
  new Command('doctor')
    .description('say which engines answer, their versions, whether the read models follow the log, and the disk')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'findings as JSON')
    .addHelpText('after', HELP)
    .action(async (options: OperatorOptions) => {
      try {
        const config = configFrom(options.data === undefined ? {} : { data: options.data })
        await mustHaveData(config)
        const engines = await openEngines(config, silentLog)
        try {
          const findings = await examine(config, engines)
          const rows = findings.map(({ part, state, detail }) => [part, state, detail])
          print(options, findings, table(['part', 'state', 'detail'], rows))
          process.exitCode = findings.some(({ state }) => state === 'failed') ? STATUS.no : 0
        } finally {
          await engines.close()
        }
      } catch (error) {
        fail(error, { json: options.json, refused: STATUS.refused })
      }
    })

const HELP = `
An engine that does not answer is a part that has failed, as are projections that are stalled, that no living projector
works on, or whose rows are of another log, personal data whose key is missing or was destroyed without an erasure, keys
of erased persons that are there, and signed checkpoints that are not of this log.
${statusHelp('a part has failed')}

Example:
  $ kogi doctor`

async function examine(config: Config, urls: Engines): Promise<Finding[]> {
  const log = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  try {
    return await Promise.all([
      look('node', async () => process.version),
      look('event store', async () => `${await versionOf(urls.eventStoreUrl)}, head at ${await log.head()}`),
      look('streams', () => intactStreams(urls.eventStoreUrl)),
      look('read models', () => postgresVersion(urls.databaseUrl)),
      look('keys', () => postgresVersion(urls.keysDatabaseUrl)),
      look('event bus', () => probeNats(config.natsUrl)),
      look('personal data', () => personalDataOf(config, urls)),
      look('projections', () => projectionsOf(urls, log.head)),
      look('seal', () => sealOf(config, urls)),
      look('disk', async () => (urls.runBy === 'configuration' ? NO_FOLDER : diskOf(config.dataDir))),
    ])
  } finally {
    await log.close()
  }
}

/** Runs one check; what it throws is the finding. A detail that begins with `!` is a warning. */
async function look(part: string, check: () => Promise<string>): Promise<Finding> {
  try {
    const detail = await within(ANSWER_MS_MAX, check(), () => new Error(`no answer in ${ANSWER_MS_MAX} ms`))
    return detail.startsWith('!') ? { part, state: 'warning', detail: detail.slice(1) } : { part, state: 'ok', detail }
  } catch (error) {
    return { part, state: 'failed', detail: (error as Error).message }
  }
}

/** Looks at the checkpoints themselves: `kogi notary check` hashes the log as well. */
async function sealOf(config: Config, { eventStoreUrl }: Engines): Promise<string> {
  const store = commandStore(eventStoreUrl)
  try {
    const { seal, faults } = await standing({ config, store })
    if (faults.length > 0) throw new Error(faults.join('; '))
    if (!seal) return '!nothing is sealed: no worker with a key has run'
    return `${seal.size} events, signed at ${seal.at}: kogi notary check hashes them`
  } finally {
    await store.close()
  }
}

async function versionOf(url: string): Promise<string> {
  const { hostname, port, searchParams } = new URL(url.replace(/^\w+(\+discover)?:/, 'http:'))
  const scheme = searchParams.get('tls') === 'false' ? 'http' : 'https'
  const answer = await fetch(`${scheme}://${hostname}:${port || 2113}/info`)
  return `version ${((await answer.json()) as { esVersion?: string }).esVersion ?? 'unknown'}`
}

async function intactStreams(url: string): Promise<string> {
  const damaged = await damagedStreams(url, domainStreamPrefixes)
  if (damaged.length === 0) return 'no domain stream was deleted, truncated or limited'
  throw new Error(`${damaged.length} damaged: ${damaged.slice(0, 5).join('; ')}`)
}

async function withClient<T>(url: string, ask: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: ANSWER_MS_MAX })
  await client.connect()
  try {
    return await ask(client)
  } finally {
    await client.end()
  }
}

const postgresVersion = (url: string) =>
  withClient(url, async client => {
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    return `PostgreSQL ${rows[0]!.server_version}`
  })

/** Looks at some rows: `kogi check` looks at more. */
async function personalDataOf(config: Config, engines: Engines): Promise<string> {
  const store = commandStore(engines.eventStoreUrl)
  const [rows, keys] = [engines.databaseUrl, engines.keysDatabaseUrl].map(url =>
    createPool({ url, name: 'read', log: silentLog, max: 1 }),
  ) as [Pool, Pool]
  try {
    const { looked, missing } = await missingPersonalKeys({ rows, keys }, projections, { rowsMax: SEALED_ROWS_MAX })
    if (missing.length > 0) throw new Error(missingKeysSaid(missing))
    const unnoted = await sameErasures(keys, store)
    const masters = masterKeysOf(config)
    await masters.check()
    const ofSecrets = secretMasters(config).names
    const secrets = await countSecrets(keys)
    const unknown = [
      ...(await unknownMasters(keys, masters)),
      ...secrets.flatMap(({ master }) => (ofSecrets.includes(master) ? [] : master)),
    ]
    if (unknown.length > 0)
      throw new Error(`keys are wrapped under master keys that are not set: ${unknown.join(', ')}`)
    if (unnoted.length > 0) return `!${unnotedSaid(unnoted)}`
    return `every key of ${looked} sealed texts is there, or was erased`
  } finally {
    await Promise.allSettled([rows.end(), keys.end(), store.close()])
  }
}

/** Persons whose erasure the log does not have. Throws where keys were lost, or those of erased persons are there. */
async function sameErasures(keys: Pool, store: ReturnType<typeof commandStore>): Promise<readonly Person[]> {
  const found = await disagreements(keys, erasedSubjects(store))
  const of = (kind: Disagreement['what']) => found.filter(({ what }) => what === kind).length
  const lost = of('not erased')
  if (lost > 0) throw new Error(`${lost} keys of personal data were destroyed without an erasure`)
  const left = of('not destroyed')
  if (left > 0) throw new Error(`${left} keys of erased persons are there: does a worker run?`)
  return found.filter(({ what }) => what === 'not noted')
}

/** The command stands there as it is to be run, for the first of them. */
function unnotedSaid(persons: readonly Person[]): string {
  const [{ org, subject }] = persons as [Person]
  const command = `kogi erase ${JSON.stringify(subject)} --org ${org} --basis … --reason …`
  return `${persons.length} persons were erased, and the log does not say so: note it with ${command}`
}

/** Time in which a projector that starts, or takes over from another, gets its buckets. */
const SETTLE_MS = 1_500

async function projectionsOf(engines: Engines, headOf: () => Promise<bigint>): Promise<string> {
  const pool = createPool({ url: engines.databaseUrl, name: 'read', log: silentLog, max: 1 })
  try {
    let found = await projectionStatus(pool, projections, headOf)
    // This process has just started the engines, so that no projector can be at work on them.
    const stopped = engines.runBy === 'this process'
    if (found.statuses.length > 0 && unattended(found.statuses).length > 0 && !stopped) {
      await sleep(SETTLE_MS)
      found = await projectionStatus(pool, projections, headOf)
    }
    return verdictOf(found, stopped)
  } catch (error) {
    throw asExpected(error)
  } finally {
    await pool.end()
  }
}

/** What is wrong with the projections, the worst first. */
export function verdictOf(
  { head, statuses }: { readonly head: bigint; readonly statuses: readonly ProjectionStatus[] },
  stopped = false,
): string {
  const beyond = greatest(statuses.map(({ furthest }) => furthest))
  if (beyond > head) throw new Error(logWentBack(head, beyond))
  const stalled = statuses.filter(({ state }) => state === 'stalled').map(({ projection }) => projection)
  if (stalled.length > 0) throw new Error(`stalled: ${stalled.join(', ')}; see kogi projections`)
  if (statuses.length === 0) return '!no projector has run yet'
  if (stopped) return '!the system is stopped: nothing projects events until kogi dev or kogi projector runs'
  const idle = unattended(statuses)
  if (idle.length > 0) throw new Error(`no living projector works on ${idle.join(', ')}; see kogi projections`)
  const behind = statuses.filter(({ position, state }) => position < head && state !== 'not run')
  if (behind.length === 0) return `${statuses.length} projections have reached the head of the log`
  return `!${behind.length} of ${statuses.length} projections are behind the head; see kogi projections`
}

/** The projections of this code that no projector works on, wholly or in some buckets. */
const unattended = (statuses: readonly ProjectionStatus[]): readonly string[] =>
  projections.flatMap(({ name, version }) => {
    const own = statuses.find(status => status.projection === name && status.version === version)
    if (own?.state === 'partly run') return [`${name} in ${own.owners['']?.length} buckets`]
    return own === undefined || own.state === 'not run' ? [name] : []
  })

async function diskOf(folder: string): Promise<string> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const gigabytes = (count: number) => (count * bsize) / 2 ** 30
  const detail = `${gigabytes(bavail).toFixed(1)} of ${gigabytes(blocks).toFixed(1)} GiB free`
  return bavail * bsize < FREE_BYTES_MIN ? `!${detail}` : detail
}
