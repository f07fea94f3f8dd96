import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import { ENTRY } from '../../infra/children.ts'
import { silentLog } from '../../infra/log.ts'
import { missingKeysSaid, missingPersonalKeys } from '../../infra/missing-keys.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { wallets } from '../../projections/wallet/wallets.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

describe('a key of personal data that is missing', function () {
  this.timeout(90_000)
  let app: App
  let client: Client
  let keys: Pool
  let rows: Pool

  before(async () => {
    app = await startApp({ env: { KOGI_APPEND_TIMEOUT_MS: '30000' } })
    client = await app.clientOf('acme')
    keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
    rows = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 1 })
    for (const id of ['lost', 'erased', 'kept']) {
      const body = { id, owner: id, kind: 'personal', holder: `The Owner of ${id}` }
      const { status, headers } = await client.call('POST', '/api/v1/kwlt/wallets', { body })
      expect(status).to.equal(201)
      expect((await read(id, String(headers['kogi-position']))).holder).to.equal(body.holder)
    }
  })
  after(async () => {
    await Promise.allSettled([keys?.end(), rows?.end()])
    await app?.close()
  })

  async function read(id: string, position = '0') {
    const headers = { 'Kogi-Min-Position': position }
    return (await client.call('GET', `/api/v1/kwlt/wallets/${id}`, { headers })).body.data
  }
  async function ready() {
    const answer = await fetch(`${app.url}/health/ready`)
    return (await answer.json()) as { red: string[]; probes: { keys: { error?: string } } }
  }
  /** Runs a verb as on a fresh checkout: all engines are named, and there is no data folder. */
  async function kogi(...args: string[]) {
    const env = {
      ...process.env,
      KOGI_LOG_LEVEL: 'silent',
      KOGI_DATA_DIR: path.join(app.config.dataDir, 'not-there'),
      KOGI_EVENTSTORE_URL: app.urls.eventStoreUrl,
      KOGI_DATABASE_URL: app.urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: app.urls.keysDatabaseUrl,
    }
    const child = spawn(process.execPath, [...process.execArgv, ENTRY, ...args], { env })
    let said = ''
    child.stdout.on('data', chunk => {
      said += chunk
    })
    const [status] = await once(child, 'close')
    return { status, answer: JSON.parse(said) }
  }
  const look = () => missingPersonalKeys({ rows, keys }, projections, { rowsMax: 100 })

  it('is an alarm in answers, health, metrics and for operators; one that was erased is none', async () => {
    expect((await look()).missing).to.deep.equal([])
    const body = { subject: 'erased', basis: 'objection', reason: 'Asked for it.' }
    expect((await client.call('POST', '/api/v1/kmg/erasures', { body })).status).to.equal(200)
    await keys.query(`update subject_keys set secret = null where subject = 'erased'`)
    const { rows: lost } = await keys.query(`delete from subject_keys where subject = 'lost' returning *`)
    const holders = async () => [(await read('lost')).holder, (await read('erased')).holder]
    for (const end = Date.now() + patient(20_000); (await holders()).some(Boolean) && Date.now() < end; ) {
      await sleep(200)
    }
    expect(await read('lost'))
      .to.include({ holder: null, personal_key_missing: true })
      .and.not.have.property('erased')
    expect(await read('erased'))
      .to.include({ holder: null, erased: true })
      .and.not.have.property('personal_key_missing')
    expect((await read('kept')).holder).to.equal('The Owner of kept')

    await sleep(300)
    const { red, probes } = await ready()
    expect(red).to.deep.equal(['keys'])
    expect(probes.keys.error).to.contain('1 keys of personal data are missing')
    const metrics = await (await fetch(`${app.url}/metrics`)).text()
    expect(metrics).to.match(/kogi_personal_keys_missing_total\{[^}]*\} [1-9]/)

    const { looked, missing } = await look()
    expect(looked).to.equal(3)
    expect(missing).to.deep.equal([{ table: tableOf(wallets), org: 'acme', key: lost[0].key }])
    expect(missingKeysSaid(missing)).to.contain(`1 keys of personal data are missing, of ${tableOf(wallets)} (acme)`)

    const [doctor, check] = await Promise.all([kogi('doctor', '--json'), kogi('check', '--json')])
    const parts = new Map(doctor.answer.map((finding: { part: string }) => [finding.part, finding]))
    expect(doctor.status).to.equal(1)
    expect(parts.get('personal data')).to.include({ state: 'failed', detail: missingKeysSaid(missing) })
    expect(parts.get('disk')).to.include({ state: 'ok' })
    expect([check.status, check.answer.equal, check.answer.missingKeys]).to.deep.equal([1, true, missing])

    const { key, org, subject, secret } = lost[0]
    await keys.query('insert into subject_keys (key, org, subject, secret) values ($1, $2, $3, $4)', [
      key,
      org,
      subject,
      secret,
    ])
    expect((await read('lost')).holder).to.equal('The Owner of lost')
    await sleep(300)
    expect((await ready()).red).to.deep.equal([])
  })

  it('shows in the counts of commands, as does how each of them ended', async () => {
    const send = (name: string, headers = {}, query = '') =>
      client.call('POST', `/api/v1/kbfc/items${query}`, { body: { id: 'i', name }, headers })
    await send('One', { 'Idempotency-Key': 'k' })
    await send('One', { 'Idempotency-Key': 'k' })
    await send('Two', { 'Idempotency-Key': 'k' })
    await send('One', { 'If-Match': '"7"' })
    await send('One', {}, '?dry_run=true')
    const metrics = await (await fetch(`${app.url}/metrics`)).text()
    for (const outcome of ['accepted', 'replayed', 'idempotency_key_reused', 'precondition_failed']) {
      expect(metrics).to.match(new RegExp(`kogi_commands_total\\{command="item\\.add",outcome="${outcome}"[^}]*\\} 1`))
    }
    expect(metrics).to.match(/kogi_append_duration_seconds_count\{[^}]*\} [1-9]/)
    expect(metrics).to.match(/kogi_key_lookups_total\{outcome="cached"[^}]*\} [1-9]/)
  })
})
