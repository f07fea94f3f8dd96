/** Holds, retention rules and consents, over HTTP and by the worker. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { retire } from '../../infra/erasures/retention.ts'
import { erasureRows } from '../../infra/erasures/rows.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { openWriteSide } from '../../infra/write-side.ts'
import { personalData } from '../../projections/audit/personal-data.ts'
import { retentionRules } from '../../projections/audit/retention-rules.ts'
import { quoted, tableOf } from '../../projections/rows/tables.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

const DAY_MS = 86_400_000
const why = { basis: 'consent_withdrawn', reason: 'Asked.' }
type Row = Readonly<Record<string, unknown>>

describe('retention of personal data', () => {
  let app: App
  let admin: Client
  let auditor: Client
  const closing: (() => Promise<unknown>)[] = []
  /** Carries the retention rules out as of so many days from now. */
  let retireIn: (days: number, head?: () => Promise<bigint>, via?: Pick<Pool, 'query'>) => Promise<void>
  let pool: Pool
  let headOf: () => Promise<bigint>
  before(async () => {
    app = await startApp({ worker: true })
    admin = await app.clientOf('acme', 'organization-admin', 'mira')
    auditor = await app.clientOf('acme', 'auditor', 'aya')
    pool = createPool({ url: app.urls.databaseUrl, name: 'read', log: silentLog, max: 3 })
    const events = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    const { deps, close } = openWriteSide(app.urls, app.config, silentLog)
    closing.push(
      close,
      () => events.close(),
      () => pool.end(),
    )
    headOf = events.head
    retireIn = (days, head = headOf, via = pool) => {
      const now = () => new Date(Date.now() + days * DAY_MS).toISOString()
      return retire({ ...deps, now, rows: erasureRows(via), head, log: silentLog } as never)
    }
  })
  after(async () => {
    await Promise.allSettled(closing.map(close => close()))
    await app?.close()
  })

  const post = (path: string, body: object, by = admin) => by.call('POST', `/api/v1${path}`, { body })
  const done = async (path: string, body: object, by = admin): Promise<string> => {
    const answer = await post(path, body, by)
    expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
    return answer.body.data.position
  }
  const list = async (path: string, after = '0'): Promise<readonly Row[]> => {
    const mark = path.includes('?') ? '&' : '?'
    const { status, body } = await auditor.call('GET', `/api/v1/kmg${path}${mark}at_least=${after}&wait=9000`)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data
  }
  const noteOf = async (subject: string) => {
    const by = await app.clientOf('acme', 'team-lead', subject)
    return done('/koff/notes', { id: `of-${subject}`, title: 'Sea', body: `deep ${subject}` }, by)
  }
  const erased = async () => (await list('/erasures?limit=500')).map(({ subject }) => subject)

  it('is refused to erasures while a hold stands, which is visible, and is given again', async () => {
    await noteOf('jon')
    const placed = await done('/kmg/legal-holds', { subject: 'jon', matter: 'case', reason: 'A court asked.' })
    const refused = await post('/kmg/erasures', { subject: 'jon', ...why })
    expect([refused.status, refused.body.error.code]).to.deep.equal([422, 'legal_hold'])
    const lift = { matter: 'case', reason: 'It is closed.' }
    const member = await app.clientOf('acme', 'team-lead', 'ben')
    expect((await post('/kmg/legal-holds', { subject: 'x', ...lift }, member)).status).to.equal(403)
    const [hold] = await list('/legal-holds?subject=jon', placed)
    expect(hold).to.include({ status: 'placed', matter: 'case', placed_by: 'mira' })
    const at = await done('/kmg/legal-holds/jon/lift', lift)
    expect((await list('/legal-holds?status=lifted', at))[0]).to.include({ subject: 'jon', lifted_by: 'mira' })
    expect((await list('/administration', at)).map(({ type }) => type)).to.include('LegalHoldLifted')
  })

  it('ends with the rules of all categories in which a person has data, unless they are held', async () => {
    for (const subject of ['held', 'gone', 'both']) await noteOf(subject)
    await done('/kwlt/wallets', { id: 'w', owner: 'both', holder: 'Both', kind: 'personal' })
    await done('/kmg/legal-holds', { subject: 'held', matter: 'audit', reason: 'An audit.' })
    await done('/kmg/retention-rules', { id: 'short', category: 'note', days: 5, basis: 'The office.' })
    const at = await done('/kmg/retention-rules', { id: 'long', category: 'note', days: 30, basis: 'The law.' })
    const holdings = await list('/personal-data?subject=both', at)
    expect(holdings.map(({ category, id }) => [category, id])).to.deep.equal([
      ['note', 'of-both'],
      ['wallet', 'w'],
    ])
    await retireIn(29)
    expect(await erased()).to.deep.equal([])
    await retireIn(31, async () => 10n ** 15n)
    expect(await erased(), 'the read models are behind').to.deep.equal([])
    await retireIn(31)
    await retireIn(31)
    while ((await erased()).length < 2) await sleep(20)
    expect(await erased()).to.deep.equal(['gone', 'jon'])
    const [receipt] = await list('/erasures?subject=gone')
    expect(receipt).to.include({ basis: 'no_longer_needed', erased_by: 'process:retention' })
    expect(receipt!.reason).to.contain('long, short')
    const note = async (id: string) => (await admin.call('GET', `/api/v1/koff/notes/${id}`)).body.data
    while ((await note('of-gone')).body !== null) await sleep(50)
    expect((await note('of-held')).body).to.equal('deep held')
    expect((await note('of-both')).body).to.equal('deep both')

    await done('/kmg/legal-holds/held/lift', { matter: 'audit', reason: 'It is over.' })
    const last = await done('/kmg/retention-rules', { id: 'money', category: 'wallet', days: 40, basis: 'Tax law.' })
    await list('/retention-rules', last)
    await retireIn(41)
    while ((await erased()).length < 4) await sleep(20)
  })

  it('lets nobody go by rows that a projector is about to change', async () => {
    const [root, pia] = [await app.clientOf('globex'), await app.clientOf('globex', 'team-lead', 'pia')]
    await done('/koff/notes', { id: 'old', title: 'Sea', body: 'deep' }, pia)
    await done('/kmg/retention-rules', { id: 'r', category: 'note', days: 5, basis: 'The office.' }, root)
    const known = (path: string, after: string) => root.call('GET', `/api/v1${path}?at_least=${after}&wait=9000`)
    await known('/kmg/retention-rules', String(await headOf()))
    const lock = await pool.connect()
    const table = quoted(tableOf(personalData))
    await lock.query(`begin; lock table ${table} in exclusive mode`)
    let last = '0'
    const head = async () => {
      last = await done('/kwlt/wallets', { id: 'w', owner: 'pia', holder: 'Pia', kind: 'personal' }, root)
      return headOf()
    }
    const via = {
      async query(config: { readonly text: string } | string, values?: unknown[]) {
        const found = await pool.query(config as never, values)
        if (typeof config === 'string' || !config.text.includes(table)) return found
        await lock.query('commit')
        await known('/kmg/personal-data', last)
        return found
      },
    }
    try {
      await retireIn(31, head, via as never)
    } finally {
      await lock.query('rollback')
      lock.release()
    }
    await retireIn(31)
    expect((await known('/kmg/erasures', String(await headOf()))).body.data).to.deep.equal([])
  })

  it('erases persons of one org while the commands of another fail', async () => {
    const [root, zoe] = [await app.clientOf('umbrella'), await app.clientOf('umbrella', 'team-lead', 'zoe')]
    await done('/koff/notes', { id: 'old', title: 'Sea', body: 'deep' }, zoe)
    await done('/kmg/retention-rules', { id: 'r', category: 'note', days: 5, basis: 'The office.' }, root)
    const subjects = async (path: string) => {
      const { body } = await root.call('GET', `/api/v1/kmg${path}?at_least=${await headOf()}&wait=9000`)
      return (body.data as readonly Row[]).map(({ subject }) => subject)
    }
    for (const path of ['/personal-data', '/retention-rules']) await subjects(path)
    // More persons than one look takes, with names that no event takes.
    const [rules, holdings] = [retentionRules, personalData].map(model => quoted(tableOf(model)))
    const oneOf = (table: string) => `(select r from ${table} r where org = 'umbrella' limit 1)`
    const copies = `insert into ${rules} select (json_populate_record(${oneOf(rules!)}, '{"org":"aaa"}')).*;
      insert into ${holdings} select (json_populate_record(${oneOf(holdings!)},
        json_build_object('org', 'aaa', 'subject', repeat('x', 2000) || n,
          'last_at', '2020-01-01'))).* from generate_series(1, 1100) n`
    await pool.query(copies)
    try {
      let failure: unknown
      // An org whose read models are behind is left out: the other org is due before this one.
      const end = performance.now() + 10_000
      const retired = (days: number) =>
        retireIn(days).catch(error => {
          failure = error
        })
      while (failure === undefined && performance.now() < end) await retired(0)
      while ((await subjects('/erasures')).length === 0 && performance.now() < end) await retired(31)
      expect(String(failure), 'of the other org').to.contain('SubjectErased')
      expect(await subjects('/erasures')).to.deep.equal(['zoe'])
    } finally {
      await pool.query(`delete from ${rules} where org = 'aaa'; delete from ${holdings} where org = 'aaa'`)
    }
  })

  it('keeps files without a rule, and whom they belong to', async () => {
    const [root, ida] = [await app.clientOf('initech'), await app.clientOf('initech', 'team-lead', 'ida')]
    await done('/koff/notes', { id: 'old', title: 'Sea', body: 'deep' }, ida)
    await done('/kbfc/items', { id: 'item', name: 'Offer' }, ida)
    const raw = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n--x--\r\n'
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' }
    expect((await ida.call('POST', '/api/v1/kbfc/items/item/files', { raw, headers })).status).to.equal(201)
    await done('/kmg/retention-rules', { id: 'r', category: 'note', days: 5, basis: 'The office.' }, root)
    const subjects = async (path: string) => {
      const { body } = await root.call('GET', `/api/v1/kmg${path}?at_least=${await headOf()}&wait=9000`)
      return (body.data as readonly Row[]).map(({ subject }) => subject)
    }
    await subjects('/personal-data')
    await retireIn(31)
    expect(await subjects('/erasures')).to.deep.equal([])
    await done('/kmg/retention-rules', { id: 'f', category: 'file', days: 30, basis: 'The office.' }, root)
    await subjects('/retention-rules')
    await retireIn(29)
    expect(await subjects('/erasures')).to.deep.equal([])
    while ((await subjects('/erasures')).length === 0) await retireIn(31)
    expect(await subjects('/erasures')).to.deep.equal(['ida'])
  })

  it('is asked of consents, which a timer ends once', async () => {
    const what = { subject: 'nora', purpose: 'newsletter' }
    const soon = new Date(Date.now() + 1_500).toISOString()
    await done('/kmg/consents', { id: 'c1', ...what, expires_at: soon })
    await done('/kmg/consents', { id: 'c2', ...what, expires_at: soon })
    await done('/kmg/consents', { id: 'c3', ...what })
    await done('/kmg/consents/c2/withdraw', { reason: 'By e-mail.' })
    const status = async () => (await list('/consents?subject=nora')).map(row => row.status)
    while ((await status())[0] !== 'expired') await sleep(50)
    await sleep(500)
    expect(await status()).to.deep.equal(['expired', 'withdrawn', 'given'])
    const events = await list('/audit-log?category=consent&limit=500')
    expect(events.map(({ type }) => type)).to.have.members([
      ...['ConsentGiven', 'ConsentGiven', 'ConsentGiven', 'ConsentWithdrawn', 'ConsentExpired'],
    ])
    expect((await list('/consents?status=given&purpose=newsletter'))[0]).to.include({ id: 'c3' })
  })
})
