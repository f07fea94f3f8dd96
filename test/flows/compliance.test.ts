import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import pg from 'pg'
import { csvLines } from '../../domain/record/csv.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { silentLog } from '../../infra/log.ts'
import { noteOperation } from '../../infra/operations.ts'
import { auditExports } from '../../projections/audit/audit-exports.ts'
import { auditLog } from '../../projections/audit/audit-log.ts'
import { erasures } from '../../projections/audit/erasures.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { LOOKED_AT_MAX } from '../../read-api/audit/notes.ts'
import { controls } from '../../read-api/compliance/controls.ts'
import { EVIDENCE, notesOf } from '../../read-api/compliance/evidence.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const KMG = '/api/v1/kmg'
const CONTROLS = `${KMG}/compliance/controls`
type Row = Readonly<Record<string, unknown>>
type Found = { readonly name: string; readonly complete: boolean; readonly rows: readonly Row[] }

describe('compliance', function compliance() {
  this.timeout(60_000)
  let app: App
  let admin: Client
  let auditor: Client
  let pool: pg.Pool
  before(async () => {
    app = await startApp({ worker: true })
    pool = new pg.Pool({ connectionString: app.urls.databaseUrl })
    admin = await app.clientOf('acme', 'organization-admin', 'mira')
    auditor = await app.clientOf('acme', 'auditor', 'aya')
  })
  after(async () => {
    await pool?.end()
    await app?.close()
  })

  const post = async (path: string, body: object): Promise<string> => {
    const answer = await admin.call('POST', `/api/v1${path}`, { body })
    expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
    return answer.body.data.position
  }
  const control = async (id: string, query = '', by = auditor) => {
    const { status, body } = await by.call('GET', `${CONTROLS}/${id}${query}`)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data as Row & { readonly evidence: readonly Found[] }
  }
  const rows = async (id: string, name: string, query = '', by = auditor) =>
    (await control(id, query, by)).evidence.find(each => each.name === name)!.rows
  /** Asks until there are rows: read models and notes follow. */
  async function some(id: string, name: string): Promise<readonly Row[]> {
    let found = await rows(id, name)
    while (found.length === 0) {
      await sleep(50)
      found = await rows(id, name)
    }
    return found
  }

  it('lists what is asked, and says which of it nothing here can show', async () => {
    const { data } = (await auditor.call('GET', CONTROLS)).body
    expect(new Set(data.map(({ id }: Row) => id)).size).to.equal(controls.length)
    for (const { status, evidence, gap, id } of data) {
      expect(status, id).to.equal(evidence.length === 0 ? 'gap' : gap === undefined ? 'evidenced' : 'partly')
      expect(evidence.length > 0 || gap !== undefined, id).to.equal(true)
    }
    expect([...new Set(controls.flatMap(({ evidence }) => evidence))]).to.have.members([...EVIDENCE])
    const gaps = (await auditor.call('GET', `${CONTROLS}?status=gap&framework=iso27001`)).body.data
    expect(gaps.map(({ number }: Row) => number)).to.include('A.8.5')
  })

  it('shows changes of rights and who has them, refusals, erasures with their times, and backups', async () => {
    await post('/kwlt/wallets', { id: 'w', kind: 'business' })
    await post('/kwlt/wallets/w/users', { user: 'mira', right: 'manage' })
    expect(await some('soc2-cc6.3', 'rights')).to.have.length(1)
    expect((await some('soc2-cc6.3', 'access_review'))[0]).to.include({ wallet: 'w', user: 'mira', right: 'manage' })

    await admin.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'w', kind: 'business' } })
    expect((await some('soc2-cc6.1', 'refusals'))[0]).to.include({ code: 'wallet_already_open', actor: 'mira' })

    await post(`/kmg/erasures`, { subject: 'jon', basis: 'objection', reason: 'Asked.' })
    while ((await some('iso27001-a.8.10', 'erasures'))[0]!.completed_at === undefined) await sleep(50)

    await noteOperation(app.urls, silentLog, { what: 'backup_made', done: 'the log up to position 1' })
    expect((await some('iso27001-a.8.13', 'operations'))[0]).to.include({ what: 'backup_made' })
    const [seal] = await rows('iso27001-a.8.15', 'sealing')
    expect(Number(seal!.events)).to.be.at.least(4)
  })

  it('is of a period, and of one organization', async () => {
    const before = '?from=2020-01-01&to=2020-12-31'
    expect(await rows('soc2-cc6.3', 'rights', before)).to.deep.equal([])
    expect(await rows('soc2-cc6.1', 'refusals', before)).to.deep.equal([])
    expect(await rows('soc2-cc6.3', 'access_review', before), 'of now').to.have.length(1)
    expect(await control('soc2-cc6.3', '?to=0001-01-02')).to.include({ from: '0001-01-01T00:00:00.000Z' })
    const { evidence, to } = await control('soc2-cc6.3', '?from=2020-01-01&to=9999-12-30')
    expect(to).to.equal('9999-12-31T00:00:00.000Z')
    expect(evidence.find(({ name }) => name === 'rights')!.rows).to.have.length(1)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc6.3?to=9999-12-31`)).status, 'has no next day').to.equal(400)
    const other = await app.clientOf('globex')
    for (const { id } of controls) {
      for (const { name, rows: found } of (await control(id, '', other)).evidence) {
        if (!['operations', 'sealing', 'sensitive_reads'].includes(name))
          expect(found, `${id} ${name}`).to.deep.equal([])
      }
    }
  })

  it('has what was done in the period with exports and erasures that were ordered before', async () => {
    await post('/kmg/erasures', { subject: 'old', basis: 'objection', reason: 'Asked.' })
    while (!(await rows('iso27001-a.8.10', 'erasures')).some(each => each.subject === 'old' && each.completed_at))
      await sleep(50)
    const stateOf = async (name: string) =>
      (await auditor.call('GET', `${KMG}/audit/exports/${name}`)).body.data?.state as string | undefined
    for (const name of ['old', 'removed']) {
      await post('/kmg/audit/exports', { export: name })
      while ((await stateOf(name)) !== 'completed') await sleep(50)
      await post(`/kmg/audit/exports/${name}/disclosures`, { recipient: name, basis: 'contract', reason: 'Asked.' })
    }
    expect((await admin.call('DELETE', `${KMG}/audit/exports/removed`)).status).to.equal(204)
    while ((await stateOf('removed')) !== undefined) await sleep(50)
    await pool.query(`update ${tableOf(erasures)} set erased_at = '2020-01-01T00:00:00.000Z' where subject = 'old'`)
    await pool.query(`update ${tableOf(auditExports)} set requested_at = '2020-01-01T00:00:00.000Z' where id = 'old'`)
    expect((await rows('iso27001-a.8.10', 'erasures')).map(({ subject }) => subject)).to.include('old')
    const found = await rows('soc2-cc6.7', 'exports')
    expect(found.filter(({ id, state }) => id === 'old' && state)).to.have.length(1)
    const disclosed = found.filter(({ type }) => type === 'SealedFieldsDisclosed')
    expect(disclosed.map(({ data }) => (data as Row).recipient)).to.have.members(['old', 'removed'])
    expect(await rows('soc2-cc6.7', 'exports', '?from=2020-01-02&to=2020-12-31')).to.deep.equal([])
  })

  it('counts as not yet sealed what is behind the last sealed event', async () => {
    const umbra = await app.clientOf('umbra', 'organization-admin', 'uma')
    for (const id of ['a', 'b', 'c'])
      await umbra.call('POST', '/api/v1/kwlt/wallets', { body: { id, kind: 'business' } })
    const sealing = async () => (await rows('iso27001-a.8.15', 'sealing', '', umbra))[0]
    const isSealed = async () => {
      const row = await sealing()
      return row?.events === row?.sealed && Number(row?.sealed) >= 3
    }
    while (!(await isSealed())) await sleep(50)
    const { events, not_yet_sealed } = (await sealing())!
    expect(not_yet_sealed).to.equal(0)
    // The last event is not sealed, and the audit log lacks an earlier one: the counts alone are equal.
    const table = tableOf(auditLog)
    await pool.query(`update notary_heads set size = size - 1 where tree = 'umbra'`)
    await pool.query(`delete from ${table} where org = 'umbra' and position =
      (select min(position) from ${table} where org = 'umbra')`)
    const fewer = Number(events) - 1
    expect(await sealing()).to.deep.equal({ events: fewer, sealed: fewer, not_yet_sealed: 1 })
    await pool.query(`delete from notary_tiles where tree = 'umbra' and level = 0`)
    expect(await sealing(), 'the last sealed event is not known').to.deep.equal({ events: fewer, sealed: fewer })
  })

  it('looks through so many notes for one answer, and no more once nobody waits', async () => {
    const { at, ...read } = { at: '2026-01-01T00:00:00.000Z', operation: 'getNote', kind: 'personal_data', path: '/n' }
    const note = { ...read, actor: 'mira', times: 1, at, until: at, correlation_id: 'c' }
    const store = commandStore(app.urls.eventStoreUrl)
    try {
      for (let n = 0; n <= LOOKED_AT_MAX; n += 500) {
        const data = { reads: Array.from({ length: 500 }, () => note) }
        await store.appendDerived('access-initech', [{ id: randomUUID(), type: 'DataRead', data, metadata: {} }])
      }
    } finally {
      await store.close()
    }
    const initech = await app.clientOf('initech', 'auditor', 'ida')
    const { evidence } = await control('soc2-cc7.2', '?to=2020-12-31', initech)
    expect(evidence.find(({ name }) => name === 'sensitive_reads')).to.include({ complete: false })
    expect(evidence.find(({ name }) => name === 'refusals')).to.include({ complete: true })
    const pack = async (format: string) =>
      (await initech.call('GET', `${CONTROLS}/soc2-cc7.2/pack?to=2020-12-31&format=${format}`)).body
    const { lines } = csvLines(await pack('csv'))
    expect(lines.map(({ fields }) => fields)).to.deep.equal([
      ['query', 'complete'],
      ['sensitive_reads', 'false'],
    ])
    expect(await pack('html')).to.contain('These may not be all')

    const ended = new AbortController()
    let pages = 0
    const reading = notesOf(
      async () => {
        pages += 1
        ended.abort()
        return [{ number: 5n, at }]
      },
      { principal: { org: 'acme' }, signal: ended.signal } as never,
      { from: '2020-01-01', to: '2021-01-01' },
    )
    expect(await reading.catch(({ name }) => name)).to.equal('AbortError')
    expect(pages).to.equal(1)
  })

  it('is a pack to keep: as data, as a table and as a page', async () => {
    const pack = async (id: string, format: string) =>
      (await auditor.call('GET', `${CONTROLS}/${id}/pack?format=${format}`)).body
    const data = await control('soc2-cc6.3')
    expect(data.evidence.map(({ name }: Found) => name)).to.deep.equal(['rights', 'access_review'])
    const { lines } = csvLines(await pack('soc2-cc6.3', 'csv'))
    expect(lines[0]!.fields[0]).to.equal('query')
    expect(lines.slice(1).map(({ fields }) => fields[0])).to.deep.equal(['rights', 'access_review'])
    expect(await pack('soc2-cc6.3', 'html'))
      .to.contain('CC6.3')
      .and.contain('AccessGranted')
      .and.not.contain('<script')
    expect(await pack('iso27001-a.8.5', 'html'))
      .to.contain('Not shown here')
      .and.contain('no evidence')
  })

  it('is for auditors and administrators, and refuses what it does not know', async () => {
    const member = await app.clientOf('acme', 'team-member', 'ben')
    expect((await member.call('GET', CONTROLS)).status).to.equal(403)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc99`)).status).to.equal(404)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc6.1?from=2026-02-01&to=2026-01-01`)).status).to.equal(400)
    expect((await auditor.call('GET', `${CONTROLS}/soc2-cc6.1?from=today`)).status).to.equal(400)
  })

  it('reviews who are members, with which roles, and which keys there are', async () => {
    const founder = await app.clientOf('founded', 'organization-admin', 'fay')
    const give = async (path: string, body: object) => {
      const { status, body: answer } = await founder.call('POST', `/api/v1/kbs${path}`, { body })
      expect(status, JSON.stringify(answer)).to.be.oneOf([200, 201])
    }
    await give('/organization', { name: 'Founded' })
    await give('/members', { user: 'jon', roles: ['team-member'], reason: 'Begins.' })
    const review = () => rows('soc2-cc6.3', 'access_review', '', founder)
    for (let found = await review(); found.length < 2; found = await review()) await sleep(50)
    const named = (await review()).map(({ user, roles }) => [user, roles])
    expect(named).to.deep.include(['jon', ['team-member']])
  })
})
