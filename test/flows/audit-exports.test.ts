/** Audit exports over HTTP: ordered, made by a worker, downloaded in parts, and checked as an auditor would. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { csvLines } from '../../domain/record/csv.ts'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { signersOf } from '../../infra/notary/keys.ts'
import { verifierOf, verifierText } from '../../projections/notary/note.ts'
import { archiveSource } from '../../read-api/audit/archive-source.ts'
import { signedOf } from '../../read-api/audit/signature.ts'
import { bytesOf } from '../../read-api/audit/source.ts'
import { readManifest, verifiedEvents } from '../../read-api/audit/verify.ts'
import { checkOptions } from '../../scripts/check-export.ts'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const EXPORTS = '/api/v1/kmg/audit/exports'

describe('audit exports over HTTP', function exports() {
  this.timeout(patient(120_000))
  let app: App
  let admin: Client
  let auditor: Client
  let folder: string

  const post = (by: Client, below: string, body: object) => by.call('POST', `${EXPORTS}${below}`, { body })
  const rowOf = async (id: string) => (await auditor.call('GET', `${EXPORTS}/${id}`)).body.data
  async function made(id: string) {
    for (const end = Date.now() + patient(60_000); Date.now() < end; await sleep(100)) {
      const row = await rowOf(id)
      if (row?.state === 'completed' || row?.state === 'failed') return row
    }
    throw new Error(`the export ${id} was not made`)
  }
  async function order(id: string, selection: object = {}) {
    const { status, body } = await post(auditor, '', { export: id, ...selection })
    expect(status, `${id} ${JSON.stringify(body)}`).to.be.oneOf([200, 201])
    return made(id)
  }
  let token: string
  const raw = async (id: string, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${app.url}${EXPORTS}/${id}/content`, {
      headers: { Authorization: `Bearer ${token}`, ...headers },
    })
    return { answer, bytes: Buffer.from(await answer.arrayBuffer()) }
  }
  const sourceOf = (bytes: Buffer) =>
    archiveSource({
      name: 'download',
      size: bytes.length,
      read: async (from, length) => bytes.subarray(from, from + length),
    })
  const checked = async (bytes: Buffer) => {
    const source = sourceOf(bytes)
    const verifiers = (await signersOf(app.config)).map(verifierOf)
    const manifest = await readManifest(source, { verifiers })
    let events = 0
    for await (const { line } of verifiedEvents(source, manifest, checkOptions())) if ('stored' in line) events += 1
    return { manifest, events, signed: signedOf(manifest, verifiers) }
  }

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-exports-'))
    const { privateKey } = generateKeyPairSync('ed25519')
    const key = path.join(folder, 'key.pem')
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
    app = await startApp({ worker: true, env: { KOGI_NOTARY_KEYS: key, KOGI_NOTARY_ORIGIN: 'example.com/kogi' } })
    admin = await app.clientOf('acme')
    auditor = await app.clientOf('acme', 'auditor', 'aya')
    const claims = { org: 'acme', subject: 'aya', roles: ['auditor'], ttlSeconds: 600 }
    token = await issueToken(app.config, claims)
    for (let n = 0; n < 20; n += 1) {
      const body = { id: `t-${n}`, name: `Task ${n}` }
      expect((await admin.call('POST', '/api/v1/kctr/tasks', { body })).status).to.equal(201)
    }
    const wallet = { id: 'w', owner: 'jon', kind: 'personal', holder: 'Jon Meer' }
    expect((await admin.call('POST', '/api/v1/kwlt/wallets', { body: wallet })).status).to.equal(201)
  })
  after(async () => {
    await app?.close()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  it('are ordered, made, listed and downloaded, and are sound', async () => {
    for (const end = Date.now() + patient(30_000); Date.now() < end; await sleep(100)) {
      if ((await auditor.call('GET', '/api/v1/kmg/audit/log/checkpoint')).status === 200) break
    }
    const row = await order('all')
    expect(row).to.include({ state: 'completed', requested_by: 'aya', events: 22 })
    const { answer, bytes } = await raw('all')
    expect(answer.status).to.equal(200)
    expect(answer.headers.get('content-type')).to.equal('application/zip')
    expect(answer.headers.get('content-disposition')).to.include('all.zip')
    expect(String(bytes.length)).to.equal(row.bytes)
    const { manifest, events, signed } = await checked(bytes)
    expect({ org: manifest.org, events, signed }).to.deep.equal({ org: 'acme', events: 22, signed: 'trusted' })
    const place = path.join(folder, 'all.zip')
    await writeFile(place, bytes)
    const [known] = (await signersOf(app.config)).map(verifierOf)
    const said = JSON.parse(await kogi(['audit', 'verify', place, '--key', verifierText(known!), '--json'], {}))
    expect(said).to.include({ ok: true, events: 22, signed: 'trusted' })
    const part = await raw('all', { Range: 'bytes=10-19' })
    expect(part.answer.status).to.equal(206)
    expect(part.bytes.equals(bytes.subarray(10, 20))).to.equal(true)
    const list = (await auditor.call('GET', EXPORTS)).body.data
    expect(list.map(({ id }: { id: string }) => id)).to.deep.equal(['all'])
  })

  it('can be read by people: a page, tables and a cover, in which nothing runs', async () => {
    const body = { id: 'hostile', name: '=1+1<script>alert(1)</script>\u202e"' }
    expect((await admin.call('POST', '/api/v1/kctr/tasks', { body })).status).to.equal(201)
    const account = { account: 'main', currency: 'EUR', overdraft: 'allowed' }
    expect((await admin.call('POST', '/api/v1/kwlt/wallets/w/accounts', { body: account })).status).to.equal(201)
    const credit = { account: 'main', currency: 'EUR', amount: '12345' }
    expect((await admin.call('POST', '/api/v1/kwlt/wallets/w/credits', { body: credit })).status).to.equal(201)
    expect((await admin.call('PATCH', '/api/v1/kctr/tasks/t-3', { body: { name: 'Changed' } })).status).to.equal(200)
    await order('read')
    const { bytes } = await raw('read')
    const text = async (name: string) => (await bytesOf(sourceOf(bytes), name)).toString()
    const page = await text('index.html')
    expect(page).to.include('&lt;script&gt;alert(1)&lt;/script&gt;').and.to.include('[sealed]')
    expect(page).not.to.match(/<script|javascript:|https?:|\u202e| on\w+=/)
    expect(page).to.include('<del>Task 3</del> → <ins>Changed</ins>')
    expect(page).to.include('123.45')
    expect(page).to.include('nobody changed them since').and.not.to.include('not signed')
    const events = await text('events.csv')
    expect(events.split('\r\n')[0]).to.equal('position,at,actor,on_behalf_of,category,id,type,what,changes')
    expect(
      csvLines(events)
        .lines.flatMap(({ fields }) => fields)
        .filter(field => /^[=+@-]/.test(field)),
    ).to.deep.equal([])
    expect(await text('tables/tasks.csv')).to.include("'=1+1")
    expect(await text('tables/balances.csv')).to.match(/acme,w,main,EUR,2,2,.*,12345,/)
    expect((await text('cover.pdf')).slice(0, 5)).to.equal('%PDF-')
    const { manifest } = await checked(bytes)
    const named = manifest.files.map(({ name }) => name)
    expect(named).to.include.members(['index.html', 'cover.pdf', 'events.csv', 'tables/tasks.csv'])
    expect(named.join()).not.to.match(/inboxes|notifications/)
  })

  it('show nothing of inboxes but their events, and of some kinds of things their own rows alone', async () => {
    await admin.call('POST', '/api/v1/khub/inboxes', { body: { id: 'tester' } })
    const digest = { every: 'day', hour: 8, zone: 'Europe/Berlin' }
    const set = await admin.call('PUT', '/api/v1/khub/inboxes/tester/digest', { body: digest })
    expect(set.status, JSON.stringify(set.body)).to.equal(200)
    await order('inboxes', { categories: ['inbox', 'wallet'] })
    const { bytes } = await raw('inboxes')
    const events = (await bytesOf(sourceOf(bytes), 'events.csv')).toString()
    const [, ...lines] = csvLines(events).lines.map(({ fields }) => fields)
    const ofInboxes = lines.filter(fields => fields[4] === 'inbox')
    expect(ofInboxes.map(fields => fields[8])).to.deep.equal(['', ''])
    const names = (await sourceOf(bytes).entries()).map(({ name }) => name)
    expect(names).to.include('tables/balances.csv').and.not.to.include('tables/personal_data.csv')
  })

  it('have the selected events alone', async () => {
    const row = await order('wallets', { categories: ['wallet'], actors: ['tester'] })
    expect(row).to.deep.include({ events: 3, selection: { categories: ['wallet'], actors: ['tester'] } })
    const { bytes } = await raw('wallets')
    expect((await checked(bytes)).events).to.equal(3)
    expect(bytes.toString('latin1')).not.to.include('Task 3')
  })

  it('have the events of some positions alone', async () => {
    const [first, , third] = (await auditor.call('GET', '/api/v1/kmg/audit-log?sort=position&limit=3')).body.data
    const selection = { from_position: first.position, up_to_position: third.position }
    const row = await order('first-three', selection)
    expect(row).to.deep.include({ events: 3, selection })
    const { manifest, events } = await checked((await raw('first-three')).bytes)
    expect([events, manifest.selection?.up_to_position]).to.deep.equal([3, BigInt(third.position)])
  })

  it('are refused clearly: too many, a period without an instant, a name again, an unknown kind of thing', async () => {
    expect((await post(auditor, '', { categories: ['wallets'] })).status).to.equal(400)
    expect((await post(auditor, '', { export: 'all', actors: ['jon'] })).body.error.code).to.equal('export_exists')
    const at = '2026-01-01T00:00:00.000Z'
    expect((await post(auditor, '', { from: at, to: at })).body.error.code).to.equal('export_period_empty')
    const many = await admin.call('POST', '/api/v1/bulk', {
      body: {
        commands: Array.from({ length: 6 }, (_, n) => ({ command: 'export.request', body: { export: `many-${n}` } })),
      },
    })
    expect(JSON.stringify(many.body)).to.include('exports_running')
    // Those that are under way would leave no room for the one of a test that follows.
    const { results } = many.body.data as { results: readonly { error?: object }[] }
    for (const [n, { error }] of results.entries()) {
      if (!error) expect((await auditor.call('DELETE', `${EXPORTS}/many-${n}`)).status).to.equal(204)
    }
    expect((await auditor.call('GET', `${EXPORTS}/none/content`)).status).to.equal(404)
  })

  it('are for those who may: others see nothing of them', async () => {
    const member = await app.clientOf('acme', 'team-member', 'mo')
    expect((await post(member, '', {})).status).to.equal(403)
    expect((await member.call('GET', EXPORTS)).status).to.equal(403)
    expect((await member.call('GET', `${EXPORTS}/all/content`)).status).to.equal(403)
    const other = await app.clientOf('other', 'auditor', 'aya')
    expect((await other.call('GET', `${EXPORTS}/all/content`)).status).to.equal(404)
  })

  it('are opened for a recipient, on a basis that is recorded, by those alone who may', async () => {
    const why = { recipient: 'Ada Stern, tax office', basis: 'legal_obligation', reason: 'Order 7.' }
    expect((await post(auditor, '/all/disclosures', why)).status).to.equal(403)
    expect((await post(admin, '/all/disclosures', { ...why, basis: 'curiosity' })).status).to.equal(400)
    expect((await post(admin, '/all/disclosures', { ...why, disclosure: 'd1' })).status).to.be.oneOf([200, 201])
    const open = async (below: string, role = 'organization-admin') => {
      const claims = { org: 'acme', subject: 'tester', roles: [role], ttlSeconds: 600 }
      const bearer = await issueToken(app.config, claims)
      const headers = { Authorization: `Bearer ${bearer}` }
      const answer = await fetch(`${app.url}${EXPORTS}${below}?wait=20000`, { headers })
      return { status: answer.status, text: await answer.text(), type: answer.headers.get('content-type') }
    }
    let opened = await open('/all/disclosures/d1')
    for (const end = Date.now() + patient(20_000); opened.status === 404 && Date.now() < end; await sleep(100)) {
      opened = await open('/all/disclosures/d1')
    }
    const [head, ...fields] = opened.text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(opened.type).to.equal('application/x-ndjson')
    expect(head).to.include({ org: 'acme', export: 'all', ...why, disclosed_by: 'tester' })
    expect(fields).to.have.length(1)
    expect(fields[0]).to.include({ type: 'WalletOpened', field: 'holder', text: 'Jon Meer' })
    expect((await open('/all/disclosures/d1', 'auditor')).status).to.equal(403)
    expect((await open('/all/disclosures/d2')).status).to.equal(404)
    const erased = await admin.call('POST', '/api/v1/kmg/erasures', {
      body: { subject: 'jon', basis: 'consent_withdrawn', reason: 'Asked for it.' },
    })
    expect(erased.status).to.equal(200)
    for (const end = Date.now() + patient(30_000); Date.now() < end; await sleep(200)) {
      opened = await open('/all/disclosures/d1')
      if (!opened.text.includes('Jon Meer')) break
    }
    expect(JSON.parse(opened.text.trimEnd().split('\n')[1]!)).to.include({ field: 'holder', erased: true })
    await order('later', { subjects: ['jon'] })
    const later = sourceOf((await raw('later')).bytes)
    const page = (await bytesOf(later, 'index.html')).toString()
    expect(page).to.include('holder: <del>–</del> → <ins>[erased]</ins>')
    expect((await bytesOf(later, 'tables/wallets.csv')).toString()).to.include('[erased]')
    expect((await later.entries()).map(({ name }) => name)).not.to.include('tables/tasks.csv')
    const logged = await auditor.call('GET', '/api/v1/kmg/audit-log?type=SealedFieldsDisclosed')
    expect(logged.body.data).to.have.length(1)
    expect(logged.body.data[0]).to.include({ actor: 'tester', reason: 'Order 7.' })
  })

  it('are removed, and cannot be downloaded then', async () => {
    expect((await auditor.call('DELETE', `${EXPORTS}/wallets`)).status).to.equal(204)
    for (const end = Date.now() + patient(20_000); Date.now() < end; await sleep(100)) {
      if ((await auditor.call('GET', `${EXPORTS}/wallets`)).status === 404) break
    }
    expect((await raw('wallets')).answer.status).to.equal(404)
  })
})
