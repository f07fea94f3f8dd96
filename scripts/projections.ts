import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import { domainStreamPrefixes, projections } from '../infra/catalogue.ts'
import { openEngines } from '../infra/engines.ts'
import { eventLog } from '../infra/event-store/reader.ts'
import { writeSkip } from '../infra/event-store/skips.ts'
import { createLog } from '../infra/log.ts'
import { createPool, type Pool } from '../infra/postgres.ts'
import { lagBetween } from '../projections/lag.ts'
import {
  isStoppedAt,
  type ProjectionStatus,
  projectionStatus,
  pruneVersions,
  resumeStalled,
  retryStalled,
} from '../projections/operate.ts'
import type { EventLog } from '../projections/ports.ts'
import { skipSchema } from '../read-api/audit/bundle.ts'
import { configFrom } from './serve.ts'
import { table } from './terminal.ts'

type Common = { readonly data?: string; readonly json?: boolean }
type Tools = { readonly pool: Pool; readonly events: EventLog; readonly eventStoreUrl: string }
type Status = ProjectionStatus & {
  readonly lagEvents: number
  readonly lagSeconds: number
  /** Events per second since the last look. */
  readonly rate: number | null
}

const WATCH_MS = 1_000
/** How long `retry` waits for a projector to have tried: those look at their work every second. */
const RETRY_WAIT_MS = 10_000

/** `kogi projections`: what the projections are doing, and what an operator can do about it. */
export function projectionsCommand(): Command {
  const projectionsVerb = new Command('projections')
    .description('show the projections: position, lag, rate, state, who works on them')
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of a table')
    .option('--watch', 'show it again every second')
    .action((options: Common & { watch?: boolean }) => withTools(options, tools => show(tools, options)))
  projectionsVerb
    .command('retry <projection>')
    .description(
      'try once more, now, the events that stopped a projection; what fails again stands still again at once',
    )
    .action((projection: string) => withTools(projectionsVerb.opts(), tools => retry(tools, projection)))
  projectionsVerb
    .command('resume <projection>')
    .description('let a projection go on after it was mended: with all of its tries, as if nothing had stopped it')
    .action((projection: string) => withTools(projectionsVerb.opts(), tools => resume(tools, projection)))
  projectionsVerb
    .command('skip <projection> <position>')
    .description('go past the event at a position, for good: written to the log, honoured by rebuild, check and replay')
    .requiredOption('--reason <text>', 'why: it is kept with the decision')
    .option('--actor <name>', 'who decides it', process.env.USER ?? 'operator')
    .action((projection: string, position: string, options: { reason: string; actor: string }) =>
      withTools(projectionsVerb.opts(), async tools => {
        known(projection)
        const decision = { projection, position: positionFrom(position), ...options }
        mustBeTellable(decision)
        await mustBeStopped(tools, projection, decision.position)
        await writeSkip(tools.eventStoreUrl, decision)
        await resume(tools, projection)
      }),
    )
  projectionsVerb
    .command('prune')
    .description('drop older versions of the projections that no living projector builds and no process reads')
    .action(() =>
      withTools(projectionsVerb.opts(), async ({ pool }) => {
        const pruned = await pruneVersions(pool, projections)
        for (const { table, kept } of pruned) console.log(kept ? `kept ${table}: ${kept}` : `dropped ${table}`)
        if (pruned.length === 0) console.log('nothing to drop')
      }),
    )
  return projectionsVerb.addHelpText(
    'after',
    '\nExamples:\n  $ kogi projections --watch\n  $ kogi projections skip tasks 12345 --reason "a faulty import"',
  )
}

async function withTools(options: Common, work: (tools: Tools) => Promise<void>): Promise<void> {
  const config = configFrom(options)
  const log = createLog({ service: 'kogi-projections', level: config.logLevel, fd: 2 })
  const engines = await openEngines(config, log)
  const pool = createPool({ url: engines.databaseUrl, name: 'read', log, max: 2 })
  const events = eventLog({ url: engines.eventStoreUrl, prefixes: domainStreamPrefixes })
  try {
    await work({ pool, events, eventStoreUrl: engines.eventStoreUrl })
  } finally {
    await Promise.allSettled([events.close(), pool.end()])
    await engines.close()
  }
}

