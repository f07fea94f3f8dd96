import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { loadConfig } from '../../infra/config.ts'
import { kogi, startKogi } from '../../scripts/running.ts'
import { type Client, client, untilReady } from './client.ts'
import { patientSettings } from './pace.ts'
import { allProcesses } from './processes.ts'

/** A whole `kogi dev` in a folder of its own, driven from outside as a user would. */
export type System = {
  readonly url: string
  readonly data: string
  readonly pid: number
  /** Output of a verb run against this system's folder. Rejects with its output where it exits other than 0. */
  readonly kogi: (...args: string[]) => Promise<string>
  readonly clientOf: (org: string, role?: string, subject?: string) => Promise<Client>
  /** Process ids of the children with this word in their command line. */
  readonly childrenNamed: (word: string) => Promise<number[]>
  readonly stop: () => Promise<void>
}

/** Starts the system on embedded engines; `data` is made, and removed at `stop`, where none is given. */
export async function startSystem(options: { data?: string; env?: Record<string, string> } = {}): Promise<System> {
  const data = options.data ?? (await mkdtemp(path.join(tmpdir(), 'kogi-system-')))
  const settings = { KOGI_LOG_LEVEL: process.env.KOGI_TEST_LOGS ?? 'silent', ...patientSettings() }
  const env = { ...settings, ...options.env, KOGI_DATA_DIR: data }
  const config = loadConfig({ KOGI_DATA_DIR: data })
  const { url, pid, stop } = await startKogi(['dev', '--port', '0'], env)
  await untilReady(url)
  return {
    url,
    data,
    pid,
    kogi: (...args) => kogi(args, env),
    clientOf: async (org, role = 'organization-admin', subject = 'tester') =>
      client(url, await issueToken(config, { org, subject, roles: [role], ttlSeconds: 3_600 })),
    childrenNamed: async word => {
      const children = (await allProcesses()).filter(({ parent, command }) => parent === pid && command.includes(word))
      return children.map(child => child.pid)
    },
    async stop() {
      await stop()
      if (!options.data) await rm(data, { recursive: true, force: true })
    },
  }
}
