import { expect } from 'chai'
import { z } from 'zod'
import { kinds, memoryPermissions, resources } from '../../infra/catalogue.ts'
import { recordHead } from '../../projections/audit/heads.ts'
import { asOfParameter } from '../../read-api/as-of.ts'
import { columnFault } from '../../read-api/parameters.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { History, thing } from '../projections/history.ts'
import { freshPool, MemoryLog, reached, startRunner } from '../projections/support.ts'
import { type Live, serveReads } from './live.ts'

const ORG = 'org-1'
/** When tasks were made: around the end of a month, where leap seconds are. */
const MADE_AT = [
  '2026-06-30T23:58:59.999Z',
  '2026-06-30T23:59:59.122Z',
  '2026-06-30T23:59:59.123Z',
  '2026-06-30T23:59:59.999Z',
  '2026-07-01T00:00:00.000Z',
  '2026-07-01T00:00:00.001Z',
]

describe('read API: forms of parameters', () => {
  let live: Live
  const history = new History()
  const events = MADE_AT.map((at, n) => {
    const event = history.add(thing('task', ORG, `task-${n}`), 'TaskCreated', { name: 'a', status: 'open' })
    return { ...event, metadata: { ...event.metadata, at } }
  })
  const head = events.at(-1)!.position
  before(async () => {
    const pool = await freshPool()
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, head)
    await runner.close()
    await recordHead(pool, head, Date.now())
    live = await serveReads(pool)
  })
  after(() => live.close())

  const get = (query: string, headers: Record<string, string> = {}) =>
    live.get(ORG, `/kctr/tasks?wait=0&${query}`, headers)

  it('take every form of timestamp that RFC 3339 has, rounded down to milliseconds', async () => {
    const pattern = new RegExp((z.toJSONSchema(asOfParameter.schema) as { pattern: string }).pattern)
    for (const [as, known] of [
      ['2026-06-30T23:59:59.123Z', 3],
      ['2026-06-30t23:59:59.123z', 3],
      ['2026-07-01t01:59:59.123+02:00', 3],
      ['2026-06-30T23:59:59.123-00:00', 3],
      ['2026-06-30T23:59:59.1229999999999999999Z', 2],
      ['2026-06-30T23:59:59.123000000000001Z', 3],
      ['2026-06-30T23:59:59.12Z', 1],
      ['2026-06-30T23:59:59.9999999999Z', 4],
      ['2026-06-30T23:59:60Z', 4],
      ['2026-06-30t23:59:60.75z', 4],
      ['2026-07-01T05:29:60+05:30', 4],
      ['2026-06-30T16:59:60.000-07:00', 4],
      ['2026-07-01T00:00:00Z', 5],
      ['2016-12-31T23:59:60Z', 0],
    ] as const) {
      const { status, body } = await get(`as_of=${encodeURIComponent(as)}`)
      expect(status, `${as} ${JSON.stringify(body)}`).to.equal(200)
      expect(body.data, as).to.have.length(known)
      expect(as).to.match(pattern)
    }
  })

  it('refuse a timestamp that no clock shows, and say what is expected', async () => {
    for (const as of [
      '2026-06-30T23:58:60Z',
      '2026-06-30T22:59:60Z',
      '2026-06-29T23:59:60Z',
      '2026-06-30T23:59:60+01:00',
      '2026-06-30T23:59:61Z',
      '2026-06-30T23:60:00Z',
      '2026-06-30T24:00:00Z',
      '2026-06-31T00:00:00Z',
      '2026-06-30T23:59:59.Z',
      '2026-06-30 23:59:59Z',
      '2026-06-30T23:59:59+0100',
      '2026-06-30T23:59Z',
    ]) {
      const { status, body } = await get(`as_of=${encodeURIComponent(as)}`)
      expect([status, body.error?.code], as).to.deep.equal([400, 'invalid_parameter'])
      expect(body.error.message, as).to.equal(
        'The parameter as_of must be a position below 2^63 or an RFC 3339 timestamp that exists, as ' +
          '2026-01-31T09:30:00Z or 2026-01-31T10:30:00.250+01:00 (in a URL, `+` is `%2B`).',
      )
    }
  })

  it('refuse a position that no log can have, in the header as in the query', async () => {
    const known = await get('', { 'Kogi-Min-Position': String(head) })
    expect(known.status).to.equal(200)
    const last = 2n ** 63n - 1n
    expect((await get('', { 'Kogi-Min-Position': String(last) })).body.error.code).to.equal('not_yet_visible')
    for (const position of [last + 1n, 2n ** 64n - 1n, 2n ** 64n, '99999999999999999999', '1e3', '-1', 'soon']) {
      for (const [field, answer] of [
        ['Kogi-Min-Position', await get('', { 'Kogi-Min-Position': String(position) })],
        ['at_least', await get(`at_least=${position}`)],
      ] as const) {
        const { status, body } = answer
        const message = 'must be a position: a decimal number below 2^63'
        expect([status, body.error.code], `${field} ${position}`).to.deep.equal([400, 'invalid_parameter'])
        expect(body.error.details).to.deep.equal([{ field, message }])
        expect(body.error.message).to.equal(`The parameter ${field} ${message}.`)
      }
    }
  })

  it('are refused in sentences', async () => {
    const bad = ['', '\0', 'x y', '-1', '99999999999999999999', '2026-02-30', 'z'.repeat(9_000)]
    const statement = '/kwlt/wallets/w/accounts/a/statement?currency=EUR'
    for (const [path, message] of [
      [`${statement}&effective_at=2026-02-30`, 'The parameter effective_at must be a date: YYYY-MM-DD.'],
      [`${statement}&from=yesterday`, 'The parameter from must be a date: YYYY-MM-DD.'],
      [`${statement}&order=random`, 'The parameter order must be effective or posted.'],
      [`/kctr/tasks?after=${bad.at(-1)}`, 'The parameter after must have at most 8192 characters.'],
      [
        '/kse/memories/search?q=x&search_type=guessed',
        'The parameter search_type must be text, hybrid, lexical, neural, conceptual or knowledge.',
      ],
    ] as const) {
      const { status, body } = await live.get(ORG, path)
      expect([status, body.error.message], path).to.deep.equal([400, message])
    }
    for (const { path, parameters } of readRoutes({ kinds, resources, memoryPermissions } as never)) {
      for (const { name, schema } of parameters) {
        for (const text of bad) expect(columnFault(schema, text) ?? 'must', `${path} ${name}`).to.match(/^must\b/)
      }
    }
  })
})
