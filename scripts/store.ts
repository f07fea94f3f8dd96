import { Command, InvalidArgumentError } from 'commander'
import { pino } from 'pino'
import { startEventStore } from '../infra/embedded/event-store/index.ts'

/** `kogi store …`: the embedded event store on its own, and the care of its folder. */
export function storeCommand(): Command {
  const store = new Command('store').description('The embedded event store: serve it, check it, move it, tidy it')
  store
    .command('serve')
    .description('Serve a folder of events, or memory, to EventStoreDB clients on 127.0.0.1')
    .option('--data <folder>', 'keep the events in this folder')
    .option('--memory', 'keep nothing')
    .option('--port <n>', 'port; 0 for a free one', portFrom, 2113)
    .option('--log-level <level>', 'how much to log to standard error', 'warn')
    .action(serve)
  return store
}

interface ServeOptions {
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

function portFrom(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535')
  return port
}
