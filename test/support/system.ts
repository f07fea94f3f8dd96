import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { type Client, client } from './client.ts'

const run = promisify(execFile)
const KOGI = ['--import', 'tsx', path.resolve('scripts/kogi.ts')]

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
  const env = { ...process.env, KOGI_LOG_LEVEL: 'warn', ...options.env, KOGI_DATA_DIR: data }
  const child = spawn(process.execPath, [...KOGI, 'dev', '--port', '0', '--data', data], {
    env,
    stdio: ['ignore', 'pipe', process.env.KOGI_TEST_LOGS ? 'inherit' : 'ignore'],
  })
  const url = await readyUrl(child)
  const kogi = async (...args: string[]) => {
    const { stdout } = await run(process.execPath, [...KOGI, ...args], { env, maxBuffer: 2 ** 28 })
    return stdout
  }
  return {
    url,
    data,
    pid: child.pid!,
    kogi,
    clientOf: async (org, role = 'organization-admin', subject = 'tester') =>
      client(url, (await kogi('token', '--org', org, '--subject', subject, '--role', role)).trim()),
    childrenNamed: verb => childrenNamed(child.pid!, verb),
    async stop() {
      const exited = once(child, 'exit')
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGTERM')
        await exited
      }
      if (!options.data) await rm(data, { recursive: true, force: true })
    },
  }
}

function readyUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout! }).on('line', line => {
      const url = /^ready (http:\S+)$/.exec(line)?.[1]
      if (url) resolve(url)
    })
    child.once('exit', code => reject(new Error(`kogi dev ended with ${code} before it was ready`)))
  })
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
