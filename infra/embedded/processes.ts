import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A running process: its id, its parent's id (init's where the parent has ended), and its command line. */
export type RunningProcess = { readonly pid: number; readonly parent: number; readonly command: readonly string[] }

/** Describes a process, `null` when none runs under that id. A zombie counts as not running. */
export async function describeProcess(pid: number): Promise<RunningProcess | null> {
  return process.platform === 'linux' ? fromProc(pid) : fromPs(pid)
}

/** Waits until a process is gone; false when it still runs after `timeoutMs`. */
export async function waitUntilGone(pid: number, timeoutMs: number): Promise<boolean> {
  const end = Date.now() + timeoutMs
  while (await describeProcess(pid)) {
    if (Date.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  return true
}

async function fromProc(pid: number): Promise<RunningProcess | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything: the fields that follow are counted from its end.
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return null
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
    return { pid, parent: Number(parent), command: command.split('\0').slice(0, -1) }
  } catch {
    return null
  }
}

async function fromPs(pid: number): Promise<RunningProcess | null> {
  try {
    const { stdout } = await run('ps', ['-o', 'ppid=,stat=,args=', '-p', String(pid)])
    const [, parent, state, command] = /^\s*(\d+)\s+(\S+)\s+(.*)$/m.exec(stdout) ?? []
    if (!parent || state?.startsWith('Z')) return null
    return { pid, parent: Number(parent), command: command?.split(' ') ?? [] }
  } catch {
    return null
  }
}
