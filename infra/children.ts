/** Starts child processes, starts them again when they die, and ends them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Log } from './log.ts'
import { within } from './within.ts'

const RESTART_MS_MIN = 100
const RESTART_MS_MAX = 5_000
/** A child that does not end in this time after SIGTERM is killed. */
const STOP_MS_MAX = 15_000

/** Entry point of the CLI: the same file whether run from source or compiled. */
export const ENTRY = fileURLToPath(
  new URL(`../scripts/kogi${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/**
 * Half of V8's young generation in MiB, 16 by default: what requests and batches make dies there where it has room, and
 * takes a tenth less CPU time with it.
 */
const ROOM = '--max-semi-space-size=32'

export type ChildOptions = {
  /** A script with its arguments. */
  readonly args: readonly string[]
  /** What errors call it; its arguments by default. */
  readonly name?: string
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>
  /** Form of the line of standard output that says it is ready; any line by default. */
  readonly ready?: RegExp
  /** Options of Node; those of this process by default. */
  readonly execArgv?: readonly string[]
  /** Gives up the start and ends the child. */
  readonly signal?: AbortSignal
  readonly stderr?: 'inherit' | 'pipe'
  /** The system user that it runs as. */
  readonly uid?: number
  readonly gid?: number
}

/** A Node process that is ready. */
export type Child = {
  readonly process: ChildProcess
  readonly pid: number
  /** The line that said it is ready. */
  readonly firstLine: string
  /** Resolves when it has ended, after `stop` or by itself. */
  readonly exited: Promise<void>
  /** Asks it to end by SIGTERM, and kills it when it takes too long. */
  readonly stop: () => Promise<void>
}

/**
 * Starts a script in a Node process of its own and resolves at the line that says it is ready. A script that calls
 * `endWithParent` ends by itself when this process dies, whatever kills it, because the channel between them breaks.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { args, name = args.join(' '), env, ready = /./, signal, stderr = 'inherit', ...rest } = options
  const { execArgv = process.execArgv, ...user } = rest
  const child = spawn(process.execPath, [ROOM, ...execArgv.filter(option => option !== ROOM), ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', stderr, 'ipc'],
    ...user,
  })
  const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
  const stop = () => end(child, exited)
  signal?.addEventListener('abort', stop)
  try {
    const firstLine = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout! }).on('line', line => ready.test(line) && resolve(line))
      child.once('exit', (code, by) => reject(new Error(`${name} ended with ${by ?? code} before it was ready`)))
      child.once('error', reject)
      if (signal?.aborted) void stop()
    })
    return { process: child, pid: child.pid!, firstLine, exited, stop }
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await within(STOP_MS_MAX, exited, () => new Error('late')).catch(() => child.kill('SIGKILL'))
  await exited
}

/** Something that ends by itself or is stopped. */
type Running = { readonly exited: Promise<void>; readonly stop: () => Promise<void> }

/** Something that is started again whenever it ends; `first` is what the first start returned. */
export type Supervised<T> = { readonly first: T; readonly stop: () => Promise<void> }

/**
 * Starts something, and starts it again with growing pauses whenever it ends, until `stop`. Rejects when the first
 * start fails. The signal gives up a start that is under way at `stop`.
 */
export async function supervise<T extends Running>(
  name: string,
  log: Log,
  start: (signal: AbortSignal) => Promise<T>,
): Promise<Supervised<T>> {
  const stopping = new AbortController()
  const { signal } = stopping
  const first = await start(signal)
  let current = first
  const watch = async () => {
    for (let delayMs = RESTART_MS_MIN; ; delayMs = Math.min(delayMs * 2, RESTART_MS_MAX)) {
      const started = Date.now()
      await current.exited
      if (Date.now() - started > RESTART_MS_MAX) delayMs = RESTART_MS_MIN
      if (signal.aborted) return
      log.error({ child: name, delayMs }, 'a child process died and is started again')
      await sleep(delayMs, undefined, { signal }).catch(() => undefined)
      if (signal.aborted) return
      try {
        current = await start(signal)
      } catch (error) {
        log.error({ err: error, child: name }, 'a child process could not be started again')
      }
      if (signal.aborted) return current.stop()
    }
  }
  const watching = watch()
  return {
    first,
    async stop() {
      stopping.abort()
      await current.stop()
      await watching
    },
  }
}

/** Keeps a verb of the CLI running as a process of its own. */
export const superviseVerb = (options: {
  readonly name: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly log: Log
}): Promise<Supervised<Child>> => {
  const { name, args, env = {}, log } = options
  return supervise(name, log, signal => startChild({ name, args: [ENTRY, ...args], env, signal }))
}

/** In a child: ends this process in good order when its parent is gone. */
export function endWithParent(): void {
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
}