async function show({ pool, events }: Tools, options: Common & { watch?: boolean }): Promise<void> {
  let before: { at: number; passed: Map<string, bigint> } | undefined
  for (;;) {
    const head = await events.head()
    const found = await projectionStatus(pool, projections, head)
    const at = performance.now()
    const statuses: Status[] = []
    for (const status of found) {
      const { events: lagEvents, seconds: lagSeconds } = await lagBetween(events, status.position, head)
      const last = before?.passed.get(nameOf(status))
      const passed = last === undefined ? null : (await lagBetween(events, last, status.position)).events
      const rate = passed === null ? null : Math.round(passed / ((at - before!.at) / 1000))
      statuses.push({ ...status, lagEvents, lagSeconds, rate })
    }
    before = { at, passed: new Map(found.map(status => [nameOf(status), status.position])) }
    if (options.json) console.log(JSON.stringify({ head: String(head), projections: toWire(statuses) }))
    else draw(head, statuses, options.watch === true)
    if (!options.watch) return
    await sleep(WATCH_MS)
  }
}

function draw(head: bigint, statuses: readonly Status[], again: boolean): void {
  const lines = statuses.map(status => [
    nameOf(status),
    status.state,
    String(status.position),
    String(status.lagEvents),
    status.lagSeconds.toFixed(1),
    status.rate === null ? '' : String(status.rate),
    Object.entries(status.owners)
      .map(([owner, buckets]) => `${owner === '' ? 'nobody' : owner}: ${buckets.length}`)
      .join(', '),
  ])
  if (again && process.stdout.isTTY) process.stdout.write('\u001b[2J\u001b[H')
  console.log(`head of the log: ${head}`)
  const titles = ['projection', 'state', 'position', 'lag, events', 'lag, s', 'events/s', 'buckets by projector']
  console.log(table(titles, lines, ['position', 'lag, events', 'lag, s', 'events/s']))
  for (const { projection, version, bucket, state, error } of statuses.flatMap(({ faults }) => faults)) {
    console.log(
      `${projection}_v${version}/${bucket} ${state} at position ${error?.position}: ${error?.type} ` +
        `${error?.stream}@${error?.revision}: ${error?.error}`,
    )
  }
}

/** Tells what became of each event that stopped the projection; ends with 1 where one still does. */
async function retry({ pool }: Tools, projection: string): Promise<void> {
  known(projection)
  const tried = await retryStalled(pool, projection, RETRY_WAIT_MS)
  if (tried.length === 0) console.log(`${projection} is not stopped anywhere`)
  for (const { version, bucket, outcome, fault } of tried) {
    const where = `${projection}_v${version}/${bucket}`
    const event = `${fault.type} at position ${fault.position}`
    if (outcome === 'taken') console.log(`${where} has taken ${event} and goes on`)
    else if (outcome === 'stopped') console.log(`${where} could not take ${event} again: ${fault.error}`)
    else console.log(`${where} was not tried within ${RETRY_WAIT_MS / 1000} s: is a projector running?`)
    if (outcome !== 'taken') process.exitCode = 1
  }
}

/** What is written once stands in every audit export from then on, which has room for so much. */
function mustBeTellable({ reason, actor }: { reason: string; actor: string }): void {
  const { shape } = skipSchema
  if (!shape.reason.safeParse(reason).success) throw new InvalidArgumentError('a reason has 1 to 10,000 characters')
  if (!shape.actor.safeParse(actor).success) throw new InvalidArgumentError('an actor has 1 to 255 characters')
}

/** A skip of an event that was taken would make the rows differ from what check and rebuild make of the log. */
async function mustBeStopped({ pool }: Tools, projection: string, position: bigint): Promise<void> {
  if (await isStoppedAt(pool, projection, position)) return
  throw new KogiError(
    'not_stopped_there',
    `No event at position ${position} stops ${projection}: see kogi projections.`,
  )
}

async function resume({ pool }: Tools, projection: string): Promise<void> {
  known(projection)
  const resumed = await resumeStalled(pool, projection)
  console.log(resumed === 0 ? `${projection} is not stopped anywhere` : `${projection} goes on in ${resumed} buckets`)
}

const nameOf = ({ projection, version }: ProjectionStatus) => `${projection}_v${version}`

function known(projection: string): void {
  if (projections.some(({ name }) => name === projection)) return
  const names = projections.map(({ name }) => name).join(', ')
  throw new KogiError('unknown_projection', `There is no projection ${projection}; there are ${names}.`)
}

function positionFrom(text: string): bigint {
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  throw new InvalidArgumentError('a position is a whole number')
}
