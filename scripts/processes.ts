import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError } from 'commander'
import { type Left, readCheckpoint } from '../commands/processes/checkpoint.ts'
import { type Decision, writeDecision } from '../commands/processes/decisions.ts'
import { KogiError } from '../domain/kernel/errors.ts'
import { toWire } from '../domain/kernel/json.ts'
import { processes, timerModels } from '../infra/catalogue.ts'
import { commandStore } from '../infra/event-store/command-store.ts'
import { leaseOwners } from '../infra/leases.ts'
import { WORKS } from '../infra/processes/worker.ts'
import { countTimers } from '../infra/timers.ts'
import { lagBetween } from '../projections/care/lag.ts'
import { statusHelp } from './failing.ts'
import { asExpected, type OperatorOptions, operate, print, type Tools } from './operator.ts'
import { table } from './terminal.ts'

/** How long `retry` and `abandon` wait until the worker has acted. */
const ACT_MS = 10_000
const LOOK_MS = 200
/** A timer that is later than this counts as overdue. */
const OVERDUE_MS = 5_000
const REASON_MAX = 1_000

type Store = ReturnType<typeof commandStore>
type Ran = Tools & { readonly options: OperatorOptions; readonly store: Store }
/** A step that waits, for its next try or for an operator. */
type Waiting = Left & { readonly process: string }

const NOTES = `
States: running, waiting (steps that failed are tried again by themselves), parked (steps wait for an operator), not run
(no worker runs processes).
${statusHelp()}

Examples:
  $ kogi processes
  $ kogi processes retry 5b2f0a4e-8c1d-5e6f-9a7b-0c1d2e3f4a5b
  $ kogi processes abandon 5b2f0a4e-8c1d-5e6f-9a7b-0c1d2e3f4a5b --reason "the wallet was closed by its owner"`

/** `kogi processes`: what moves by itself, what waits there, and what an operator can do about it. */
export const processesCommand = (): Command =>
  withCommon(new Command('processes'))
    .description('show the processes: position, lag, steps that wait, and the worker that runs them')
    .addHelpText('after', NOTES)
    .action((options: OperatorOptions) => run(options, show))
    .addCommand(retryCommand())
    .addCommand(abandonCommand())

const withCommon = (command: Command): Command =>
  command
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .option('--json', 'one JSON object instead of text')

const retryCommand = () =>
  withCommon(new Command('retry'))
    .description('try a parked step again now, with all tries anew; without an id every parked step')
    .argument('[id]', 'id of the event whose step is parked, as kogi processes shows it')
    .addHelpText('after', statusHelp('a step is not done'))
    .action((id: string | undefined, _: unknown, command: Command) =>
      run(command.optsWithGlobals<OperatorOptions>(), ran => decide(ran, id, { decision: 'retry' })),
    )

const abandonCommand = () =>
  withCommon(new Command('abandon'))
    .description('give up a step that waits: the process goes on as where the step is refused')
    .argument('<id>', 'id of the event whose step waits, as kogi processes shows it')
    .requiredOption('--reason <text>', 'why; the log keeps it', reasonFrom)
    .addHelpText('after', statusHelp('the step still waits'))
    .action((id: string, { reason }: { reason: string }, command: Command) =>
      run(command.optsWithGlobals<OperatorOptions>(), ran => decide(ran, id, { decision: 'abandon', reason })),
    )

function run(options: OperatorOptions, work: (ran: Ran) => Promise<void>): Promise<void> {
  return operate('processes', options, async tools => {
    const store = commandStore(tools.engines.eventStoreUrl, tools.config.appendTimeoutMs)
    try {
      await work({ ...tools, options, store })
    } finally {
      await store.close()
    }
  })
}

