/** CPU time of processes, from `/proc`: what a machine does besides does not count. */
import { readdirSync, readFileSync } from 'node:fs'

/** Clock ticks a second: Linux reports 100 to programs, whatever the kernel's own clock. */
const TICKS = 100

type Stat = { readonly parent: number; readonly own: number; readonly ended: number }

/** CPU seconds of a process and all its descendants, those included that have ended and were waited for. */
export function cpuOfTree(root: number): number {
  const all = new Map<number, Stat>()
  for (const name of readdirSync('/proc')) {
    const found = /^\d+$/.test(name) ? statOf(Number(name)) : undefined
    if (found) all.set(Number(name), found)
  }
  const cpuOf = (pid: number): number => {
    const { own, ended } = all.get(pid)!
    let sum = own + ended
    for (const [child, { parent }] of all) if (parent === pid) sum += cpuOf(child)
    return sum
  }
  return all.has(root) ? cpuOf(root) : 0
}

function statOf(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name, in parentheses, may hold anything: the fields that follow are counted from its end.
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    const seconds = (at: number) => (fields[at]! + fields[at + 1]!) / TICKS
    return { parent: fields[1]!, own: seconds(11), ended: seconds(13) }
  } catch {
    return undefined
  }
}
