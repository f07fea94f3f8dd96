/** What an organization has of a person: all of theirs, and nothing that is sealed of others. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { personSchema } from '../../read-api/audit/person.ts'
import { kogi } from '../../scripts/running.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

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
      await admin.call('GET', `/api/v1/kmg/erasures?at_least=${last}&wait=9000`)
      const [data, page] = await written('after')
      for (const canary of canaries.get('jon')!) expect(data! + page!).to.not.contain(canary)
      expect(JSON.parse(data!).rows.erasures).to.have.length(1)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
