import { readdir } from 'node:fs/promises'
import { describeProcess, type RunningProcess } from '../../infra/embedded/processes.ts'

/** Every process of this machine, by `/proc`. */
export async function allProcesses(): Promise<readonly RunningProcess[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  return (await Promise.all(pids.map(describeProcess))).filter(found => found !== null)
}
