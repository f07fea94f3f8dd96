import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import { projections } from '../infra/catalogue.ts'
import { writeSkip } from '../infra/event-store/skips.ts'
import { lagBetween } from '../projections/care/lag.ts'
import {
  isStoppedAt,
  type ProjectionStatus,
  projectionStatus,
  pruneVersions,
  resumeStalled,
  retryStalled,
} from '../projections/care/operate.ts'
import { logWentBack } from '../projections/runner/watch.ts'
import { skipSchema } from '../read-api/audit/bundle.ts'
import { outputIsClosed, statusHelp } from './failing.ts'
import { type OperatorOptions, operate, print, projectionNamed, rethrow, type Tools } from './operator.ts'
import { table } from './terminal.ts'

type Status = ProjectionStatus & {
  readonly lagEvents: number
  readonly lagSeconds: number
  /** Events per second since the look before. */
  readonly rate: number | null
}
type Look = { readonly at: number; readonly head: bigint; readonly statuses: readonly ProjectionStatus[] }

const WATCH_MS = 1_000
/** Between the two looks that a rate takes. */
const RATE_MS = 500
/** How long `retry` waits until a projector has tried; projectors look at their work every second. */
const RETRY_WAIT_MS = 10_000
const POSITION_MAX = 2n ** 63n - 1n

const STATES = `
States: running, catching up (the head is far), retrying, stalled (an event cannot be taken), not run and partly run (no
living projector works on any, or on some, of its buckets), beyond the log (its rows are of another log).
${statusHelp()}

Examples:
  $ kogi projections --watch
  $ kogi projections skip tasks 12345 --reason "a faulty import"`

/** `kogi projections`: what the projections are doing, and what an operator can do about it. */
export const projectionsCommand = (): Command =>
  withCommon(new Command('projections'))
    .description('show the projections: position, lag, rate, state, and the projectors that work on them')
    .option('--watch', 'show it again every second')
    .addHelpText('after', STATES)
    .action((options: OperatorOptions & { watch?: boolean }) =>
      operate('projections', options, tools => show(tools, options)),
    )
    .addCommand(retryCommand())
    .addCommand(resumeCommand())
    .addCommand(skipCommand())
    .addCommand(pruneCommand())

const withCommon = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

const retryCommand = () =>
  withCommon(new Command('retry'))
    .description(
      'try the events that stopped a projection once more, now; an event that fails again stops it again at once',
    )
    .argument('<projection>')
    .addHelpText('after', statusHelp('an event still stops it'))
    .action((projection: string, _: unknown, command: Command) => run(command, tools => retry(tools, projection)))

const resumeCommand = () =>
  withCommon(new Command('resume'))
    .description('let a projection go on after its code was mended, with all tries anew')
    .argument('<projection>')
    .addHelpText('after', statusHelp())
    .action((projection: string, _: unknown, command: Command) =>
      run(command, async ({ pool, options }) => {
        projectionNamed(projection)
        const resumed = await resumeStalled(pool, projection)
        print(options, { projection, resumed }, goesOn(projection, resumed))
      }),
    )

const skipCommand = () =>
  withCommon(new Command('skip'))
    .description(
      'go past the event at a position, for good: the skip is written to the log; rebuild, check and replay follow it',
    )
    .argument('<projection>')
    .argument('<position>', 'the position of the event that stops the projection', positionFrom)
    .requiredOption('--reason <text>', 'why; the log keeps it with the skip', reasonFrom)
    .option('--actor <name>', 'the person who decides it', actorFrom, process.env.USER || 'operator')
    .addHelpText('after', statusHelp())
    .action((projection: string, position: bigint, { reason, actor }: SkipOptions, command: Command) =>
      run(command, async ({ pool, engines, options }) => {
        projectionNamed(projection)
        await mustBeStopped({ pool }, projection, position)
        const decision = { projection, position, reason, actor }
        await writeSkip(engines.eventStoreUrl, decision).catch(rethrow)
        const resumed = await resumeStalled(pool, projection)
        print(options, { ...decision, resumed }, goesOn(projection, resumed))
      }),
    )

const pruneCommand = () =>
  withCommon(new Command('prune'))
    .description('drop older versions of the projections that no living projector builds and no process reads')
    .addHelpText('after', statusHelp())
    .action((_: unknown, command: Command) =>
      run(command, async ({ pool, options }) => {
        const pruned = await pruneVersions(pool, projections)
        const lines = pruned.map(({ table, kept }) => (kept ? `kept ${table}: ${kept}` : `dropped ${table}`))
        print(options, { pruned }, lines.join('\n') || 'nothing to drop')
      }),
    )

