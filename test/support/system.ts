import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kogi, startKogi } from '../../scripts/running.ts'
import { type Client, client } from './client.ts'

/** A whole `kogi dev` in a folder of its own, driven from outside as a user would. */
export type System = {
  readonly url: string
  readonly data: string
  readonly pid: number
  /** Output of a verb run against this system's folder. Rejects with its output where it exits other than 0. */
  readonly kogi: (...args: string[]) => Promise<string>
  readonly clientOf: (org: string, role?: string, subject?: string) => Promise<Client>
  /** Process ids of the child that runs this verb. */
  readonly childrenNamed: (verb: string) => Promise<number[]>
  readonly stop: () => Promise<void>
}

/** Starts the system on embedded engines; `data` is made, and removed at `stop`, where none is given. */
export async function startSystem(options: { data?: string; env?: Record<string, string> } = {}): Promise<System> {
  const data = options.data ?? (await mkdtemp(path.join(tmpdir(), 'kogi-system-')))
  const env = { KOGI_LOG_LEVEL: process.env.KOGI_TEST_LOGS ?? 'silent', ...options.env, KOGI_DATA_DIR: data }
  const { url, pid, stop } = await startKogi(['dev', '--port', '0'], env)
  // The APIs answer before the projector has made its tables.
  while (!(await fetch(`${url}/health/ready`)).ok) await sleep(50)
  return {
    url,
    data,
    pid,
    kogi: (...args) => kogi(args, env),
    clientOf: async (org, role = 'organization-admin', subject = 'tester') =>
      client(url, await kogi(['token', '--org', org, '--subject', subject, '--role', role], env)),
    childrenNamed: verb => childrenNamed(pid, verb),
    async stop() {
      await stop()
      if (!options.data) await rm(data, { recursive: true, force: true })
    },
  }
}

async function childrenNamed(parent: number, verb: string): Promise<number[]> {
  const found: number[] = []
  for (const entry of await readdir('/proc')) {
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== parent) continue
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (command.split('\0').includes(verb)) found.push(Number(entry))
  }
  return found
}
