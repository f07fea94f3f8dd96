/** Searches of memories of every form: they get results, or a sentence that says what is wrong with them. */
import { expect } from 'chai'
import fc from 'fast-check'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'

const RUNS = process.env.KOGI_LONG === '1' ? 3_000 : 120

describe('questions to memories', function questions() {
  this.timeout(patient(60_000))
  let app: App
  let mira: Client

  before(async () => {
    app = await startApp()
    mira = await app.clientOf('studio', 'team-member', 'mira')
    const body = { text: 'Harbour plans are late.', type: 'call', tags: ['red'], session: 's1' }
    expect((await mira.call('POST', '/api/v1/kse/memories', { body })).status).to.equal(201)
  })
  after(() => app.close())

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
    names.push('source', 'session', 'subject', 'valid_at', 'at_least', 'wait', 'as_of', 'other')
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
})
