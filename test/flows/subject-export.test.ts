/** What an organization has of a person: all of theirs, and nothing that is sealed of others. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { permissionsOfScope } from '../../infra/auth/permissions.ts'
import { guards, resources } from '../../infra/catalogue.ts'
import { type PersonDeps, personOf, personSchema } from '../../read-api/audit/person.ts'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import { type Client, client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

type Fields = Readonly<Record<string, unknown>>

const LONG = process.env.KOGI_LONG === '1'
const PERSONS = ['jon', 'mira', 'a<b>&"c']
/** Who writes what: a note of their own, a change of a note, or a wallet for any of them. */
const step = fc.record({
  what: fc.constantFrom('note', 'change', 'wallet'),
  by: fc.constantFrom(...PERSONS),
  of: fc.constantFrom(...PERSONS),
})
const steps = fc.sample(step, { numRuns: LONG ? 300 : 30, seed: 7 })

describe('what there is of a person', function persons() {
  this.timeout(60_000)
  let app: App
  let admin: Client
  let last = '0'
  const canaries = new Map(PERSONS.map(person => [person, [] as string[]]))
  before(async () => {
    app = await startApp({ worker: true })
    admin = await app.clientOf('acme', 'organization-admin', 'root')
    const notes: string[] = []
    for (const [n, { what, by, of }] of steps.entries()) {
      const client = await app.clientOf('acme', 'organization-admin', by)
      const owner = what === 'note' ? by : what === 'wallet' ? of : notes.length > 0 ? notes[n % notes.length]! : by
      const canary = `canary-${n}-${PERSONS.indexOf(owner)}!`
      canaries.get(owner)!.push(canary)
      const calls = {
        note: ['POST', '/koff/notes', { id: `n${n}`, title: 'Sea', body: canary }],
        wallet: ['POST', '/kwlt/wallets', { id: `w${n}`, owner: of, holder: canary, kind: 'personal' }],
        change: ['PATCH', `/koff/notes/of-${PERSONS.indexOf(owner)}`, { body: canary }],
      } as const
      if (what === 'change') {
        const own = await app.clientOf('acme', 'organization-admin', owner)
        const body = { id: `of-${PERSONS.indexOf(owner)}`, title: 'First', body: '-' }
        await own.call('POST', '/api/v1/koff/notes', { body })
      }
      if (what === 'note') notes.push(owner)
      const [method, at, body] = calls[what]
      const answer = await client.call(method, `/api/v1${at}`, { body })
      expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
      last = String(answer.headers['kogi-position'])
    }
  })
  after(() => app?.close())

  const pathOf = (subject: string, form: string) =>
    `/api/v1/kmg/persons/${encodeURIComponent(subject)}/${form}?at_least=${last}&wait=9000`

  it('is every text of theirs that was ever sealed, and none of others', async () => {
    for (const person of PERSONS) {
      const { status, body } = await admin.call('GET', pathOf(person, 'data'))
      expect(status, JSON.stringify(body)).to.equal(200)
      expect(personSchema.encode(personSchema.decode(body.data))).to.deep.equal(body.data)
      expect(body.data.complete).to.equal(true)
      const page = (await admin.call('GET', pathOf(person, 'page'))).body as string
      for (const text of [JSON.stringify(body.data), page]) {
        for (const [other, texts] of canaries) {
          for (const canary of texts) expect(text.includes(canary), `${canary} to ${person}`).to.equal(other === person)
        }
        expect(text).to.not.contain('"nonce"')
      }
      expect(page).to.not.contain('<b>')
    }
  })

  it('is for the person and for auditors, and for nobody else', async () => {
    const status = async (role: string, subject: string, of: string) =>
      (await (await app.clientOf('acme', role, subject)).call('GET', pathOf(of, 'data'))).status
    expect(await status('guest', 'jon', 'jon')).to.equal(200)
    expect(await status('team-lead', 'mira', 'jon')).to.equal(403)
    expect(await status('auditor', 'aya', 'jon')).to.equal(200)
    const other = await app.clientOf('globex')
    const { body } = await other.call('GET', `/api/v1/kmg/persons/jon/data`)
    expect([body.data.events, body.data.rows, body.data.acts]).to.deep.equal([[], {}, []])
  })

  it('is for no token that was made for less, as those of other applications are', async () => {
    const claims = { org: 'acme', subject: 'jon', roles: [], ttlSeconds: 60 }
    const narrow = client(app.url, await issueToken(app.config, claims))
    const { status, body } = await narrow.call('GET', pathOf('jon', 'data'))
    expect([status, body.error.details]).to.deep.equal([403, [{ field: 'permission', message: 'audit.own-data.read' }]])
    narrow.close()
    expect(permissionsOfScope(['center:read', 'wallet:*'])).to.not.include('audit.own-data.read')
  })

  it('has no legal hold', async () => {
    const body = { subject: 'mira', matter: 'held-case', reason: 'held-why' }
    last = String((await admin.call('POST', '/api/v1/kmg/legal-holds', { body })).headers['kogi-position'])
    await admin.call('GET', `/api/v1/kmg/legal-holds?at_least=${last}&wait=9000`)
    const own = await app.clientOf('acme', 'organization-admin', 'mira')
    for (const by of [own, admin]) {
      const { status, body } = await by.call('GET', pathOf('mira', 'data'))
      expect(status).to.equal(200)
      expect(JSON.stringify(body)).to.not.contain('held-')
    }
  })

  it('has what is theirs in things that became private, what is shared with them, and their inbox', async () => {
    const [mira, kim] = [
      await app.clientOf('acme', 'team-lead', 'mira'),
      await app.clientOf('acme', 'team-lead', 'kim'),
    ]
    const give = async (by: Client, method: string, at: string, call: object) => {
      const answer = await by.call(method, `/api/v1${at}`, call)
      expect(answer.status, JSON.stringify(answer.body)).to.be.oneOf([200, 201])
      last = String(answer.headers['kogi-position'])
    }
    const raw = '--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n--x--\r\n'
    const headers = { 'Content-Type': 'multipart/form-data; boundary=x' }
    for (const id of ['one', 'two']) await give(mira, 'POST', '/kbfc/items', { body: { id, name: 'Offer' } })
    await give(kim, 'POST', '/kbfc/items/one/files', { raw, headers })
    await give(mira, 'PUT', '/kbfc/items/one/privacy', { body: { privacy: 'private' } })
    await give(mira, 'PUT', '/kbfc/items/two/shares', { body: { with: 'kim', role: 'reader' } })
    await give(mira, 'POST', '/kctr/tasks', { body: { id: 'menu', name: 'Print the menu' } })
    await give(kim, 'POST', '/kctr/tasks/menu/comments', { body: { text: 'Call me at home.' } })
    await give(kim, 'POST', '/khub/inboxes', { body: { id: 'kim' } })
    await give(kim, 'PUT', '/khub/inboxes/kim/email', { body: { email: 'kim@studio.example' } })
    const { body } = await kim.call('GET', pathOf('kim', 'data'))
    const { rows, acts, concerning } = body.data
    expect(rows.item_files.map(({ item, name }: Fields) => [item, name])).to.deep.equal([['one', 'a']])
    expect(rows.item_shares.map(({ item }: Fields) => item)).to.deep.equal(['two'])
    expect(rows.task_comments.map(({ text }: Fields) => text)).to.deep.equal(['Call me at home.'])
    expect(rows.inboxes.map(({ email }: Fields) => email)).to.deep.equal(['kim@studio.example'])
    expect(acts.map(({ type }: Fields) => type)).to.include('FileAdded')
    const others = concerning.map(({ type, actor, id }: Fields) => [type, actor, id])
    expect(others).to.deep.include(['ItemShared', 'mira', 'two'])
    expect(others.some(([, actor]: Fields[]) => (actor as unknown) === 'kim')).to.equal(false)
  })

  it('is asked for by a request with a day that it is due on, which auditors see', async () => {
    const asked = { id: 'request-1', subject: 'kim', right: 'access', handler: 'ana' }
    const call = async (at: string, body: object) => {
      const answer = await admin.call('POST', `/api/v1/kmg/access-requests${at}`, { body })
      last = String(answer.headers['kogi-position'] ?? last)
      return answer
    }
    expect((await call('', asked)).status).to.equal(201)
    const auditor = await app.clientOf('acme', 'auditor', 'aya')
    const row = async () =>
      (await auditor.call('GET', `/api/v1/kmg/access-requests/request-1?at_least=${last}&wait=9000`)).body.data
    const { received_on: on, due_on: due, status } = await row()
    expect([(Date.parse(due) - Date.parse(on)) / 86_400_000, status]).to.deep.equal([30, 'received'])
    const later = new Date(Date.parse(due) + 86_400_000).toISOString().slice(0, 10)
    expect((await call('/request-1/extend', { days: 1, reason: 'Paper.' })).status).to.equal(200)
    expect((await call('/request-1/answer', { note: 'Sent.' })).status).to.equal(200)
    expect(await row()).to.include({ status: 'answered', due_on: later, extension_reason: 'Paper.', note: 'Sent.' })
    const { body } = await call('/request-1/refuse', { reason: 'No.' })
    expect(body.error.code).to.equal('access_request_not_open')
    const { status: refused } = await auditor.call('POST', '/api/v1/kmg/access-requests', { body: asked })
    expect(refused).to.equal(403)
  })

  it('is put together in one pass over its rows', async () => {
    const kinds = resources.map(({ projection }) => projection.name).slice(0, 10)
    const rows = kinds.flatMap(kind => Array.from({ length: 5_000 }, (_, n) => ['7', false, kind, { id: `${n}` }]))
    const deps = { pool: { query: async () => ({ rows }) }, versions: { built: async () => {} }, guards, resources }
    const keys = { keysOf: async () => new Set(), unseal: async () => [] }
    const principal = { subject: 'jon', org: 'acme', roles: [], permissions: [] }
    const begun = performance.now()
    const request = { principal, signal: new AbortController().signal }
    const found = await personOf({ ...deps, ...keys } as unknown as PersonDeps, request, 'jon')
    expect(performance.now() - begun).to.be.below(patient(3_000))
    expect(found.complete).to.equal(false)
  })

  it('is written to a folder by the CLI, with a page and data, and tells of an erasure', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kogi-person-'))
    const settings = {
      KOGI_EVENTSTORE_URL: app.urls.eventStoreUrl,
      KOGI_DATABASE_URL: app.urls.databaseUrl,
      KOGI_KEYS_DATABASE_URL: app.urls.keysDatabaseUrl,
    }
    const written = async (name: string) => {
      const out = path.join(folder, name)
      await kogi(['subject', 'export', 'jon', '--org', 'acme', '--out', out], settings)
      expect((await readdir(out)).sort()).to.deep.equal(['data.json', 'index.html'])
      return Promise.all(['data.json', 'index.html'].map(file => readFile(path.join(out, file), 'utf8')))
    }
    try {
      const [first] = canaries.get('jon')!
      for (const text of await written('before')) expect(text).to.contain(first)
      const body = { subject: 'jon', basis: 'objection', reason: 'Asked.' }
      const { headers } = await admin.call('POST', '/api/v1/kmg/erasures', { body })
      last = String(headers['kogi-position'])
      // Until it is completed, what there is of a person changes between two looks.
      const erasures = `/api/v1/kmg/erasures?at_least=${last}&wait=9000`
      const isCompleted = async () => (await admin.call('GET', erasures)).body.data[0].completed_at !== undefined
      for (const end = Date.now() + patient(15_000); !(await isCompleted()); await sleep(100)) {
        expect(Date.now(), 'the erasure was not completed').to.be.below(end)
      }
      const [data, page] = await written('after')
      for (const canary of canaries.get('jon')!) expect(data! + page!).to.not.contain(canary)
      expect(JSON.parse(data!).rows.erasures).to.have.length(1)
      // The API opens nothing of whom the log calls erased five seconds later.
      let { body: answer } = await admin.call('GET', pathOf('jon', 'data'))
      for (const end = Date.now() + patient(6_000); JSON.stringify(answer).includes(first!) && Date.now() < end; ) {
        await sleep(100)
        answer = (await admin.call('GET', pathOf('jon', 'data'))).body
      }
      expect(JSON.parse(data!)).to.deep.equal(answer.data)
      expect(page).to.match(/<h2>How much there is<\/h2>[\s\S]*<\/html>\n$/)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
