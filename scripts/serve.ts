/** The common part of the verbs that serve: options, configuration, and the order in which a process starts. */
import { Command, InvalidArgumentError } from 'commander'
import { type Config, loadConfig } from '../infra/config.ts'
import { createLifecycle, type Lifecycle } from '../infra/http/lifecycle.ts'
import { createLog, type Log } from '../infra/log.ts'

type ServeOptions = { readonly port?: string; readonly data?: string }
export type Started = { readonly config: Config; readonly log: Log; readonly lifecycle: Lifecycle }

/** A verb that serves on a port until SIGTERM. `start` returns the line that says it is ready, and what may follow. */
export function servingCommand(
  name: string,
  description: string,
  start: (started: Started) => Promise<string>,
): Command {
  return new Command(name)
    .description(description)
    .option('--port <n>', 'port to listen on; 0 takes a free one (KOGI_PORT)', portFrom)
    .option('--data <folder>', 'folder of the embedded engines (KOGI_DATA_DIR)')
    .addHelpText('after', `\nPrints "ready <url>" when it accepts.\n\nExample:\n  $ kogi ${name} --port 8080`)
    .action(async (options: ServeOptions) => {
      const config = configFrom(options)
      // The log goes to standard error, so that scripts can wait for the ready line on standard output.
      const log = createLog({ service: `kogi-${name}`, level: config.logLevel, fd: 2 })
      const lifecycle = createLifecycle({ log, drainTimeoutMs: config.drainTimeoutMs })
      lifecycle.handleSignals()
      try {
        process.stdout.write(`${await start({ config, log, lifecycle })}\n`)
      } catch (error) {
        await lifecycle.stop('it could not start')
        throw error
      }
    })
}

/** A log for verbs that show people what they do: without the lines that tell the same in the form of a log. */
export const quietLog = (service: string, { logLevel }: Pick<Config, 'logLevel'>): Log =>
  createLog({ service, level: logLevel === 'info' ? 'warn' : logLevel, fd: 2 })

/** The configuration of the environment; options of the command line take precedence. */
export const configFrom = ({ port, data }: ServeOptions): Config =>
  loadConfig({
    ...process.env,
    ...(port !== undefined && { KOGI_PORT: port }),
    ...(data !== undefined && { KOGI_DATA_DIR: data }),
  })

function portFrom(text: string): string {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return text
  throw new InvalidArgumentError('a port is a number from 0 to 65535')
}
