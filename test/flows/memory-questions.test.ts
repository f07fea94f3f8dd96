/** Searches of memories of every form: they get results, or a sentence that says what is wrong with them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Client as McpClient } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { expect } from 'chai'
import fc from 'fast-check'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { serveHttp } from '../../scripts/memory/mcp.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 3_000 : 120

describe('questions to memories', function questions() {
  this.timeout(patient(60_000))
  let app: App
  let mira: Client
  let position = '0'

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('studio', 'team-member', 'mira')
    const body = { text: 'Harbour plans are late.', type: 'call', tags: ['red'], session: 's1' }
    expect((await mira.call('POST', '/api/v1/kse/memories', { body })).status).to.equal(201)
  })
  after(() => app.close())

  const get = (path: string) =>
    mira.call('GET', `/api/v1${path}`, { headers: { 'Kogi-Min-Position': position } }).then(({ body }) => body)
  /** Sends a command, again where another one was faster. */
  async function give(method: string, path: string, body: object) {
    for (let tries = 0; ; tries += 1) {
      const answer = await mira.call(method, `/api/v1${path}`, { body })
      if (answer.status === 409 && tries < 20) await sleep(50)
      else {
        expect(answer.status, JSON.stringify(answer.body)).to.be.below(300)
        position = String(answer.headers['kogi-position'])
        return
      }
    }
  }

  it('answer searches of any form, or say what is wrong with them', async () => {
    const word = fc.oneof(
      fc.string({ maxLength: 30 }),
      fc.constantFrom('', '"', 'a\u0000b', '\\', ',', 'x'.repeat(1_001)),
    )
    const odd = fc.oneof(
      word,
      fc.integer(),
      fc.constant(null),
      fc.array(word, { maxLength: 4 }),
      fc.object({ maxDepth: 2 }),
    )
    const names = ['q', 'kind', 'limit', 'after', 'search_type', 'type', 'tag', 'any_tag', 'since', 'until', 'actor']
    names.push('source', 'session', 'subject', 'valid_at', 'at_least', 'wait', 'as_of', 'profile', 'other')
    const good = { q: 'harbour', search_type: 'hybrid', kind: 'memory', limit: '3', wait: '0' }
    const query = fc.record(
      {
        ...Object.fromEntries(names.map(name => [name, word])),
      },
      { requiredKeys: [] },
    )
    const seen = new Set<number>()
    const parameters = fc.asyncProperty(query, fc.subarray(Object.entries(good)), async (given, kept) => {
      const all = new URLSearchParams({ ...(given as Record<string, string>), ...Object.fromEntries(kept) })
      const { status } = await mira.call('GET', `/api/v1/kse/memories/search?${all}`)
      seen.add(status)
      expect([200, 400, 403, 503], `${status} ${all}`).to.include(status)
      // Waiting for a position that is yet to come is the caller's wish.
      if (status === 503) expect(all.has('at_least')).to.equal(true)
    })
    const filter = fc.record(
      {
        type: odd,
        tags: odd,
        period: odd,
        actor: odd,
        source: odd,
        session: odd,
        subject: odd,
        valid_at: odd,
        kind: odd,
      },
      { requiredKeys: [] },
    )
    const body = fc.record(
      { query: odd, search_type: odd, limit: odd, filter: fc.oneof(filter, odd), after: odd, other: odd },
      { requiredKeys: [] },
    )
    const bodies = fc.asyncProperty(fc.oneof(body, odd), fc.boolean(), async (given, isGood) => {
      const sent = isGood ? { ...(given as object), query: 'harbour', search_type: 'hybrid', other: undefined } : given
      const { status } = await mira.call('POST', '/api/v1/kse/memory/search', { body: sent })
      seen.add(status)
      expect([200, 400, 403], `${status} ${JSON.stringify(sent)}`).to.include(status)
    })
    await fc.assert(parameters, { numRuns: RUNS, seed: 17 })
    await fc.assert(bodies, { numRuns: RUNS, seed: 18 })
    expect([...seen]).to.include.members([200, 400])
  })

  it('are weighed by profiles of the organization, which answers name', async () => {
    const lead = await app.clientOf('studio', 'team-lead', 'lead')
    const put = async (method: string, path: string, body: object) => {
      const answer = await lead.call(method, `/api/v1/kse/search-profiles${path}`, { body })
      expect(answer.status, JSON.stringify(answer.body)).to.be.below(300)
      position = String(answer.headers['kogi-position'])
    }
    await give('POST', '/kse/memories', { id: 'n1', text: 'The loud machine stands in the noisy hall.' })
    await give('POST', '/kse/memories', { id: 'n2', text: 'A silent room for meetings.' })
    const dimensions = [{ name: 'noise', low: ['quiet', 'silent'], high: ['loud', 'noisy'] }]
    await put('POST', '', { id: 'rooms', name: 'Rooms', dimensions })
    const search = '/kse/memories/search?q=quiet&kind=memory'
    const conceptual = await get(`${search}&search_type=conceptual&profile=rooms`)
    expect(conceptual.data.map(({ subject }: { subject: string }) => subject)).to.deep.equal(['n2', 'n1'])
    expect(conceptual.meta).to.deep.include({ profile: 'rooms', dimensions: [{ name: 'noise', at: -1 }] })
    const hybrid = `${search}&search_type=hybrid`
    const builtIn = (await get(hybrid)).meta
    expect(builtIn.profile).to.equal(null)
    const before = position
    await put('POST', '', {
      id: 'default',
      name: 'Words',
      weights: { lexical: 1, neural: 0, conceptual: 0, knowledge: 0 },
    })
    const sum = (legs: object) => Object.values(legs).reduce((all, { weight }) => all + weight, 0)
    const own = (await get('/kse/memories/search?q=silent%20room&search_type=hybrid')).meta
    expect([own.profile, own.legs.lexical.weight, sum(own.legs)]).to.deep.equal(['default', 1, 1])
    expect((await get(`${hybrid}&as_of=${before}`)).meta.profile, 'as of then').to.equal(null)
    const unknown = await get(`${hybrid}&profile=nobody`)
    expect(unknown.error.details[0].field).to.equal('profile')
    const [member, none] = [await app.clientOf('studio', 'team-member', 'jon'), { weights: { lexical: 0 } }]
    const body = { name: 'Mine' }
    expect((await member.call('POST', '/api/v1/kse/search-profiles', { body })).status).to.equal(403)
    expect((await lead.call('PATCH', '/api/v1/kse/search-profiles/default', { body: none })).status).to.equal(400)
    await put('DELETE', '/default', {})
  })

  it('show as of a position nothing that came later', async () => {
    const stored: { id: string; at: bigint }[] = []
    for (let n = 0; n < 5; n += 1) {
      await give('POST', '/kse/memories', { id: `a${n}`, text: `Number ${n}.`, type: 'counted' })
      stored.push({ id: `a${n}`, at: BigInt(position) })
    }
    for (const { at } of stored) {
      const body = await get(`/kse/memories?type=counted&as_of=${at}`)
      const ids = stored.filter(each => each.at <= at).map(({ id }) => id)
      expect(body.data.map(({ id }: { id: string }) => id)).to.deep.equal(ids)
    }
    await give('PATCH', '/kse/memories/a0', { text: 'Revised.' })
    await give('DELETE', '/kse/memories/a4', {})
    for (const type of ['lexical', 'neural', 'knowledge', 'hybrid']) {
      for (const { at } of stored.slice(0, 4)) {
        const body = { query: 'number', search_type: type, limit: 50, filter: { type: 'counted' }, as_of: String(at) }
        const answer = (await mira.call('POST', '/api/v1/kse/memory/search', { body })).body
        const ids = answer.data.results.map(({ memory_id: id }: { memory_id: string }) => id).sort()
        const then = stored.filter(each => each.at <= at).map(({ id }) => id)
        if (type === 'lexical') expect(ids).to.deep.equal(then)
        else for (const id of ids) expect(then, type).to.include(id)
        expect(answer.meta.as_of).to.equal(String(at))
      }
    }
    const inUrl = `/kse/memories/search?q=number&type=counted&as_of=${stored[3]!.at}&limit=2`
    const first = await get(`${inUrl}&search_type=lexical`)
    const second = await get(`${inUrl}&search_type=lexical&after=${first.pagination.next}`)
    expect([...first.data, ...second.data].map(({ text }: { text: string }) => text).sort()).to.deep.equal(
      [0, 1, 2, 3].map(n => `Number ${n}.`),
    )
    expect((await get(inUrl)).error.details[0].field).to.equal('search_type')
    const ahead = await get(`/kse/memories/search?q=number&search_type=neural&as_of=${2n ** 62n}`)
    expect(ahead.error.code).to.equal('as_of_beyond_head')
    const [at] = [stored[1]!.at]
    const insights = await get(`/kse/memory/insights?as_of=${at}`)
    const last = [...first.data, ...second.data].find(({ text }: { text: string }) => text === 'Number 1.')
    expect(insights.data.totals.last_at).to.equal(last.at)
    expect(insights.meta.as_of).to.equal(String(at))
    const counts = await get('/kse/memories/summary?by=type&type=counted')
    expect(counts.data[0].group).to.deep.equal({ type: 'counted' })
    expect(Number(counts.data[0].count)).to.equal(4)
  })

  it('are stored and found by tools of agents', async () => {
    const serving = await serveHttp(app.url, 0)
    const agent = new McpClient({ name: 'test', version: '1' })
    try {
      const token = await issueToken(app.config, {
        org: 'studio',
        subject: 'mira',
        roles: ['team-member'],
        ttlSeconds: 600,
      })
      const requestInit = { headers: { authorization: `Bearer ${token}` } }
      await agent.connect(new StreamableHTTPClientTransport(new URL(serving.url), { requestInit }) as never)
      const use = async (name: string, args: object) => {
        const { content } = await agent.callTool({ name, arguments: { ...args } })
        return JSON.parse((content as { text: string }[])[0]!.text)
      }
      const memory = { content: 'Otters sleep on the pier.', tags: ['otters'], idempotency_key: 'otters-1' }
      const { data } = await use('store_memory', memory)
      expect((await use('store_memory', memory)).data).to.include({ memory_id: data.memory_id, replayed: true })
      position = data.position
      const [hit] = (await get('/kse/memories/search?q=otters%20pier&search_type=lexical')).data
      expect(hit.subject).to.equal(data.memory_id)
      const { error } = await use('store_memory', { content: 'x', expires_at: '2020-01-01T00:00:00.000Z' })
      expect(error.code).to.equal('memory_expires_before')
    } finally {
      await agent.close()
      serving.server.close()
    }
  })
})
