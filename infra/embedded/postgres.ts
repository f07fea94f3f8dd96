import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import type { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { KogiError } from '../../domain/kernel/errors.ts'
import { freePort } from '../free-port.ts'
import type { Log } from '../log.ts'
import { within } from '../within.ts'
import { findBinaries, makeReachable, type PostgresBinaries, type ServerUser, serverUser } from './postgres-binaries.ts'
import { describeProcess, type RunningProcess, waitUntilGone } from './processes.ts'

const run = promisify(execFile)

const SUPERUSER = 'kogi'
/** Read models and keys are two databases, so that each can be backed up, moved and lost alone. */
const DATABASES = ['kogi', 'kogi_keys']

/** A start includes the replay of the log that a crashed server left. */
const START_TIMEOUT_MS = 120_000
const FAST_STOP_TIMEOUT_MS = 10_000
const KILL_TIMEOUT_MS = 5_000
const PARENT_GONE_TIMEOUT_MS = 1_000
const START_ATTEMPTS = 5

/** Settings for a small machine: many short statements, few connections, no replication. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '100',
  shared_buffers: '128MB',
  work_mem: '16MB',
  maintenance_work_mem: '64MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  // Checkpoints begin at half of it, so that the log stays under 256 MiB while one is made under load.
  max_wal_size: '160MB',
  min_wal_size: '48MB',
  wal_compression: 'on',
  checkpoint_timeout: '15min',
  random_page_cost: '1.1',
  // Workers ask for shared memory that small containers do not have, and rows are fetched by key.
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',
  jit: 'off',
  timezone: 'UTC',
  // Clients get the errors of their statements; the server's own lines have the levels LOG, FATAL and PANIC.
  log_min_messages: 'log',
  log_line_prefix: '',
  log_checkpoints: 'off',
}

/** Settings for data that may be lost: the server is faster, and a crash of the machine destroys the data. */
const VOLATILE_SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  file_copy_method: 'clone',
  shared_buffers: '64MB',
  // Several test processes share it, each with pools for several apps.
  max_connections: '400',
}

/**
 * Ends the server with its parent, whatever kills that. The server runs in its own session, so that the terminal's ^C
 * reaches the parent alone, which drains first. A shell beside it waits on a pipe that only the parent holds open. The
 * shell is a grandchild, because the server takes the death of a child that it did not start for a crash.
 */
const DIE_WITH_PARENT = '( (read -r _; kill -INT $$) <&3 >/dev/null 2>&1 & ); exec "$@" 3<&-'

/** A PostgreSQL server that this process started on a loopback port. */
export type EmbeddedPostgres = {
  /** Connection string of one of its databases: `kogi` and `kogi_keys` exist. */
  readonly url: (database: string) => string
  /** Process id of the server. */
  readonly pid: number
  /** Resolves when the server has ended, after `stop` or by itself. */
  readonly exited: Promise<void>
  /** Ends the server in good order, its connections at once. */
  readonly stop: () => Promise<void>
}

/**
 * Starts PostgreSQL on `<dataDir>/postgres`, which is made at first start and keeps its data afterwards. The port is a
 * free one, the password random and kept beside the data. A server left behind by a killed parent is stopped first,
 * not adopted: its port, its settings and the shell that watches it belong to the run that is gone. When the folder is
 * served for a parent that lives, the start is refused. `volatile` trades durability for speed, for tests.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string
  log: Log
  volatile?: boolean
  /** The port to take; a free one where it is left out. */
  port?: number
}): Promise<EmbeddedPostgres> {
  const { log, volatile = false } = options
  await mkdir(options.dataDir, { recursive: true })
  const home = path.join(await realpath(options.dataDir), 'postgres')
  const data = path.join(home, 'data')
  const user = await serverUser(data, log)
  const binaries = await findBinaries()
  await mkdir(home, { recursive: true, mode: 0o700 })
  await own(home, user)
  await makeReachable(path.dirname(home), user, log)
  await makeReachable(path.dirname(binaries.postgres), user, log)
  const password = await initialise(home, binaries, user)
  const { child, port, exited } = await launch(data, binaries, user, { volatile, log, port: options.port })
  const url = (database: string) => `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`
  const stop = () => stopChild(child, exited, volatile)
  try {
    await prepare(url('postgres'))
  } catch (error) {
    await stop()
    throw error
  }
  return { url, pid: child.pid!, exited, stop }
}

/** Makes the data folder, whole or not at all, and returns the server's password. */
async function initialise(home: string, { initdb }: PostgresBinaries, user: ServerUser): Promise<string> {
  const [data, draft, passwordFile] = ['data', 'data.new', 'password'].map(name => path.join(home, name)) as [
    string,
    string,
    string,
  ]
  if (await stat(data).catch(() => undefined)) return (await readFile(passwordFile, 'utf8')).trim()
  await rm(draft, { recursive: true, force: true })
  const password = randomBytes(24).toString('base64url')
  await rm(passwordFile, { force: true })
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
  await own(passwordFile, user)
  // Code-point order and UTC wherever it runs: the order of rows must not depend on a machine's locale.
  const args = ['--pgdata', draft, '--username', SUPERUSER, '--pwfile', passwordFile, '--auth', 'scram-sha-256']
  args.push('--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8')
  args.push('--no-sync', '--no-instructions')
  try {
    await run(initdb, args, { ...user, cwd: home, env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } })
  } catch (error) {
    throw new Error(`The embedded PostgreSQL could not be set up: ${(error as { stderr?: string }).stderr ?? error}`)
  }
  await rename(draft, data)
  return password
}

type LaunchOptions = { readonly volatile: boolean; readonly log: Log; readonly port: number | undefined }

