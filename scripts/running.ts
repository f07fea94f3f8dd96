/** Runs verbs of the CLI as processes of their own, for the demo, the benchmarks and the tests of the whole system. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ENTRY, startChild } from '../infra/children.ts'

const run = promisify(execFile)

export type Running = { readonly url: string; readonly pid: number; readonly stop: () => Promise<void> }

/** Starts a script as a process of its own, with options of Node, and waits for its line `ready <url>` or `<url>`. */
export async function start(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  execArgv: readonly string[] = process.execArgv,
): Promise<Running> {
  const ready = /^(?:ready )?((?:http|esdb):\S+)$/
  const { firstLine, pid, stop } = await startChild({ args, execArgv, env: { KOGI_LOG_LEVEL: 'error', ...env }, ready })
  return { url: ready.exec(firstLine)![1]!, pid, stop }
}

/** Starts a verb of the CLI that serves. */
export const startKogi = (args: readonly string[], env: Readonly<Record<string, string>>) =>
  start([ENTRY, ...args], env)

/** Runs a verb to its end, with an input where it reads one, and returns its output. */
export async function kogi(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  input?: string,
): Promise<string> {
  const running = run(process.execPath, [...process.execArgv, ENTRY, ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 2 ** 28,
  })
  if (input !== undefined) running.child.stdin?.end(input)
  return (await running).stdout.trim()
}
