/** How soon an event reaches those who follow, and what a thousand of them cost. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { kogi, type Running, startKogi } from '../running.ts'
import { alone, type Figure } from './figure.ts'
import { call } from './load.ts'

const CONNECTIONS = 1_000
/** Connections of the org that the commands are of, in the second part; others are of orgs where nothing happens. */
const FOLLOWING = 100
const COMMANDS_PER_SECOND = 200
const SECONDS = 15
/** Commands of these first seconds are sent and not measured: the compiler is still at work. */
const WARM_SECONDS = 5
const IDLE_SECONDS = 10
const LATE_MS = 30_000
/** Clock ticks of a second in /proc, the same on every Linux. */
const TICKS = 100

/**
 * Time from a command, and from its commit, to its event, with 1,000 connections open: one of the org of the commands,
 * then a hundred; memory and CPU of them.
 */
export async function liveBench(): Promise<Figure[]> {
  const data = await mkdtemp(path.join(tmpdir(), 'kogi-bench-'))
  const dev = await startKogi(['dev', '--port', '0'], { KOGI_DATA_DIR: data })
  const open: (() => void)[] = []
  try {
    const tokenOf = (org: string) =>
      kogi(['token', '--org', org, '--subject', 'bench', '--role', 'organization-admin'], { KOGI_DATA_DIR: data })
    const token = await tokenOf('bench')
    await call(dev, token, '/kbfc/items', { id: 'first', name: 'First' })
    const { pid: _, ...urls } = JSON.parse(await readFile(path.join(data, 'running.json'), 'utf8'))
    const reads = await startKogi(['read-api'], {
      KOGI_DATA_DIR: data,
      KOGI_EVENTSTORE_URL: urls.eventStoreUrl,
      KOGI_DATABASE_URL: urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: urls.keysDatabaseUrl,
      KOGI_PORT: '0',
    })
    try {
      const arrived = new Map<string, Arrival>()
      open.push(await stream(reads, token, text => noteAll(text, arrived)))
      await sleep(2_000)
      const few = await usage(reads.pid)
      for (let n = 1; n < CONNECTIONS; n++) {
        const own = await cached(`org-${n % 10}`, tokenOf)
        open.push(n % 2 === 0 ? await stream(reads, own) : await socket(reads, own))
      }
      await sleep(1_000)
      const idle = await usage(reads.pid)
      await sleep(IDLE_SECONDS * 1_000)
      const later = await usage(reads.pid)
      const figures = await delays(dev, token, arrived, 'live')
      for (let n = 1; n < FOLLOWING; n++) {
        open.push(n % 2 === 0 ? await stream(reads, token) : await socket(reads, token))
      }
      figures.push(...(await delays(dev, token, arrived, `live_to_${FOLLOWING}`)))
      const busy = await usage(reads.pid)
      return [
        ...figures,
        alone('live_1000_connections_memory', (Math.max(idle.rss, busy.rss) - few.rss) / 2 ** 20, 'MiB'),
        alone('live_1000_connections_idle_cpu', ((later.cpu - idle.cpu) / IDLE_SECONDS) * 100, '% of a core'),
      ]
    } finally {
      for (const close of open) close()
      await reads.stop()
    }
  } finally {
    await dev.stop()
    await rm(data, { recursive: true, force: true })
  }
}

const tokens = new Map<string, string>()

async function cached(org: string, make: (org: string) => Promise<string>): Promise<string> {
  if (!tokens.has(org)) tokens.set(org, await make(org))
  return tokens.get(org)!
}

/** Opens an event stream, and returns what closes it. */
function stream({ url }: Running, token: string, onText: (text: string) => void = () => {}): Promise<() => void> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/api/v1/events`, { headers: { authorization: `Bearer ${token}` }, agent: false })
    sent.on('response', answer => {
      if (answer.statusCode !== 200) return reject(new Error(`an event stream was answered with ${answer.statusCode}`))
      answer.setEncoding('utf8').on('data', onText)
      resolve(() => sent.destroy())
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** Opens a WebSocket that listens to the portfolio of the one who sends the commands. */
function socket({ url }: Running, token: string): Promise<() => void> {
  const made = new WebSocket(`${url.replace('http', 'ws')}/api/v1/ws`)
  return new Promise((resolve, reject) => {
    made.on('error', reject)
    made.on('open', () => {
      made.send(JSON.stringify({ type: 'auth', token }))
      made.send(JSON.stringify({ type: 'subscribe', channels: ['briefcase:bench'] }))
    })
    made.on('message', data => String(data).includes('"subscribed"') && resolve(() => made.terminate()))
  })
}

type Arrival = { readonly recordedAt: number; readonly at: number }

function noteAll(text: string, arrived: Map<string, Arrival>): void {
  for (const line of text.split('\n')) {
    const event = line.startsWith('data:') ? JSON.parse(line.slice('data:'.length)) : undefined
    if (event?.id) arrived.set(event.id, { recordedAt: Date.parse(event.at), at: Date.now() })
  }
}

/** Sends commands at a fixed rate, whatever their answers take, and measures each and its commit up to its event. */
async function delays({ url }: Running, token: string, arrived: Map<string, Arrival>, name: string): Promise<Figure[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 })
  const began = Date.now()
  const sent = new Map<string, number>()
  for (let n = 0; n < COMMANDS_PER_SECOND * (WARM_SECONDS + SECONDS); n++) {
    const wait = began + (n * 1_000) / COMMANDS_PER_SECOND - Date.now()
    if (wait > 0) await sleep(wait)
    const id = `${name}-${n}`
    sent.set(id, Date.now())
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const command = request(`${url}/api/v1/kbfc/items`, { method: 'POST', agent, headers }, answer => answer.resume())
    command.on('error', () => {})
    command.end(JSON.stringify({ id, name: 'Item' }))
  }
  const missing = () => [...sent.keys()].filter(id => !arrived.has(id)).length
  for (let waited = 0; missing() > 0 && waited < LATE_MS; waited += 100) await sleep(100)
  agent.destroy()
  // A machine that cannot take so many commands has no figure of this.
  if (missing() > 0) {
    process.stderr.write(`of the events of ${sent.size} commands ${missing()} did not come\n`)
    return []
  }
  const measured = [...sent].slice(COMMANDS_PER_SECOND * WARM_SECONDS)
  const sorted = (since: (id: string, time: number) => number) =>
    measured.map(([id, time]) => arrived.get(id)!.at - since(id, time)).sort((a, b) => a - b)
  const afterCommit = sorted(id => arrived.get(id)!.recordedAt)
  const afterCommand = sorted((_, time) => time)
  return [
    alone(`${name}_event_after_commit_p50`, at(afterCommit, 0.5), 'ms'),
    alone(`${name}_event_after_commit_p99`, at(afterCommit, 0.99), 'ms'),
    alone(`${name}_event_after_command_p99`, at(afterCommand, 0.99), 'ms'),
  ]
}

const at = (sorted: readonly number[], share: number) => sorted[Math.floor(sorted.length * share)]!

/** Memory in bytes and CPU seconds of a process so far. */
async function usage(pid: number): Promise<{ readonly rss: number; readonly cpu: number }> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ])
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const rss = Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1_024
  return { rss, cpu: (Number(fields[11]) + Number(fields[12])) / TICKS }
}