async function show({ pool, events, store, options }: Ran): Promise<void> {
  const head = await events.head()
  const owners = await leaseOwners(pool).catch(error => {
    throw asExpected(error)
  })
  const timers = await countTimers(pool, timerModels, new Date(Date.now() - OVERDUE_MS).toISOString()).catch(error => {
    throw asExpected(error)
  })
  const worker = owners.get(WORKS.processes)
  const found = await Promise.all(
    processes.map(async ({ name }) => {
      const { position, left, at } = (await readCheckpoint(store, name)).checkpoint
      const parked = left.filter(({ failure }) => failure?.parked).length
      const state = worker === undefined ? 'not run' : parked > 0 ? 'parked' : left.length > 0 ? 'waiting' : 'running'
      const { events: lag } = await lagBetween(events, position, head)
      return { process: name, state, position, lag, waiting: left.length - parked, parked, at, left }
    }),
  )
  const text = [
    table(
      ['process', 'state', 'position', 'lag, events', 'waiting', 'parked'],
      found.map(each => [
        each.process,
        each.state,
        String(each.position),
        String(each.lag),
        String(each.waiting),
        String(each.parked),
      ]),
      ['position', 'lag, events', 'waiting', 'parked'],
    ),
    ...found.flatMap(({ process, left }) => left.map(each => lineOf({ ...each, process }))),
    `timers: ${timers.set} set, ${timers.overdue} overdue`,
    `worker: ${worker ?? 'none runs processes: kogi dev, or kogi worker'}`,
  ]
  const workers = {
    processes: worker ?? null,
    timers: owners.get(WORKS.timers) ?? null,
    webhooks: owners.get(WORKS.webhooks) ?? null,
    mails: owners.get(WORKS.mails) ?? null,
  }
  print(options, { head, processes: found.map(each => toWire(each)), timers, workers }, text.join('\n'))
}

function lineOf({ process, event, type, org, thing, failure }: Waiting): string {
  const what = `${event} ${process} ${org}/${thing} ${type}`
  if (!failure) return `${what}: waits for a step before it`
  const { command, code, message, tries, since, parked } = failure
  const state = parked ? 'parked' : 'waiting'
  return `${what}: ${state} at ${command} after ${tries} tries since ${since}: ${code}: ${message}`
}

/** Writes the decision for one step that waits, or for all that are parked, and waits until the worker has acted. */
async function decide(
  { store, options }: Ran,
  id: string | undefined,
  choice: Pick<Decision, 'decision' | 'reason'>,
): Promise<void> {
  const waiting = await waitingSteps(store)
  const chosen = waiting.filter(({ event, failure }) => failure && (id === undefined ? failure.parked : event === id))
  if (id !== undefined && chosen.length === 0) {
    throw new KogiError('unknown_step', `No step of the event ${id} waits: see kogi processes.`)
  }
  const actor = process.env.USER || 'operator'
  const at = new Date().toISOString()
  for (const { process, event } of chosen) await writeDecision(store, process, { event, actor, at, ...choice })
  const acted = await untilActed(store, chosen, choice.decision)
  const lines = acted.map(({ event, process, outcome }) => `${event} ${process}: ${outcome}`)
  print(options, { steps: acted.map(each => toWire(each)) }, lines.join('\n') || 'no step is parked')
  if (acted.some(({ outcome }) => outcome !== 'done')) process.exitCode = 1
}

async function waitingSteps(store: Store): Promise<readonly Waiting[]> {
  const found = await Promise.all(
    processes.map(async ({ name }) =>
      (await readCheckpoint(store, name)).checkpoint.left.map(each => ({ ...each, process: name })),
    ),
  )
  return found.flat()
}

/**
 * What became of steps: done, still failing, or not tried because no worker runs. A step that is given up may fail once
 * more on its own before the worker hears of it.
 */
async function untilActed(store: Store, chosen: readonly Waiting[], decision: Decision['decision']) {
  for (const end = Date.now() + ACT_MS; ; await sleep(LOOK_MS)) {
    const now = new Map((await waitingSteps(store)).map(each => [each.event, each]))
    const acted = chosen.map(({ event, process, failure: before }) => {
      const failure = now.get(event)?.failure
      const isSame = failure?.tries === before?.tries && failure?.parked === before?.parked
      const isTried = decision === 'retry' && !isSame && failure?.tries !== 0
      const outcome = !now.has(event) ? 'done' : isTried ? 'failed again' : 'not tried: is a worker running?'
      return { event, process, outcome, ...(failure && { error: `${failure.code}: ${failure.message}` }) }
    })
    const isOpen = acted.some(({ outcome }) => outcome.startsWith('not tried'))
    if (!isOpen || Date.now() > end) return acted
  }
}

function reasonFrom(text: string): string {
  if (text.trim() !== '' && text.length <= REASON_MAX) return text
  throw new InvalidArgumentError(`a reason has 1 to ${REASON_MAX} characters`)
}
