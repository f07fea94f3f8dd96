/** Memories over HTTP: stored, found by every condition, shared, and forgotten so that nothing of them can be read. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const ORG = 'studio'
type Result = { readonly memory_id: string; readonly content: string; readonly memory_type: string }

describe('memories', function memories() {
  this.timeout(patient(60_000))
  let app: App
  let mira: Client
  let jon: Client
  let admin: Client
  let keys: Pool
  let position = '0'

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf(ORG, 'team-member', 'mira')
    jon = await app.clientOf(ORG, 'team-member', 'jon', ['design'])
    admin = await app.clientOf(ORG, 'organization-admin', 'admin')
    keys = createPool({ url: app.urls.keysDatabaseUrl, name: 'keys', log: silentLog, max: 1 })
  })
  after(async () => {
    await keys.end()
    await app.close()
  })

  async function give(by: Client, method: string, path: string, body?: unknown) {
    let answer = await by.call(method, `/api/v1${path}`, { ...(body !== undefined && { body }) })
    for (let tries = 0; answer.status === 409 && tries < 20; tries += 1) {
      await sleep(50)
      answer = await by.call(method, `/api/v1${path}`, { ...(body !== undefined && { body }) })
    }
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).to.be.below(300)
    position = String(answer.headers['kogi-position'] ?? position)
    return answer.body?.data
  }
  const store = (by: Client, id: string, text: string, more: object = {}) =>
    give(by, 'POST', '/kse/memories', { id, text, ...more })
  const get = (by: Client, path: string) =>
    by.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': position } })
  /** Ids of what a search by words finds. */
  async function found(by: Client, query: string, filter?: object, type = 'lexical'): Promise<string[]> {
    const body = { query, search_type: type, limit: 50, ...(filter && { filter }) }
    const headers = { 'Kogi-Min-Position': position }
    const answer = await by.call('POST', '/api/v1/kse/memory/search', { body, headers })
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200)
    expect(answer.body.data.count).to.equal(answer.body.data.results.length)
    return answer.body.data.results.map(({ memory_id: id }: Result) => id).sort()
  }
  async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    for (const end = Date.now() + patient(30_000); Date.now() < end; await sleep(100)) {
      const answer = await ask()
      if (answer !== undefined) return answer
    }
    throw new Error(`${what} did not come to be`)
  }
  const receipt = (subject: string) =>
    until(`the receipt of ${subject}`, async () => {
      const { body } = await admin.call('GET', `/api/v1/kmg/erasures?subject=${encodeURIComponent(subject)}`)
      return body.data[0]?.completed_at ? body.data[0] : undefined
    })
  const keyOf = async (subject: string) => {
    const text = 'select secret, owners from subject_keys where org = $1 and subject = $2'
    return (await keys.query<{ secret: Buffer | null; owners: string[] }>(text, [ORG, subject])).rows[0]
  }

  it('are stored under the names of the memory service, and say what they are', async () => {
    // The first search makes the index, for which a store does not wait long.
    await get(mira, '/kse/memories/search?q=coffee&search_type=lexical')
    const data = await give(mira, 'POST', '/kse/memory/store', {
      content: 'The confounder of the coffee experiment is the weather.',
      memory_type: 'causal_models',
      metadata: { experiment_id: 'e-1' },
    })
    expect(data).to.include({ status: 'stored', replayed: false })
    expect(data.duplicates).to.deep.equal([])
    const body = { query: 'coffee experiment', search_type: 'hybrid', limit: 5 }
    const headers = { 'Kogi-Min-Position': position }
    const { body: answer } = await mira.call('POST', '/api/v1/kse/memory/search', { body, headers })
    expect(answer.data.results[0]).to.deep.include({
      memory_id: data.memory_id,
      memory_type: 'causal_models',
      content: 'The confounder of the coffee experiment is the weather.\ne-1',
      metadata: { experiment_id: 'e-1' },
    })
    expect(answer.meta.legs.lexical.state).to.equal('answered')
    const inUrl = await mira.call('POST', '/api/v1/kse/memory/search?query=coffee&search_type=neural&limit=1', {})
    expect(inUrl.status).to.equal(200)
  })

  it('are found by each condition, on every leg', async () => {
    await give(admin, 'POST', '/kctr/projects', { id: 'harbour', name: 'Harbour' })
    await store(mira, 'm1', 'Harbour plans are late.', {
      type: 'call',
      tags: ['red', 'big'],
      session: 's1',
      source: 'phone',
    })
    await store(jon, 'm2', 'Harbour plans are early.', {
      type: 'mail',
      tags: ['red'],
      subjects: ['ann'],
      valid_from: '2026-01-01T00:00:00.000Z',
      valid_to: '2026-02-01T00:00:00.000Z',
    })
    await give(jon, 'POST', '/kse/memories/m2/link', { type: 'is about', kind: 'project', to: 'harbour' })
    await give(mira, 'POST', '/kse/memories/m1/tag', { tags: ['new'] })
    const unknown = await jon.call('POST', '/api/v1/kse/memories/m2/link', {
      body: { type: 'is about', kind: 'project', to: 'nowhere' },
    })
    expect(unknown.body.error.code).to.equal('memory_link_unknown')
    const cases: readonly [object, string[]][] = [
      [{ kind: 'memory' }, ['m1', 'm2']],
      [{ type: 'call' }, ['m1']],
      [{ type: ['call', 'mail'] }, ['m1', 'm2']],
      [{ tags: { and: ['red', 'big', 'new'] } }, ['m1']],
      [{ tags: { or: ['big', 'none'] } }, ['m1']],
      [{ tags: { and: ['red'], or: ['new', 'none'] } }, ['m1']],
      [{ actor: 'jon' }, ['m2']],
      [{ source: 'phone' }, ['m1']],
      [{ session: 's1' }, ['m1']],
      [{ subject: 'ann' }, ['m2']],
      [{ subject: 'harbour', kind: 'memory' }, ['m2']],
      [{ valid_at: '2026-01-15T00:00:00.000Z', kind: 'memory' }, ['m1', 'm2']],
      [{ valid_at: '2026-03-01T00:00:00.000Z', kind: 'memory' }, ['m1']],
      [{ period: { from: '2020-01-01T00:00:00.000Z' }, kind: 'memory' }, ['m1', 'm2']],
      [{ period: { until: '2020-01-01T00:00:00.000Z' } }, []],
    ]
    for (const [filter, ids] of cases) {
      expect(await found(mira, 'harbour plans', filter), JSON.stringify(filter)).to.deep.equal(ids)
      for (const type of ['neural', 'conceptual', 'knowledge', 'hybrid']) {
        for (const id of await found(mira, 'harbour plans', filter, type)) expect(ids, type).to.include(id)
      }
    }
    expect(await found(jon, 'harbour', { type: 'mail' }, 'knowledge'), 'by the link').to.deep.equal(['m2'])
    const inUrl = '/kse/memories/search?q=harbour%20plans&search_type=hybrid&kind=memory'
    const ids = async (more: string) =>
      (await get(mira, `${inUrl}${more}`)).body.data.map(({ subject }: { subject: string }) => subject).sort()
    expect(await ids('&tag=red,big')).to.deep.equal(['m1'])
    expect(await ids('&any_tag=big,none&actor=mira,jon')).to.deep.equal(['m1'])
    expect((await get(mira, '/kse/memories/search?q=x&type=call')).body.error.code).to.equal('invalid_parameter')
  })

  it('name what says the same, or nearly so, among what their caller may read', async () => {
    const text = 'On Tuesday the printer in the blue room was mended by the man from Brno.'
    expect((await store(mira, 'd1', text)).duplicates).to.deep.equal([])
    await store(jon, 'd2', text.replace('Tuesday', 'Thursday'), {
      privacy: 'private',
    })
    await get(mira, '/kse/memories/search?q=printer')
    const again = await store(mira, 'd3', ` ${text.toUpperCase()} `)
    expect(again.duplicates).to.deep.equal([{ id: 'd1', kind: 'exact', similarity: 1 }])
    await get(mira, '/kse/memories/search?q=printer')
    const near = await store(jon, 'd4', text.replace('Tuesday', 'Wednesday'))
    expect(near.duplicates.map(({ id }: { id: string }) => id)).to.have.members(['d1', 'd2', 'd3'])
    for (const { kind, similarity } of near.duplicates) {
      expect(kind).to.equal('near')
      expect(similarity).to.be.within(0.5, 0.999)
    }
    expect((await get(mira, '/kse/memories/d3')).body.data.text).to.equal(` ${text.toUpperCase()} `)
  })

  it('that are private are read by those they are shared with, until that is withdrawn', async () => {
    await store(mira, 'p1', 'The surprise party is on the boat.', { privacy: 'private' })
    const sees = async () => [
      (await get(jon, '/kse/memories/p1')).status,
      ...(await found(jon, 'surprise party boat')),
      ...(await found(jon, 'surprise party boat', undefined, 'hybrid')),
    ]
    expect(await sees()).to.deep.equal([404])
    expect((await jon.call('DELETE', '/api/v1/kse/memories/p1', { body: {} })).body.error.code).to.equal(
      'memory_not_yours',
    )
    await give(mira, 'POST', '/kse/memories/p1/share', { kind: 'team', with: 'design' })
    expect(await sees()).to.deep.equal([200, 'p1', 'p1'])
    await give(mira, 'POST', '/kse/memories/p1/unshare', { kind: 'team', with: 'design' })
    expect(await sees()).to.deep.equal([404])
    // A way through a private memory is not shown: what it says would be.
    await store(mira, 'w1', 'I heard that Olga Brandt met Peter Novak.', { privacy: 'private' })
    await store(mira, 'w2', 'I heard that Peter Novak was in Oslo.')
    const ways = async (by: Client) => {
      const body = { query: 'Olga Brandt', search_type: 'knowledge' }
      const headers = { 'Kogi-Min-Position': position }
      const { results } = (await by.call('POST', '/api/v1/kse/memory/search', { body, headers })).body.data
      return results.find(({ memory_id: id }: Result) => id === 'w2').path
    }
    expect(await ways(mira)).to.deep.equal(['name:olga brandt', 'memory/w1', 'name:peter novak'])
    expect(await ways(jon)).to.deep.equal([])
    const causal = await app.clientOf(ORG, 'viewer', 'module:causal')
    expect((await get(causal, '/kse/memories/p1')).status).to.equal(404)
    await give(mira, 'POST', '/kse/memories/p1/share', { kind: 'module', with: 'causal' })
    expect((await get(causal, '/kse/memories/p1')).status).to.equal(200)
  })

  it('are forgotten for good, in every index, version and key', async () => {
    await store(mira, 'f1', 'Quokkas are kept in the cellar.', { subjects: ['ann'] })
    const before = position
    expect(await found(mira, 'quokkas')).to.deep.equal(['f1'])
    const copy = (await keyOf('memory:f1'))!
    expect(copy.owners).to.deep.equal(['ann'])
    const made =
      'insert into index_keys (org, key, secret) values ($1, gen_random_uuid(), $2), ($3, gen_random_uuid(), $2)'
    await keys.query(made, [ORG, Buffer.alloc(32), 'other'])
    await give(mira, 'DELETE', '/kse/memories/f1', { reason: 'Ann asked for it.' })
    for (const type of ['lexical', 'neural', 'conceptual', 'knowledge', 'hybrid']) {
      expect(await found(mira, 'quokkas', undefined, type)).to.not.include('f1')
    }
    expect((await get(mira, '/kse/memories/f1')).status).to.equal(404)
    expect(await receipt('memory:f1')).to.include({ keys: 1, reason: 'Ann asked for it.', basis: 'no_longer_needed' })
    expect((await keyOf('memory:f1'))!.secret).to.equal(null)
    const { rows: left } = await keys.query('select org from index_keys')
    expect(left, 'what was stored of the index cannot be read any more').to.deep.equal([{ org: 'other' }])
    const removed = (await get(mira, '/kse/memories/f1/receipt')).body.data
    expect(removed.key.destroyed).to.equal(true)
    expect(removed.rows).to.deep.equal({ list: 0, search: 0, timers: 0, versions: 4 })
    expect(removed.index.legs).to.deep.equal({ lexical: 0, neural: 0, conceptual: 0, knowledge: 0 })
    expect((await get(mira, '/kse/memories/m1/receipt')).status).to.equal(404)
    // A database of keys from before the forgetting opens nothing.
    const restore = 'update subject_keys set secret = $1, erased_at = null where org = $2 and subject = $3'
    await keys.query(restore, [copy.secret, ORG, 'memory:f1'])
    const then = await until('that the cache is over', async () => {
      const { body } = await get(admin, `/kse/memories/f1?as_of=${before}`)
      return body.data?.erased ? body.data : undefined
    })
    expect(then).to.include({ text: null, erased: true })
    const again = await mira.call('POST', '/api/v1/kse/memories', { body: { id: 'f1', text: 'New.' } })
    expect(again.status).to.equal(422)
  })

  it('expire by themselves, and stay while a person of theirs is under legal hold', async () => {
    const soon = new Date(Date.now() + patient(1_500)).toISOString()
    await store(mira, 'e1', 'Until tomorrow the door is open.', { expires_at: soon })
    await until('the end', async () => ((await get(mira, '/kse/memories/e1')).status === 404 ? true : undefined))
    expect(await found(mira, 'door open tomorrow')).to.not.include('e1')
    expect(await receipt('memory:e1')).to.include({ keys: 1 })
    await store(mira, 'h1', 'Bert keeps the ledger.', { subjects: ['bert'] })
    await give(admin, 'POST', '/kmg/legal-holds', { subject: 'bert', matter: 'case 7', reason: 'The court asked.' })
    const refused = await mira.call('DELETE', '/api/v1/kse/memories/h1', { body: {} })
    expect(refused.body.error.code).to.equal('memory_held')
    await give(admin, 'POST', '/kmg/legal-holds/bert/lift', { matter: 'case 7', reason: 'It is over.' })
    await give(mira, 'DELETE', '/kse/memories/h1', {})
  })

  it('go with the data of each of their persons', async () => {
    await store(mira, 'c1', 'Carla and Dan share the attic.', { subjects: ['carla', 'dan'] })
    await store(mira, 'c2', 'The attic is warm.')
    expect(await found(mira, 'attic')).to.deep.equal(['c1', 'c2'])
    await give(admin, 'POST', '/kmg/erasures', { subject: 'dan', basis: 'consent_withdrawn', reason: 'He asked.' })
    expect(await receipt('dan')).to.include({ keys: 1 })
    expect((await keyOf('memory:c1'))!.secret).to.equal(null)
    await until('that search forgets it', async () => ((await found(mira, 'attic')).includes('c1') ? undefined : true))
    const row = await until('that reads open it no more', async () => {
      const { data } = (await get(mira, '/kse/memories/c1')).body
      return data.erased ? data : undefined
    })
    expect(row).to.include({ text: null, erased: true })
    const ids = await found(mira, 'attic', undefined, 'hybrid')
    expect(ids).to.include('c2').and.not.include('c1')
    const refused = await until('that no more is sealed', async () => {
      const { status, body } = await mira.call('PATCH', '/api/v1/kse/memories/c1', { body: { text: 'More of them.' } })
      return status < 300 ? undefined : body.error.code
    })
    expect(refused).to.equal('subject_erased')
  })
})
