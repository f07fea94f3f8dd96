/** `npm run bench`: every figure with its ratio to the bare operation of the same run. */
import { execFileSync } from 'node:child_process'
import { cpus, release, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { apiBench } from './bench/apis.ts'
import { asBuilt } from './bench/as-built.ts'
import { auctionBench } from './bench/auctions.ts'
import { auditBench } from './bench/audit.ts'
import { calendarBench } from './bench/calendars.ts'
import { centerBench } from './bench/center.ts'
import { checkpointBench } from './bench/checkpoints.ts'
import { commandBench, peerBench } from './bench/commands.ts'
import { eventStoreBench } from './bench/event-store.ts'
import { type Figure, reachedText } from './bench/figure.ts'
import { gatewayBench } from './bench/gateway.ts'
import { importBench } from './bench/imports.ts'
import { liveBench } from './bench/live.ts'
import { memoryBench } from './bench/memory.ts'
import { memoryPeerBench } from './bench/memory-peers.ts'
import { projectionBench } from './bench/projections.ts'
import { proofBench } from './bench/proofs.ts'
import { relayBench } from './bench/relay.ts'
import { reportBench } from './bench/reports.ts'
import { restBench } from './bench/rest.ts'
import { sealBench } from './bench/seal.ts'
import { sealingBench } from './bench/sealing.ts'
import { searchBench } from './bench/search.ts'
import { soakBench } from './bench/soak.ts'
import { statementBench } from './bench/statements.ts'
import { termsBench, termsPeerBench } from './bench/terms.ts'
import { transferBench } from './bench/transfers.ts'
import { webhookBench } from './bench/webhooks.ts'
import { table } from './terminal.ts'

/** Groups of figures, by the name that selects them. */
const groups: Readonly<Record<string, () => Promise<readonly Figure[]>>> = {
  apis: apiBench,
  commands: commandBench,
  gateway: gatewayBench,
  terms: termsBench,
  imports: importBench,
  store: eventStoreBench,
  projections: () => asBuilt('projections', projectionBench),
  checkpoints: checkpointBench,
  search: searchBench,
  memory: memoryBench,
  statements: statementBench,
  reports: reportBench,
  center: centerBench,
  calendars: calendarBench,
  seal: sealBench,
  audit: async () => [...(await asBuilt('audit', auditBench)), ...(await sealBench()), ...(await sealingBench())],
  proofs: proofBench,
  auctions: auctionBench,
  transfers: () => asBuilt('transfers', transferBench),
  rest: restBench,
  live: liveBench,
  relay: relayBench,
  webhooks: webhookBench,
  soak: soakBench,
  peers: peerBench,
  'terms-peers': termsPeerBench,
  'memory-peers': memoryPeerBench,
}
/** Takes ten minutes, or packages of its own: runs only when it is named. */
const ON_REQUEST = new Set(['soak', 'peers', 'terms-peers', 'memory-peers', 'center'])

const HELP = `npm run bench [-- [--json] [group …]]

Measures each group and prints a table; with --json one line for each figure: name, value, unit, bare, ratio.
Groups: ${Object.keys(groups).join(', ')}. Without a name all but ${[...ON_REQUEST].join(', ')} run.

Example:
  $ npm run --silent bench -- --json apis`

const { values, positionals } = parseArgs({
  options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  allowPositionals: true,
})
const unknown = positionals.filter(name => !Object.hasOwn(groups, name))
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `unknown group: ${unknown.join(', ')}\n\n${HELP}` : HELP)
  process.exit(unknown.length > 0 ? 2 : 0)
}

const figures: Figure[] = []
for (const [name, measure] of Object.entries(groups)) {
  if (positionals.length > 0 ? !positionals.includes(name) : ON_REQUEST.has(name)) continue
  process.stderr.write(`measuring ${name} …\n`)
  const measured = await measure()
  figures.push(...measured)
  if (values.json) for (const figure of measured) console.log(JSON.stringify(figure))
}

if (!values.json) {
  const number = (value: number | null) =>
    value === null ? '' : value.toLocaleString('en', { maximumSignificantDigits: 4 })
  const timed = figures.flatMap(({ name, value, timing }) => (timing ? [{ name, value, timing }] : []))
  if (timed.length > 0) {
    const rows = timed.map(({ name, value, timing: { target, asked, p50, cpu, slowest = '', deep = null } }) =>
      [name, number(target), number(p50), number(value), number(cpu), number(asked), number(deep), slowest].map(String),
    )
    const head = ['milliseconds', 'target', 'p50', 'p95', 'CPU', 'asked', 'deep / first', 'slowest question']
    console.log(table(head, rows, head.slice(1, 7)))
    const late = timed.filter(({ value, timing: { target } }) => target !== null && value > target)
    console.log(`95th percentile above its target: ${late.map(({ name }) => name).join('; ') || 'none'}`)
  }
  const others = figures.filter(({ timing }) => !timing)
  const isAimed = others.some(({ goal }) => goal)
  const rows = others.map(figure => {
    const { name, value, unit, bare, ratio } = figure
    return [name, number(value), unit, number(bare), number(ratio), ...(isAimed ? [reachedText(figure)] : [])]
  })
  const head = ['figure', 'value', 'unit', 'bare', 'ratio', ...(isAimed ? ['target'] : [])]
  if (others.length > 0) console.log(table(head, rows, ['value', 'bare', 'ratio']))
  console.log(`${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${release()}`)
  console.log(`Node ${process.version}, commit ${commit()}`)
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}