async function launch(data: string, { postgres }: PostgresBinaries, user: ServerUser, options: LaunchOptions) {
  const { volatile, log } = options
  const settings = { ...SETTINGS, ...(volatile ? VOLATILE_SETTINGS : {}), 'kogi.parent': String(process.pid) }
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  for (let attempt = 1; ; attempt++) {
    await removeLeftServer(data, log)
    const port = options.port ?? (await freePort())
    const child = spawn('/bin/sh', ['-c', DIE_WITH_PARENT, 'sh', postgres, '-D', data, '-p', String(port), ...flags], {
      ...user,
      cwd: path.dirname(data),
      detached: true,
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const exited = new Promise<void>(resolve => child.once('exit', () => resolve()))
    releaseShell(child)
    const failure = await ready(child, log)
    if (failure === undefined) return { child, port, exited }
    const passing = /could not create any TCP|address already in use|lock file|pre-existing shared memory/i.test(
      failure,
    )
    if (!passing || attempt === START_ATTEMPTS) throw new Error(`The embedded PostgreSQL did not start: ${failure}`)
    await sleep(200)
  }
}

/** Waits until the server accepts connections; returns `undefined`, or the lines that it wrote before it ended. */
async function ready(child: ChildProcess, log: Log): Promise<string | undefined> {
  const said: string[] = []
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve(`not ready after ${START_TIMEOUT_MS} ms\n${said.join('\n')}`)
    }, START_TIMEOUT_MS)
    const done = (failure?: string) => {
      clearTimeout(timer)
      resolve(failure)
    }
    child.once('error', error => done(error.message))
    child.once('close', () => done(said.join('\n')))
    createInterface({ input: child.stderr! }).on('line', line => {
      if (said.length < 50) said.push(line)
      const level = /^(FATAL|PANIC):/.test(line) ? 'warn' : 'debug'
      log[level]({ engine: 'postgres' }, line)
      if (line.includes('ready to accept connections')) done()
    })
  })
}

/** Makes a folder free for a new server: stops an orphan, removes a dead server's lock, refuses a folder in use. */
async function removeLeftServer(data: string, log: Log) {
  const lock = path.join(data, 'postmaster.pid')
  const pid = Number((await readFile(lock, 'utf8').catch(() => '')).split('\n')[0])
  if (!(pid > 0)) return
  const left = await settledProcess(pid)
  // After a crash another program may have this process id; a new server would take it for a running server.
  if (!left?.command.join(' ').includes(` -D ${data} `)) return rm(lock, { force: true })
  if (servesItsParent(left)) {
    const folder = path.dirname(data)
    throw new KogiError('already_running', `${folder} is in use by the running process ${left.parent}: stop it first.`)
  }
  log.warn({ pid }, 'stopping the PostgreSQL server that a killed process left behind')
  if (!(await endProcess(pid))) throw new Error(`The PostgreSQL server ${pid} on ${data} does not stop: kill it`)
}

const servesItsParent = ({ command, parent }: RunningProcess) => command.includes(`kogi.parent=${parent}`)

/** Describes a server, after waiting for the end of its parent for a second: a kill takes effect with some delay. */
async function settledProcess(pid: number): Promise<RunningProcess | null> {
  const end = Date.now() + PARENT_GONE_TIMEOUT_MS
  for (;;) {
    const found = await describeProcess(pid)
    if (!found || !servesItsParent(found) || Date.now() > end) return found
    await sleep(20)
  }
}

async function endProcess(pid: number): Promise<boolean> {
  for (const [signal, timeoutMs] of STOPPING) {
    try {
      process.kill(pid, signal)
    } catch {
      return true
    }
    if (await waitUntilGone(pid, timeoutMs)) return true
  }
  return false
}

const STOPPING = [
  ['SIGINT', FAST_STOP_TIMEOUT_MS],
  ['SIGQUIT', KILL_TIMEOUT_MS],
  ['SIGKILL', KILL_TIMEOUT_MS],
] as const

async function stopChild(child: ChildProcess, exited: Promise<void>, volatile: boolean) {
  const [, ...hard] = STOPPING
  for (const [signal, timeoutMs] of volatile ? hard : STOPPING) {
    if (child.exitCode !== null || child.signalCode !== null) break
    child.kill(signal)
    await within(timeoutMs, exited, () => new Error('late')).catch(() => undefined)
  }
  await exited
}

/** Makes the databases, and shortens a write-ahead log that a release with a longer one has left. */
async function prepare(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database')
    for (const name of DATABASES.filter(name => !rows.some(row => row.datname === name))) {
      await client.query(`CREATE DATABASE ${name}`)
    }
    await shortenLog(client)
  } finally {
    await client.end()
  }
}

/** `max_wal_size` in files of the write-ahead log, which have 16 MiB. */
const WAL_FILES_MAX = 10

/**
 * Uses up the files that PostgreSQL keeps ready for later, without writing to them: it removes those that are too many
 * only once they have had their turn.
 */
async function shortenLog(client: pg.Client) {
  const { rows } = await client.query<{ files: number }>('SELECT count(*)::int AS files FROM pg_ls_waldir()')
  for (let spare = rows[0]!.files - WAL_FILES_MAX; spare > 0; spare--) {
    await client.query(`SELECT pg_logical_emit_message(false, 'kogi', ''), pg_switch_wal()`)
    if (spare === 1) await client.query('CHECKPOINT')
  }
}

async function own(file: string, { uid, gid }: ServerUser) {
  if (uid !== undefined && gid !== undefined) await chown(file, uid, gid)
}

/** Closes the pipe of the shell that watches over the server when the server has ended, so that the shell ends too. */
function releaseShell(child: ChildProcess) {
  const pipe = child.stdio[3] as Writable
  pipe.on('error', () => {})
  child.once('exit', () => pipe.destroy())
}
