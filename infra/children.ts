import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Log } from './log.ts'

const RESTART_MS_MIN = 100
const RESTART_MS_MAX = 5_000
/** A child that does not end in this time after SIGTERM is killed. */
const STOP_MS_MAX = 15_000

/** Entry point of the CLI: the same file whether run from source or compiled. */
export const ENTRY = fileURLToPath(
  new URL(`../scripts/kogi${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
)

/** A verb of the CLI running as a process of its own, started again whenever it dies. */
export type Supervised = {
  /** First line of standard output of the first start: what the verb says when it is ready. */
  readonly firstLine: string
  readonly pid: () => number | undefined
  readonly stop: () => Promise<void>
}

/**
 * Starts `kogi <args>`, resolves at its first line of output, and keeps it running until `stop`. The child ends by
 * itself when this process dies, whatever kills it, because the channel between them breaks (see `endWithParent`).
 */
export async function supervise(options: {
  name: string
  args: readonly string[]
  env?: Readonly<Record<string, string>>
  log: Log
}): Promise<Supervised> {
  const { name, args, env, log } = options
  let child: ChildProcess
  let stopping = false
  let delayMs = RESTART_MS_MIN
  let restart: NodeJS.Timeout | undefined

  const start = () => {
    child = spawn(process.execPath, [...process.execArgv, ENTRY, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    const lines = createInterface({ input: child.stdout! })
    const started = Date.now()
    child.once('exit', (code, signal) => {
      if (stopping) return
      if (Date.now() - started > RESTART_MS_MAX) delayMs = RESTART_MS_MIN
      log.error({ child: name, code, signal, delayMs }, 'a child process died and is started again')
      restart = setTimeout(start, delayMs)
      delayMs = Math.min(delayMs * 2, RESTART_MS_MAX)
    })
    return lines
  }

  const first = await new Promise<string>((resolve, reject) => {
    const lines = start()
    lines.once('line', resolve)
    child.once('exit', code => reject(new Error(`${name} ended with ${code} before it was ready`)))
    child.once('error', reject)
  }).catch(error => {
    stopping = true
    clearTimeout(restart)
    throw error
  })
  return {
    firstLine: first,
    pid: () => child.pid,
    async stop() {
      stopping = true
      clearTimeout(restart)
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
      await exited
      clearTimeout(killer)
    },
  }
}

/** In a supervised child: ask this process to end when its parent is gone. */
export function endWithParent(): void {
  if (process.connected) process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  process.channel?.unref()
}
