/** CPU that processes have used, from `/proc`: on a shared machine it says more than the time on the wall. */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks of `/proc` in a second: Linux has 100 on every machine that Node runs on. */
const TICKS = 100

type Times = { readonly parent: number; readonly seconds: number }

/** Seconds of user and system time of processes and all that they started, those that ended among them. */
export function cpuSeconds(pids: readonly number[]): number {
  const all = new Map<number, Times>()
  for (const name of readdirSync('/proc')) {
    const times = /^\d+$/.test(name) ? timesOf(name) : undefined
    if (times) all.set(Number(name), times)
  }
  const sum = (pid: number): number => {
    const children = [...all].filter(([, { parent }]) => parent === pid)
    return children.reduce((seconds, [child]) => seconds + sum(child), all.get(pid)?.seconds ?? 0)
  }
  return pids.reduce((seconds, pid) => seconds + sum(pid), 0)
}

/** `undefined` for a process that has ended meanwhile. */
function timesOf(pid: string): Times | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const [parent, user, system, waitedUser, waitedSystem] = [1, 11, 12, 13, 14].map(n => fields[n]!)
    return { parent: parent!, seconds: (user! + system! + waitedUser! + waitedSystem!) / TICKS }
  } catch {
    return undefined
  }
}
