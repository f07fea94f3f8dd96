import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { loadConfig } from '../../infra/config.ts'
import { runningEngines } from '../../infra/engines.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import type { System } from './system.ts'
import { type Accepted, type Rates, Traffic } from './traffic.ts'

export type Load = Rates & {
  readonly seconds: number
  /** Time before that, at half the pace and without rebuilds, in which the processes compile their code. */
  readonly warmUpSeconds: number
  readonly orgs: number
  /** Projections that are rebuilt one after another, over and over, each at least once. */
  readonly rebuilt: readonly { readonly name: string }[]
}

/**
 * Sends commands and reads to a system while its projections are rebuilt. Fails unless every command was accepted and
 * is in the log once, every read was answered and right, and every row equals the log. Returns a summary.
 */
export async function rebuildUnderLoad(system: System, load: Load): Promise<string> {
  const config = loadConfig({ KOGI_DATA_DIR: system.data })
  const tokens = new Map<string, string>()
  for (let n = 0; n < load.orgs; n += 1) {
    const claims = { org: `load-${n}`, subject: 'load', roles: ['organization-admin'], ttlSeconds: 900 }
    tokens.set(claims.org, await issueToken(config, claims))
  }
  const traffic = new Traffic(system.url, tokens)
  try {
    await traffic.prepare()
    const warm = performance.now() + load.warmUpSeconds * 1_000
    await traffic.run({ ...load, commands: load.commands / 2 }, () => performance.now() > warm)
    for (const times of [traffic.commandMs, traffic.readMs]) times.length = 0
    const prepared = traffic.accepted.length
    const begun = performance.now()
    let rebuilds = 0
    const over = () => performance.now() - begun > load.seconds * 1_000 && rebuilds >= load.rebuilt.length
    const sending = traffic.run(load, over)
    while (!over()) {
      const { name } = load.rebuilt[rebuilds % load.rebuilt.length]!
      expect(await system.kogi('rebuild', name)).to.include('every row is what it was before')
      rebuilds += 1
    }
    await sending
    const rate = ((traffic.accepted.length - prepared) * 1_000) / (performance.now() - begun)
    await traffic.repeatAll()
    expect(traffic.failedCommands).to.deep.equal([])
    expect(traffic.failedReads.slice(0, 5)).to.deep.equal([])
    expect(JSON.parse(await system.kogi('check', '--json'))).to.include({ equal: true })
    expect(await logged(config, tokens)).to.deep.equal(asLines(traffic.accepted))
    return `${rebuilds} rebuilds under ${Math.round(rate)} accepted commands/s, ${inWords(traffic)}`
  } finally {
    traffic.close()
  }
}

/** The commands in the log, each with its last event and its number of events. */
async function logged(config: Parameters<typeof runningEngines>[0], orgs: ReadonlyMap<string, string>) {
  const { eventStoreUrl: url } = (await runningEngines(config))!
  const log = eventLog({ url, prefixes: domainStreamPrefixes })
  const commands = new Map<string, Accepted>()
  for await (const list of log.read({ after: 0n, to: await log.head(), max: 1_000 })) {
    for (const { stream, revision, metadata } of list.filter(({ metadata }) => orgs.has(metadata.org))) {
      const events = (commands.get(metadata.commandId)?.events ?? 0) + 1
      commands.set(metadata.commandId, { stream, revision, events })
    }
  }
  await log.close()
  return asLines([...commands.values()])
}

const asLines = (commands: readonly Accepted[]): readonly string[] =>
  commands.map(({ stream, revision, events }) => `${stream}@${revision}: ${events}`).sort()

function inWords({ reads, commandMs, readMs, accepted }: Traffic): string {
  const { plain, own, past, repeated } = reads
  const kinds = `${plain} plain, ${own} of own writes, ${past} of the past, ${repeated} of the past again`
  return `${accepted.length} commands (${spread(commandMs)}), reads: ${kinds} (${spread(readMs)})`
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b)
  const [p50, p99] = [0.5, 0.99].map(share => Math.round(sorted[Math.floor(sorted.length * share)]!))
  return `p50 ${p50} ms, p99 ${p99} ms`
}
