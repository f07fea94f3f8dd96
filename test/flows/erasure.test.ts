/** Persons are erased: nothing of theirs can be read anywhere, and what proves the log goes on proving it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { cp, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { ENTRY } from '../../infra/children.ts'
import { loadConfig } from '../../infra/config.ts'
import { runningEngines } from '../../infra/engines.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { kogi } from '../../scripts/running.ts'
import { type Client, client, inLanes, untilReady } from '../support/client.ts'
import { patient, patientSettings } from '../support/pace.ts'

/** Persons that are erased. */
const PERSONS = process.env.KOGI_LONG === '1' ? 1_000 : 25
/** Those among them who have notes, an address and a file beside their wallet. */
const WRITERS = 3
const BOUNDARY = 'a-boundary'
/** Stands in every text of a person who is erased, and in nothing else. */
const CANARY = 'Zwitscherkanarie'

describe('erasure of persons', function erasure() {
  this.timeout(patient(PERSONS * 200 + 180_000))
  let work: string
  let env: Record<string, string>
  let system: ChildProcess
  let keys: Pool
  let url = ''
  let said = ''
  const clients: Client[] = []
  const persons = Array.from({ length: PERSONS }, (_, n) => `person-${n}`)
  const at = (name: string) => path.join(work, name)
  const verb = (...args: string[]) => kogi([...args, '--json'], { ...env, KOGI_LOG_LEVEL: 'silent' }).then(JSON.parse)
  const failed = (...args: string[]) =>
    verb(...args).then(
      () => expect.fail('it did not fail'),
      error => JSON.parse(error.stdout),
    )

  async function clientOf(subject: string, role = 'organization-admin'): Promise<Client> {
    const config = loadConfig({ KOGI_DATA_DIR: at('data') })
    const made = client(url, await issueToken(config, { org: 'acme', subject, roles: [role], ttlSeconds: 3_600 }))
    clients.push(made)
    return made
  }
  async function call(by: Client, method: string, below: string, more: Parameters<Client['call']>[2] = {}) {
    let answer = await by.call(method, `/api/v1${below}`, more)
    // The API and a worker write to the stream of erasures at the same time.
    for (let tries = 0; answer.status === 409 && tries < 20; tries += 1) {
      await sleep(100)
      answer = await by.call(method, `/api/v1${below}`, more)
    }
    expect(answer.status, `${method} ${below} ${JSON.stringify(answer.body)}`).to.be.below(300)
    return answer.body
  }
  async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + patient(60_000); Date.now() < end; await sleep(200)) {
      const found = await ask()
      if (found !== undefined) return found
    }
    throw new Error(`${what} did not come to be`)
  }
  const doctor = async (ask = verb('doctor')) =>
    new Map<string, { state: string; detail: string }>(
      (await ask).map((found: { part: string }) => [found.part, found]),
    )

  const bothMade = (when: string) =>
    Promise.all([
      verb('backup', at(`backup-${when}`)),
      verb('audit', 'export', '--org', 'acme', '--out', at(`export-${when}`)),
    ])

  async function start(): Promise<void> {
    system = spawn(process.execPath, [...process.execArgv, ENTRY, 'dev', '--port', '0'], {
      env: { ...process.env, ...env },
    })
    for (const stream of [system.stdout!, system.stderr!]) stream.on('data', chunk => (said += chunk))
    url = await until('the system', async () => /^ready (http:\S+)$/m.exec(said)?.[1])
    await untilReady(url)
    const engines = await runningEngines(loadConfig(env))
    keys = createPool({ url: engines!.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
  }
  async function stop(): Promise<void> {
    await keys?.end()
    for (const each of clients.splice(0)) each.close()
    if (!system || system.exitCode !== null) return
    system.kill('SIGTERM')
    await once(system, 'close')
  }

  before(async () => {
    work = await mkdtemp(path.join(tmpdir(), 'kogi-erasure-'))
    const master = Buffer.alloc(32, 7).toString('base64')
    env = {
      ...patientSettings(),
      KOGI_DATA_DIR: at('data'),
      KOGI_LOG_LEVEL: 'debug',
      KOGI_MASTER_KEYS: `base64:${master}`,
    }
    await start()
  })
  after(async () => {
    await stop()
    if (work) await rm(work, { recursive: true, force: true })
  })

  it('begins with their data, which they can read and find', async () => {
    const admin = await clientOf('admin')
    await inLanes(persons, 8, async person => {
      const wallet = { id: person, owner: person, kind: 'personal', holder: `${CANARY} of ${person}` }
      await call(admin, 'POST', '/kwlt/wallets', { body: wallet })
    })
    await call(admin, 'POST', '/kwlt/wallets', {
      body: { id: 'kept', owner: 'kept', kind: 'personal', holder: 'Kept' },
    })
    await call(admin, 'POST', '/kbfc/items', { body: { id: 'item', name: 'Bakery' } })
    for (const person of persons.slice(0, WRITERS)) {
      const own = await clientOf(person)
      await call(own, 'POST', '/koff/notes', { body: { id: person, title: 'A note', body: `${CANARY} wrote this` } })
      await call(own, 'POST', '/khub/inboxes', { body: { id: person } })
      await call(own, 'PUT', `/khub/inboxes/${person}/email`, { body: { email: `${CANARY}@${person}.example` } })
      const head = 'Content-Disposition: form-data; name="file"; filename="letter.txt"'
      const raw = `--${BOUNDARY}\r\n${head}\r\n\r\n${CANARY} is in the file of ${person}\r\n--${BOUNDARY}--\r\n`
      const headers = { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` }
      await call(own, 'POST', '/kbfc/items/item/files', { raw, headers })
    }
    const found = await until('all of it', async () => {
      const { data } = await call(admin, 'GET', `/kse/memories/search?q=${CANARY}&limit=100`)
      return data.length >= WRITERS ? data : undefined
    })
    expect(JSON.stringify(found)).to.contain(`${CANARY} wrote this`)
    expect((await call(admin, 'GET', `/kwlt/wallets/${persons[0]}`)).data.holder).to.equal(`${CANARY} of person-0`)
    expect(await placesOf(CANARY, [at('data/files')])).to.have.length(WRITERS)
    await until('a seal', async () => ((await verb('notary')).behind === 0 ? true : undefined))
    await writeFile(at('early.checkpoint'), (await verb('notary', 'checkpoint', '--org', 'acme')).checkpoint)
    // Bytes of the last minutes are left alone.
    const old = new Date(Date.now() - 3_600_000)
    for (const file of await placesOf(CANARY, [at('data/files')])) await utimes(file, old, old)
    await cp(at('data/files'), at('files-before'), { recursive: true, preserveTimestamps: true })
    await bothMade('before')
  })

  it('destroys their keys and files, says so in receipts, and nothing is added for them', async () => {
    const admin = await clientOf('admin')
    const why = { basis: 'consent_withdrawn', reason: 'They asked for it.' }
    const [last, ...rest] = persons.toReversed()
    await inLanes(
      rest,
      8,
      async subject => void (await call(admin, 'POST', '/kmg/erasures', { body: { subject, ...why } })),
    )
    const given = ['--org', 'acme', '--basis', why.basis, '--reason', why.reason]
    expect(await verb('erase', last!, ...given)).to.include({ completed: true, already: false })
    expect(await verb('erase', last!, ...given)).to.include({ completed: true, already: true })
    await until('all receipts', async () => {
      const { rows } = await keys.query('select count(*)::int4 as kept from subject_keys where secret is not null')
      return rows[0].kept === 1 ? true : undefined
    })
    const receipt = await until('a receipt', async () => {
      const [row] = (await call(admin, 'GET', '/kmg/erasures?subject=person-0')).data
      return row?.completed_at === undefined ? undefined : row
    })
    expect(receipt).to.include({ ...why, subject: 'person-0', erased_by: 'admin', keys: 1, files: 1 })
    const done = Date.now()
    const isGone = async () => (await call(admin, 'GET', '/kwlt/wallets/person-0')).data.erased
    await until('the end of caches', isGone)
    expect(Date.now() - done).to.be.below(patient(6_000))
    const change = { method: 'PATCH', body: { holder: 'Somebody' } }
    const refused = await admin.call('PATCH', '/api/v1/kwlt/wallets/person-0', change)
    expect([refused.status, refused.body.error.code]).to.deep.equal([422, 'subject_erased'])
  })

  it('leaves no text of theirs in answers, tables, indexes, files, logs, exports and backups', async () => {
    const admin = await clientOf('admin')
    await until('an index without it', async () => {
      const { data } = await call(admin, 'GET', `/kse/memories/search?q=${CANARY}`)
      return data.length === 0 ? data : undefined
    })
    for (const below of [
      '/kwlt/wallets?limit=100',
      '/koff/notes',
      '/kmg/audit-log?limit=500',
      '/kse/memories/search?q=note',
    ]) {
      expect(JSON.stringify(await call(admin, 'GET', below)), below).not.to.contain(CANARY)
    }
    const { data } = await call(admin, 'GET', '/kwlt/wallets/kept')
    expect(data.holder).to.equal('Kept')
    await bothMade('after')
    await writeFile(at('log'), said)
    expect(said).to.contain('command')
    const places = ['data', 'log', 'export-before', 'export-after', 'backup-before', 'backup-after'].map(at)
    expect(await placesOf(CANARY, places)).to.deep.equal([])
  })

  it('changes no proof: the verifier says erased, not tampered', async () => {
    const { keys: names } = await verb('notary')
    const key = ['--key', names[0]]
    const since = ['--since', at('early.checkpoint')]
    const [before, after, check, found, notary] = await Promise.all([
      verb('audit', 'verify', at('export-before'), ...key, ...since),
      verb('audit', 'verify', at('export-after'), ...key, ...since),
      verb('check'),
      doctor(),
      verb('notary', 'check', at('early.checkpoint')),
    ])
    expect([before.ok, before.erased]).to.deep.equal([true, { subjects: 0, events: 0, pending: 0 }])
    expect([after.ok, after.erased.subjects]).to.deep.equal([true, PERSONS])
    expect(after.erased.events).to.be.at.least(PERSONS + WRITERS * 2)
    expect([check.equal, found.get('personal data')?.state, notary.ok]).to.deep.equal([true, 'ok', true])
  })

  it('holds against a database of keys that is restored from before', async () => {
    const lines = (await readFile(at('backup-before/keys.ndjson'), 'utf8'))
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.length).to.equal(PERSONS + 1)
    const text = `update subject_keys k set secret = decode(g.secret, 'base64'), master = g.master, erased_at = null
      from unnest($1::uuid[], $2::text[], $3::text[]) g(key, secret, master) where k.key = g.key`
    await keys.query(text, [
      lines.map(({ key }) => key),
      lines.map(({ secret }) => secret),
      lines.map(({ master }) => master),
    ])
    await cp(at('files-before'), at('data/files'), { recursive: true, preserveTimestamps: true })
    expect(await placesOf(CANARY, [at('data/files')])).to.have.length(WRITERS)
    const part = (await doctor(failed('doctor'))).get('personal data')
    expect(part).to.include({
      state: 'failed',
      detail: `${PERSONS} keys of erased persons are there: does a worker run?`,
    })
    await stop()
    said = ''
    await start()
    // Processes that have just begun, beside a worker that has.
    const admin = await clientOf('admin')
    expect((await call(admin, 'GET', '/kwlt/wallets/person-1')).data).to.include({ holder: null, erased: true })
    expect((await call(admin, 'GET', `/kse/memories/search?q=${CANARY}`)).data).to.deep.equal([])
    await until('keys that are destroyed again', async () => {
      const { rows } = await keys.query('select count(*)::int4 as kept from subject_keys where secret is not null')
      return rows[0].kept === 1 && (await placesOf(CANARY, [at('data/files')])).length === 0 ? true : undefined
    })
  })

  it('is an alarm where a key was destroyed and the log knows of no erasure', async () => {
    await keys.query(`update subject_keys set secret = null where subject = 'kept'`)
    const part = (await doctor(failed('doctor'))).get('personal data')
    expect(part?.detail).to.equal('1 keys of personal data were destroyed without an erasure')
    const admin = await clientOf('admin')
    const row = await until('the alarm', async () => {
      const { data } = await call(admin, 'GET', '/kwlt/wallets/kept')
      return data.holder === null ? data : undefined
    })
    expect(row).to.include({ personal_key_missing: true }).and.not.have.property('erased')
    const { body } = await (await clientOf('nobody')).call('GET', '/health/ready')
    expect(body.red).to.deep.equal(['keys'])
  })
})

/** The files below some places that hold a text. */
async function placesOf(text: string, places: readonly string[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const place of places) {
    const entries = await readdir(place, { recursive: true, withFileTypes: true }).catch(() => undefined)
    const files = entries
      ? entries.filter(entry => entry.isFile()).map(entry => path.join(entry.parentPath, entry.name))
      : [place]
    for (const file of files) if (await holds(file, text)) found.push(file)
  }
  return found
}

async function holds(file: string, text: string): Promise<boolean> {
  let rest = ''
  for await (const chunk of createReadStream(file, { encoding: 'latin1' })) {
    if ((rest + chunk).includes(text)) return true
    rest = chunk.slice(-text.length)
  }
  return false
}
