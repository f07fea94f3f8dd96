import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import pg from 'pg'
import { startChild } from '../../infra/children.ts'
import { startEmbeddedPostgres } from '../../infra/embedded/postgres.ts'
import { describeProcess, waitUntilGone } from '../../infra/embedded/processes.ts'
import { silentLog as log } from '../../infra/log.ts'
import { patient } from '../support/pace.ts'
import { allProcesses } from '../support/processes.ts'

const serve = path.join(import.meta.dirname, '../support/serve-postgres.ts')
const asRoot = process.getuid?.() === 0

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

type Family = { readonly parent: number; readonly url: string; readonly server: number; readonly shell: number }

/** A process of its own that serves the folder, its server, and the shell that watches over the server. */
async function startFamily(dataDir: string, user: { uid?: number; gid?: number } = {}): Promise<Family> {
  const { firstLine, pid } = await startChild({ args: [serve, dataDir], ...user })
  const { url, server } = JSON.parse(firstLine)
  const data = path.join(await realpath(dataDir), 'postgres/data')
  const watching = (await allProcesses()).find(({ command }) => command[0] === '/bin/sh' && command.includes(data))
  return { parent: pid, url, server, shell: watching!.pid }
}

describe('embedded PostgreSQL', function () {
  this.timeout(30_000)
  let dataDir: string

  before(async () => {
    dataDir = await mkdtemp(path.join(tmpdir(), 'kogi-test-')) // The folder has mode 0700.
    const { url, stop } = await startEmbeddedPostgres({ dataDir, log })
    await query(url('kogi'), 'CREATE TABLE kept (n int)')
    await stop()
  })
  after(() => rm(dataDir, { recursive: true, force: true }))

  async function restarted(sql: string) {
    const { url, stop } = await startEmbeddedPostgres({ dataDir, log })
    try {
      return await query(url('kogi'), sql)
    } finally {
      await stop()
    }
  }

  it('serves two databases on loopback alone, durably, in code-point order', async () => {
    const { url, stop, pid, exited } = await startEmbeddedPostgres({ dataDir, log })
    try {
      expect(await query(url('kogi_keys'), 'SELECT current_database() AS name')).to.deep.equal([{ name: 'kogi_keys' }])
      const settings = await query(
        url('kogi'),
        `SELECT name, setting FROM pg_settings WHERE name IN
        ('fsync', 'listen_addresses', 'synchronous_commit', 'full_page_writes', 'TimeZone') ORDER BY name`,
      )
      expect(settings.map(row => row.setting)).to.deep.equal(['UTC', 'on', 'on', '127.0.0.1', 'on'])
      expect(await query(url('kogi'), `SELECT 'Z' < 'a' AS lesser`)).to.deep.equal([{ lesser: true }])
    } finally {
      await stop()
    }
    await exited
    expect(await describeProcess(pid)).to.equal(null)
  })

  it('keeps its random password in a file of mode 0600 and admits no client without it', async () => {
    const file = path.join(dataDir, 'postgres/password')
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    expect((await readFile(file, 'utf8')).trim()).to.match(/^[\w-]{32}$/)
    const { url, stop } = await startEmbeddedPostgres({ dataDir, log })
    try {
      const error = await query(url('kogi').replace(/:[^:]+@/, ':guess@'), 'SELECT 1').catch(error => error)
      expect(error.code).to.equal('28P01')
    } finally {
      await stop()
    }
  })

  it('refuses a folder that another living process serves', async () => {
    const { stop } = await startEmbeddedPostgres({ dataDir, log })
    try {
      const error = await startEmbeddedPostgres({ dataDir, log }).catch(error => error)
      expect(error.message).to.contain(`in use by the running process ${process.pid}`)
    } finally {
      await stop()
    }
  })

  it('keeps its write-ahead log under 256 MiB, and shortens a longer one', async () => {
    const folder = path.join(dataDir, 'postgres/data/pg_wal')
    const { uid, gid } = await stat(folder)
    const mib = async () => {
      const names = await readdir(folder)
      const sizes = await Promise.all(names.map(name => stat(path.join(folder, name)).catch(() => undefined)))
      return sizes.reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0) / 2 ** 20
    }
    // Files for later, as a release with a longer log has left them.
    const last = (await readdir(folder))
      .filter(name => /^[0-9A-F]{24}$/.test(name))
      .sort()
      .at(-1)!
    for (let ahead = 1; ahead <= 25; ahead++) {
      const number = Number.parseInt(last.slice(16), 16) + ahead
      const file = path.join(folder, last.slice(0, 16) + number.toString(16).toUpperCase().padStart(8, '0'))
      await writeFile(file, '')
      await truncate(file, 2 ** 24)
      await chown(file, uid, gid)
    }
    expect(await mib()).to.be.above(400)
    const { url, stop } = await startEmbeddedPostgres({ dataDir, log })
    try {
      expect(await mib(), 'at start').to.be.at.most(192)
      let longest = 0
      for (let written = 0; written < 400; written += 20) {
        await query(
          url('kogi'),
          `SELECT pg_logical_emit_message(false, 'test', repeat('x', 1 << 20)) FROM generate_series(1, 20)`,
        )
        longest = Math.max(longest, await mib())
      }
      expect(longest, 'under load').to.be.at.most(256)
    } finally {
      await stop()
    }
  })

  it('is not held up by a lock file whose process id went to another program', async () => {
    await writeFile(path.join(dataDir, 'postgres/data/postmaster.pid'), `${process.pid}\n/elsewhere\n`)
    expect(await restarted('SELECT 1 AS one')).to.deep.equal([{ one: 1 }])
  })

  it('starts anew over a first start that was cut off', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
    try {
      await mkdir(path.join(folder, 'postgres/data.new'), { recursive: true })
      await writeFile(path.join(folder, 'postgres/data.new/PG_VERSION'), '18')
      await writeFile(path.join(folder, 'postgres/password'), 'of the first try')
      const again = await startEmbeddedPostgres({ dataDir: folder, log, volatile: true })
      expect(await query(again.url('kogi'), 'SHOW fsync')).to.deep.equal([{ fsync: 'off' }])
      await again.stop()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  if (process.platform !== 'linux') return

  it('ends with a parent that is killed', async () => {
    const { parent, server, url } = await startFamily(dataDir)
    await query(url, 'INSERT INTO kept VALUES (1)')
    process.kill(parent, 'SIGKILL')
    expect(await waitUntilGone(server, patient(5_000))).to.equal(true)
    expect(await restarted('SELECT * FROM kept')).to.deep.equal([{ n: 1 }])
  })

  it('has every committed row after a kill -9 of the whole family', async () => {
    const { parent, server, shell, url } = await startFamily(dataDir)
    await query(url, 'INSERT INTO kept VALUES (2)')
    const workers = (await allProcesses()).filter(found => found.parent === server).map(found => found.pid)
    for (const pid of [shell, server, ...workers, parent]) process.kill(pid, 'SIGKILL')
    expect(await restarted('SELECT * FROM kept ORDER BY n')).to.deep.equal([{ n: 1 }, { n: 2 }])
  })

  it('stops a server that its killed parent left behind, and takes its place', async () => {
    const { parent, server, shell } = await startFamily(dataDir)
    process.kill(shell, 'SIGKILL')
    process.kill(parent, 'SIGKILL')
    await waitUntilGone(parent, patient(5_000))
    expect(await describeProcess(server)).not.to.equal(null)
    expect(await restarted('SELECT count(*)::int FROM kept')).to.deep.equal([{ count: 2 }])
    expect(await describeProcess(server)).to.equal(null)
  })

  if (!asRoot) return

  it('runs for an ordinary user, and then for root on the same folder', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-test-'))
    try {
      await chown(folder, 65_534, 65_534)
      await chmod(folder, 0o700)
      const { parent, server, url } = await startFamily(folder, { uid: 65_534, gid: 65_534 })
      expect(await query(url, 'SELECT 1 AS one')).to.deep.equal([{ one: 1 }])
      process.kill(parent, 'SIGKILL')
      await waitUntilGone(server, patient(5_000))
      const { stop } = await startEmbeddedPostgres({ dataDir: folder, log })
      await stop()
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