type SkipOptions = { readonly reason: string; readonly actor: string }
type Ran = Tools & { readonly options: OperatorOptions }

/** Options count before and after a subcommand: `projections` itself takes those that it has too. */
function run(command: Command, work: (ran: Ran) => Promise<void>): Promise<void> {
  const options = command.optsWithGlobals<OperatorOptions>()
  return operate('projections', options, tools => work({ ...tools, options }))
}

async function show({ pool, events }: Tools, options: OperatorOptions & { watch?: boolean }): Promise<void> {
  const look = async (): Promise<Look> => {
    const found = await projectionStatus(pool, projections, events.head)
    return { ...found, at: performance.now() }
  }
  for (let before = await look(); ; ) {
    await sleep(options.watch ? WATCH_MS : RATE_MS)
    const now = await look()
    const statuses: Status[] = []
    for (const status of now.statuses) {
      const { events: lagEvents, seconds: lagSeconds } = await lagBetween(events, status.position, now.head)
      const last = before.statuses.find(each => nameOf(each) === nameOf(status))?.position
      const passed = last === undefined ? null : (await lagBetween(events, last, status.position)).events
      const rate = passed === null ? null : Math.round(passed / ((now.at - before.at) / 1000))
      statuses.push({ ...status, lagEvents, lagSeconds, rate })
    }
    if (outputIsClosed()) return
    if (options.json) console.log(JSON.stringify({ head: String(now.head), projections: toWire(statuses) }))
    else draw(now.head, statuses, options.watch === true)
    if (!options.watch) return
    before = now
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
      .map(([owner, buckets]) => `${owner === '' ? 'none' : owner}: ${buckets.length}`)
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
  const beyond = statuses.find(({ furthest }) => furthest > head)
  if (beyond) console.log(`${nameOf(beyond)}: ${logWentBack(head, beyond.furthest)}`)
  if (statuses.length === 0) console.log('no projector has run yet: kogi dev, or kogi projector')
}

/** Prints the outcome for each event that stopped the projection; the status is 1 where one still does. */
async function retry({ pool, options }: Ran, projection: string): Promise<void> {
  projectionNamed(projection)
  const tried = await retryStalled(pool, projection, RETRY_WAIT_MS)
  const lines = tried.map(({ version, bucket, outcome, fault }) => {
    const where = `${projection}_v${version}/${bucket}`
    const event = `${fault.type} at position ${fault.position}`
    if (outcome === 'taken') return `${where} has taken ${event} and goes on`
    if (outcome === 'stopped') return `${where} could not take ${event} again: ${fault.error}`
    return `${where} was not tried within ${RETRY_WAIT_MS / 1000} s: is a projector running?`
  })
  print(options, { projection, tried }, lines.join('\n') || goesOn(projection, 0))
  if (tried.some(({ outcome }) => outcome !== 'taken')) process.exitCode = 1
}

/** Refuses to skip an event that was taken: the rows would differ from what check and rebuild make of the log. */
async function mustBeStopped({ pool }: Pick<Tools, 'pool'>, projection: string, position: bigint): Promise<void> {
  if (await isStoppedAt(pool, projection, position)) return
  throw new KogiError(
    'not_stopped_there',
    `No event at position ${position} stops ${projection}: see kogi projections.`,
  )
}

const goesOn = (projection: string, buckets: number): string =>
  buckets === 0 ? `${projection} is not stopped anywhere` : `${projection} goes on in ${buckets} buckets`

const nameOf = ({ projection, version }: ProjectionStatus) => `${projection}_v${version}`

function positionFrom(text: string): bigint {
  if (/^\d{1,19}$/.test(text) && BigInt(text) <= POSITION_MAX) return BigInt(text)
  throw new InvalidArgumentError('a position is a whole number, as kogi projections shows it')
}

/** A reason stands in every audit export from then on, whose schema bounds it. */
function reasonFrom(text: string): string {
  if (skipSchema.shape.reason.safeParse(text).success) return text
  throw new InvalidArgumentError('a reason has 1 to 10,000 characters')
}

function actorFrom(text: string): string {
  if (skipSchema.shape.actor.safeParse(text).success) return text
  throw new InvalidArgumentError('an actor has 1 to 255 characters')
}
