/** How a verb ends that cannot do what it was asked to: its message, where it is printed, and the exit status. */
import type { Command, CommanderError } from 'commander'
import { KogiError } from '../domain/kernel/errors.ts'
import { ConfigError } from '../infra/config.ts'
import { stopBars } from './terminal.ts'

/** Exit statuses of the CLI, as in `sysexits.h` where that has one. */
export const STATUS = {
  /** The answer is no: a table differs, a part is not well. For some verbs also: refused. */
  no: 1,
  usage: 64,
  refused: 65,
  nothing: 66,
  unavailable: 69,
  fault: 70,
  output: 74,
  later: 75,
  settings: 78,
} as const

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  unknown_projection: STATUS.usage,
  unknown_org: STATUS.usage,
  unknown_step: STATUS.usage,
  invalid_parameter: STATUS.usage,
  file_unreadable: STATUS.nothing,
  no_data: STATUS.nothing,
  no_tables: STATUS.nothing,
  no_backup: STATUS.nothing,
  engine_unavailable: STATUS.unavailable,
  master_key_missing: STATUS.settings,
  rebuild_running: STATUS.later,
  rebuilt_meanwhile: STATUS.later,
}

/** The verb was ended by a signal, and it left things as they were. */
export class GivenUpError extends KogiError {
  readonly status: number

  constructor(message: string, status: number) {
    super('given_up', message)
    this.status = status
  }
}

/** Codes of what the operating system refuses; the message says what and where. */
const SYSTEM_CODES = new Set(['EADDRINUSE', 'EADDRNOTAVAIL', 'EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'ENOENT'])

type FailOptions = {
  /** The error also as one JSON object on standard output. */
  readonly json?: boolean | undefined
  /** The status of a refusal that has none of its own. */
  readonly refused?: number
}

/** Ends a verb that failed: an expected error is its message, a fault is its stack; the status says which. */
export function fail(error: unknown, { json = false, refused = STATUS.no }: FailOptions = {}): never {
  stopBars()
  const status = statusOf(error, refused)
  if (json) {
    const { message, details } = error as KogiError
    const code = error instanceof KogiError ? error.code : status === STATUS.fault ? 'fault' : 'refused'
    process.stdout.write(`${JSON.stringify({ error: { code, message, details: details ?? [] } })}\n`)
  }
  process.stderr.write(`kogi: ${textOf(error, status)}\n`)
  if (error instanceof KogiError)
    for (const { field, message } of error.details) process.stderr.write(`  ${field}: ${message}\n`)
  process.exit(status)
}

function statusOf(error: unknown, refused: number): number {
  if (error instanceof GivenUpError) return error.status
  if (error instanceof KogiError) return STATUS_OF_CODE[error.code] ?? refused
  if (error instanceof ConfigError) return refused === STATUS.no ? STATUS.no : STATUS.settings
  if (SYSTEM_CODES.has(String((error as NodeJS.ErrnoException).code))) return refused
  return STATUS.fault
}

function textOf(error: unknown, status: number): string {
  if (!(error instanceof Error)) return String(error)
  if (status === STATUS.fault) return error.stack ?? error.message
  const { cause } = error
  if (!(error instanceof KogiError) || !(cause instanceof Error)) return error.message
  return `${error.message} (${cause.message || (cause as NodeJS.ErrnoException).code})`
}

/** Makes every verb end with 64 where the command line is wrong, so that 1 means what the verb says that it means. */
export function endWithUsage(command: Command): void {
  command.exitOverride(error => process.exit(usageStatus(error)))
  for (const verb of command.commands) endWithUsage(verb)
}

function usageStatus({ code, exitCode, message }: CommanderError): number {
  if (exitCode === 0) return 0
  if (process.argv.includes('--json')) console.log(JSON.stringify({ error: { code: 'usage', message, details: [] } }))
  return code === 'commander.error' ? exitCode : STATUS.usage
}

let readerIsGone = false

/** Whether the reader of the output has gone away, as `| head -1` does. */
export const outputIsClosed = (): boolean => readerIsGone

/** Codes of a stream whose pipe has no reader, or whose terminal was closed. */
const GONE = new Set(['EPIPE', 'EIO'])

/** Lets a reader of the output go away: output that is not read any more is no fault. */
export function forgivePipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', error => {
      if (!GONE.has(String((error as NodeJS.ErrnoException).code))) throw error
      if (stream === process.stdout) readerIsGone = true
    })
  }
}

/** The exit statuses of an operator's verb, for its help; `no` says what 1 means there, if anything. */
export const statusHelp = (no?: string): string => `
Exit status:
  0   done${no === undefined ? '' : `\n  1   ${no}`}
  64  the command line is wrong, or names a projection or an organization that does not exist
  65  refused, because of what is there: the message says why
  66  there is nothing to work on: no data in the folder, or no tables in the database
  69  an engine does not answer
  70  a fault of Kogi
  74  the output cannot be written
  75  another process is in the way: run it again later
  78  a setting is wrong
  130, 143  given up at ^C or SIGTERM`
