import { statfs } from 'node:fs/promises'
import { Command } from 'commander'
import pg from 'pg'
import { domainStreamPrefixes } from '../infra/catalogue.ts'
import type { Config } from '../infra/config.ts'
import { type EngineUrls, openEngines } from '../infra/engines.ts'
import { damagedStreams } from '../infra/event-store/damage.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { silentLog } from '../infra/log.ts'
import { probeNats } from '../infra/nats.ts'
import { logWentBack } from '../projections/runner/watch.ts'
import { configFrom } from './serve.ts'
import { table } from './terminal.ts'

const ANSWER_MS_MAX = 5_000
/** Below this much free disk the log may soon refuse appends. */
const FREE_BYTES_MIN = 2 ** 30

type Finding = { readonly part: string; readonly state: 'ok' | 'warning' | 'failed'; readonly detail: string }

/** `kogi doctor`: looks at every part and says what is wrong with it. */
export const doctorCommand = () =>
  new Command('doctor')
    .description('say which engines answer, their versions, the lag of the read models, and the disk')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'findings as JSON')
    .addHelpText('after', '\nThe exit status is 1 when a part has failed.\n\nExample:\n  $ kogi doctor')
    .action(async ({ json, data }: { json?: boolean; data?: string }) => {
      const config = configFrom(data === undefined ? {} : { data })
      const engines = await openEngines(config, silentLog)
      try {
        const findings = await examine(config, engines)
        const rows = findings.map(({ part, state, detail }) => [part, state, detail])
        console.log(json ? JSON.stringify(findings) : table(['part', 'state', 'detail'], rows))
        process.exitCode = findings.some(({ state }) => state === 'failed') ? 1 : 0
      } finally {
        await engines.close()
      }
    })

async function examine(config: Config, urls: EngineUrls): Promise<Finding[]> {
  const log = eventLog({ url: urls.eventStoreUrl, prefixes: domainStreamPrefixes })
  try {
    return await Promise.all([
      look('node', async () => process.version),
      look('event store', async () => `${await versionOf(urls.eventStoreUrl)}, head at ${await log.head()}`),
      look('streams', () => intactStreams(urls.eventStoreUrl)),
      look('read models', () => postgresVersion(urls.databaseUrl)),
      look('keys', () => postgresVersion(urls.keysDatabaseUrl)),
      look('event bus', () => probeNats(config.natsUrl)),
      look('lag', async () => lagOf(urls.databaseUrl, await log.head())),
      look('disk', () => diskOf(config.dataDir)),
    ])
  } finally {
    await log.close()
  }
}

/** Runs one check; what it throws is the finding. A detail that begins with `!` is a warning. */
async function look(part: string, check: () => Promise<string>): Promise<Finding> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer in ${ANSWER_MS_MAX} ms`)), ANSWER_MS_MAX).unref()
  })
  try {
    const detail = await Promise.race([check(), late])
    return detail.startsWith('!') ? { part, state: 'warning', detail: detail.slice(1) } : { part, state: 'ok', detail }
  } catch (error) {
    return { part, state: 'failed', detail: (error as Error).message }
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

const lagOf = (url: string, head: bigint) =>
  withClient(url, async client => {
    const { rows } = await client.query<{ projection: string; version: number; state: string; position: string }>(
      'select projection, version, max(state) as state, min(position) as position from checkpoints group by 1, 2',
    )
    const stalled = rows.filter(({ state }) => state === 'stalled').map(({ projection }) => projection)
    if (stalled.length > 0) throw new Error(`stalled: ${stalled.join(', ')}; see kogi projections`)
    const beyond = rows.find(({ position }) => BigInt(position) > head)
    if (beyond) throw new Error(logWentBack(head, BigInt(beyond.position)))
    const behind = rows.filter(({ position }) => BigInt(position) < head)
    if (rows.length === 0) return '!no projector has run yet'
    if (behind.length === 0) return `none: ${rows.length} projections have reached the head`
    return `!${behind.length} of ${rows.length} projections are behind the head; is a projector running?`
  })

async function diskOf(folder: string): Promise<string> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const gigabytes = (count: number) => (count * bsize) / 2 ** 30
  const detail = `${gigabytes(bavail).toFixed(1)} of ${gigabytes(blocks).toFixed(1)} GiB free`
  return bavail * bsize < FREE_BYTES_MIN ? `!${detail}` : detail
}
