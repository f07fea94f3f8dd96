/** `kogi store …`: the embedded event store on its own, and the care of its folder. */
import { statSync } from 'node:fs'
import { Command, InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import { scavenge } from '../infra/embedded/event-store/care/scavenge.ts'
import { exportEvents, importEvents } from '../infra/embedded/event-store/care/transfer.ts'
import { verifyFolder } from '../infra/embedded/event-store/care/verify.ts'
import { startEventStore } from '../infra/embedded/event-store/index.ts'

export function storeCommand(): Command {
  const store = new Command('store').description('The embedded event store: serve it, check it, move it, tidy it')
  store
    .command('serve')
    .description('Serve a folder of events, or memory, to EventStoreDB clients on 127.0.0.1')
    .option('--data <folder>', 'keep the events in this folder', folderFrom)
    .option('--memory', 'keep nothing')
    .option('--port <n>', 'port; 0 for a free one', portFrom, 2113)
    .option('--log-level <level>', 'how much to log to standard error', 'warn')
    .addHelpText('after', '\nExample:\n  kogi store serve --data ./events --port 2113')
    .action(serve)
  store
    .command('verify')
    .description('Read everything in a folder and say whether it is whole, also while it is served')
    .requiredOption('--data <folder>', 'the folder of the events', folderFrom)
    .option('--json', 'print what was found as one JSON object')
    .addHelpText('after', '\nExample:\n  kogi store verify --data ./events')
    .action(check)
  store
    .command('export')
    .description('Write all events that a folder has now to a file of JSON lines, also while it is served')
    .requiredOption('--data <folder>', 'the folder of the events', folderFrom)
    .argument('<file>', 'a file that does not exist yet')
    .addHelpText('after', '\nExample:\n  kogi store export --data ./events events.ndjson')
    .action((file: string, { data }: { data: string }, command: Command) =>
      done(command, async () => `${await exportEvents(data, file)} events written to ${file}`),
    )
  store
    .command('import')
    .description('Fill an empty folder, which nothing may be serving, from a file that `export` wrote')
    .requiredOption('--data <folder>', 'a folder without events', folderFrom)
    .argument('<file>', 'the file of JSON lines')
    .option('--open-ended', 'take an export without a last line, of a version before format 3: a cut is not noticed')
    .addHelpText('after', '\nExample:\n  kogi store import --data ./copy events.ndjson')
    .action((file: string, { data, openEnded }: { data: string; openEnded?: true }, command: Command) =>
      done(command, async () => `${await importEvents(data, file, openEnded)} events read from ${file}`),
    )
  store
    .command('scavenge')
    .description('Remove for good what was deleted, truncated or has expired; nothing may be serving the folder')
    .requiredOption('--data <folder>', 'the folder of the events', folderFrom)
    .action(({ data }: { data: string }, command: Command) =>
      done(command, async () => {
        const { kept, removed, bytesBefore, bytesAfter } = await scavenge(data)
        return `${removed} events removed, ${kept} kept; ${bytesBefore} bytes became ${bytesAfter}`
      }),
    )
  return store
}

type ServeOptions = {
  readonly data?: string
  readonly memory?: true
  readonly port: number
  readonly logLevel: string
}

async function serve(options: ServeOptions, command: Command): Promise<void> {
  if ((options.data === undefined) === (options.memory === undefined))
    command.error('error: give either --data <folder> or --memory')
  const log = pino({ name: 'event-store', level: options.logLevel }, pino.destination(2))
  const where = options.memory ? { memory: true } : { dataDir: options.data! }
  const server = await startEventStore({ ...where, port: options.port, log }).catch((error: Error) =>
    command.error(`error: ${error.message}`),
  )
  process.stdout.write(`${server.url}\n`)
  const stop = (): void => {
    server.close().then(
      () => process.exit(0),
      error => {
        log.error({ err: error }, 'the event store did not close cleanly')
        process.exit(1)
      },
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

async function check({ data, json }: { data: string; json?: true }, command: Command): Promise<void> {
  await done(command, async () => {
    const findings = await verifyFolder(data)
    const { events, blocks, bytes, problems, notes } = findings
    if (json) {
      if (problems.length > 0) process.exitCode = 1
      return JSON.stringify(findings)
    }
    for (const note of notes) process.stdout.write(`note: ${note}\n`)
    for (const problem of problems) process.stdout.write(`problem: ${problem}\n`)
    if (problems.length > 0) process.exitCode = 1
    return `${events} events in ${blocks} blocks (${bytes} bytes): ${problems.length === 0 ? 'whole' : 'damaged'}`
  })
}

/** Prints the outcome as one line, or the error and a failing exit code. */
async function done(command: Command, work: () => Promise<string>): Promise<void> {
  try {
    process.stdout.write(`${await work()}\n`)
  } catch (error) {
    command.error(`error: ${(error as Error).message}`)
  }
}

function folderFrom(text: string): string {
  if (text === '') throw new InvalidArgumentError('a folder has a name')
  if (statSync(text, { throwIfNoEntry: false })?.isDirectory() === false)
    throw new InvalidArgumentError('this is no folder')
  return text
}

function portFrom(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}
