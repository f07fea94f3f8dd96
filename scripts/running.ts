/** Verbs of the CLI run as processes of their own: by the demo, the benchmarks and the tests of the whole. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ENTRY } from '../infra/children.ts'

const run = promisify(execFile)

export type Running = { readonly url: string; readonly pid: number; readonly stop: () => Promise<void> }

/** Starts a script as a process of its own, and waits for its line `ready <url>`. */
export async function start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Running> {
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    env: { ...process.env, KOGI_LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', line => {
      const found = /^(?:ready )?((?:http|esdb):\S+)$/.exec(line)?.[1]
      if (found) resolve(found)
    })
    child.once('exit', code => reject(new Error(`${args.join(' ')} ended with ${code} before it was ready`)))
  })
  return { url, pid: child.pid!, stop: () => stop(child) }
}

/** Starts a verb of the CLI that serves. */
export const startKogi = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  start([ENTRY, ...args], env)

/** Output of a verb that ends. */
export async function kogi(args: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await run(process.execPath, [...process.execArgv, ENTRY, ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
  })
  return stdout.trim()
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
