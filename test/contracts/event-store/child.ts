/** Processes that tests start: each ends with the process that started it, however that one ends. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Arguments of `node` for a TypeScript file that lies beside the test. */
export const script = (file: string, testUrl: string): string[] => [
  ...process.execArgv,
  new URL(file, testUrl).pathname,
]

/** Starts a program whose standard input stays open as long as this process lives. */
export function startChild(program: string, args: readonly string[]): ChildProcess {
  return spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** The first line that a child prints; rejects when the child ends before. */
export async function firstLine(child: ChildProcess): Promise<string> {
  const lines = createInterface({ input: child.stdout! })
  const ended = once(lines, 'close').then(() => {
    throw new Error(`The process ended with ${child.exitCode ?? child.signalCode} before it printed a line`)
  })
  const [line] = (await Promise.race([once(lines, 'line'), ended])) as [string]
  return line
}

/** Kills a child that is still there, and resolves when it is gone. */
export async function kill(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

/** Ends this process when its standard input ends, which the end of the process that started it brings about. */
export function endWithParent(): void {
  process.stdin.on('end', () => process.exit(1)).on('error', () => process.exit(1))
  process.stdin.resume()
}
