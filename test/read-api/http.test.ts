import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import fc from 'fast-check'
import { allows, permissions } from '../../infra/auth/permissions.ts'
import { resources } from '../../infra/catalogue.ts'
import { createApp } from '../../infra/http/server.ts'
import { silentLog } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { aliasesOf } from '../../read-api/aliases.ts'
import { columnsOf } from '../../read-api/rows.ts'
import { History, makeWorld, type World } from './support.ts'

describe('the read API over HTTP', () => {
  let world: World
  let server: Server
  let base: string
  before(async () => {
    world = await makeWorld()
    await world.write(
      new History()
        .add('north', 'wallet', 'w1', 'WalletOpened', { owner: 'o', kind: 'personal' })
        .add('north', 'wallet', 'w1', 'AccountOpened', {
          account: 'a/b',
          currency: 'EUR',
          places: 2,
          overdraft: 'allowed',
        })
        .add('north', 'item', 'i1', 'ItemAdded', { type: 'app', status: 'x', name: 'n', metadata: {}, owner: 'u' })
        .add('north', 'task', 't1', 'TaskCreated', { name: 'Do', status: 'open' }),
    )
    const app = createApp({
      routes: world.routes,
      aliases: aliasesOf(world.routes),
      authenticate: authorization => ({
        subject: 'reader',
        org: 'north',
        roles: [],
        permissions: authorization?.split(' ') ?? [],
      }),
      log: silentLog,
      metrics: createMetrics({ service: 'test', processMetrics: false }),
      config: { bodyLimitBytes: 1_000_000, corsOrigins: [] },
    })
    server = app.listen(0, '127.0.0.1')
    // A busy machine makes long pauses between two requests: the server must not end a connection that is used again.
    server.keepAliveTimeout = 60_000
    await new Promise(resolve => server.once('listening', resolve))
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`
  })
  after(async () => {
    server.closeAllConnections()
    server.close()
    await world.close()
  })

  type Body = { data?: unknown; error?: { code: string; details: { field: string; message: string }[] }; meta?: object }
  async function get(path: string, headers: Record<string, string> = {}) {
    const response = await fetch(base + path, { headers: { authorization: '*', ...headers } })
    // Calendars, tables and books are files.
    const isJson = response.headers.get('content-type')?.includes('json')
    const body = (isJson ? await response.json() : { data: await response.text() }) as Body
    return { status: response.status, headers: response.headers, body }
  }

  it('answers in the envelope, with the position and the revision in headers', async () => {
    const { status, body, headers } = await get('/kwlt/wallets/w1/accounts/a%2Fb/EUR')
    expect(status).to.equal(200)
    expect(body.meta).to.include({ position: '128' }).and.have.property('request_id')
    expect(headers.get('kogi-position')).to.equal('128')
    expect(headers.get('etag')).to.equal('"1"')
    const late = await get('/kctr/tasks?wait=0', { 'Kogi-Min-Position': '129' })
    expect(late.status).to.equal(503)
    expect(late.headers.get('retry-after')).to.match(/^\d+$/)
    expect(late.body.error!.details).to.deep.equal([{ field: 'position', message: '128' }])
  })

  it('serves every other spelling like the canonical path', async () => {
    for (const [spelling, canonical] of Object.entries(aliasesOf(world.routes))) {
      const fill = (path: string) =>
        path
          .replace(':account', 'a%2Fb')
          .replace(':currency', 'EUR')
          .replace(':id', path.includes('item') ? 'i1' : 'w1')
      const query = /statement|end-of/.test(canonical) ? '?currency=EUR' : canonical.includes('search') ? '?q=x' : ''
      const [first, second] = await Promise.all([get(fill(spelling) + query), get(fill(canonical) + query)])
      expect(first.status, spelling).to.equal(second.status)
      expect(first.body.data, spelling).to.deep.equal(second.body.data)
    }
  })

  it('needs the permission that each route names, and the catalogue knows it', async () => {
    for (const { path, permission } of world.routes.filter(({ method }) => method === 'GET')) {
      // What everybody signed in may ask is filtered by what the caller may read.
      if (permission === 'signed in') continue
      expect(permissions, path).to.include(permission)
      const { status } = await get(path.replaceAll(/:\w+/g, 'x'), { authorization: 'wallet.wallets.write' })
      expect(allows({ permissions: ['wallet.wallets.write'] }, permission!)).to.equal(false)
      expect(status, path).to.equal(403)
    }
  })

  it('takes the defaults of a list beside a cursor, as clients that fill them in send them', async () => {
    const cursor = Buffer.from('["Wallets","a"]').toString('base64url')
    const { status, body } = await get(`/kwlt/wallets?after=${cursor}&limit=20&offset=0&sort=id&wait=2000`)
    expect(status, JSON.stringify(body)).to.equal(200)
  })

  it('refuses what is malformed, naming the field', async () => {
    for (const [path, field] of [
      ['/kwlt/wallets?limit=0', 'limit'],
      ['/kwlt/wallets?limit=501', 'limit'],
      ['/kwlt/wallets?limit=1e2', 'limit'],
      ['/kwlt/wallets?limit=5&limit=6', 'limit'],
      ['/kwlt/wallets?offset=-1', 'offset'],
      ['/kwlt/wallets?after=nonsense', 'after'],
      [`/kwlt/entries?after=${Buffer.from('["Entries","9223372036854775808"]').toString('base64url')}`, 'after'],
      [`/kwlt/wallets?after=${Buffer.from('["Wallets","a"]').toString('base64url')}&offset=1`, 'offset'],
      [`/kwlt/wallets?after=${Buffer.from('["Items","a"]').toString('base64url')}`, 'after'],
      ['/kwlt/wallets?status=opened', 'status'],
      ['/kwlt/wallets?as_of=soon', 'as_of'],
      ['/kwlt/wallets/w1/accounts/a/statement?currency=EUR&effective_at=2026-02-30', 'effective_at'],
      ['/kwlt/wallets?total=yes', 'total'],
      ['/kctr/tasks?priority=high,urgent', 'priority'],
      ['/kctr/tasks?priority[prefix]=h', 'priority[prefix]'],
      ['/kctr/tasks?status=open,', 'status'],
      ['/kctr/tasks?status=', 'status'],
      ['/kctr/tasks?status=a&status=b', 'status'],
      ['/kctr/tasks?status=a%5Cb', 'status'],
      [`/kctr/tasks?status=${'a,'.repeat(100)}a`, 'status'],
      ['/kctr/tasks?due_on[lt]=soon', 'due_on[lt]'],
      ['/kctr/tasks?due_on[lt]=2026-01-01,2026-01-02', 'due_on[lt]'],
      ['/kctr/tasks?due_on[ne]=2026-01-01', 'due_on[ne]'],
      ['/kctr/tasks?created_at[gte]=2026-02-30', 'created_at[gte]'],
      ['/kctr/tasks?created_at=2026-02-01', 'created_at'],
      ['/kctr/tasks?assignee[absent]=yes', 'assignee[absent]'],
      ['/kctr/tasks?status[absent]=true', 'status[absent]'],
      ['/kctr/tasks?sort=name', 'sort'],
      ['/kctr/tasks?sort=due_on,id', 'sort'],
      [`/kctr/tasks?sort=-id&after=${Buffer.from('["Tasks","a"]').toString('base64url')}`, 'after'],
      [`/kctr/tasks?after=${Buffer.from('["Tasks -id","a"]').toString('base64url')}`, 'after'],
      [`/kctr/tasks?sort=status&after=${Buffer.from('["Tasks status",null,"a"]').toString('base64url')}`, 'after'],
      ['/kctr/tasks?by=status', 'by'],
      ['/kctr/tasks/summary?by=name', 'by'],
      ['/kctr/tasks/summary?by=due_on', 'by'],
      ['/kctr/tasks/summary?by=due_on:year', 'by'],
      ['/kctr/tasks/summary?by=status,status', 'by'],
      ['/kctr/tasks/summary?by=status,team,type,project', 'by'],
      ['/kctr/tasks/summary?sum=revision', 'sum'],
      ['/kctr/tasks/summary?sum=status_changes,status_changes', 'sum'],
      ['/kctr/tasks/summary?by=status&sort=team', 'sort'],
      ['/kctr/tasks/summary?sort=-status_changes', 'sort'],
      ['/kctr/tasks/summary?limit=1001', 'limit'],
      ['/kctr/tasks/summary?after=x', 'after'],
      ['/kctr/tasks/summary?total=true', 'total'],
      ['/kwlt/accounts/summary?sum=balance', 'sum'],
      ['/kwlt/accounts/summary?sum=balance&by=wallet', 'sum'],
      ['/kwlt/accounts/summary?sum=balance&currency=EUR,JPY', 'sum'],
      ['/kwlt/accounts/summary?sum=balance&currency[prefix]=EUR', 'sum'],
      ['/kbfc/items/summary?sum=revision', 'sum'],
      ['/kwlt/wallets?wait=30001', 'wait'],
      ['/kwlt/wallets?at_least=soon', 'at_least'],
      ['/kwlt/wallets/%20', 'id'],
      ['/kwlt/wallets/w1?limit=5', 'limit'],
      ['/kctr/tasks?project=%0A', 'project'],
      ['/kse/memories/search', 'q'],
      ['/kse/memories/search?q=x&search_type=guessed', 'search_type'],
      ['/kse/memories/search?q=x&limit=101', 'limit'],
    ] as const) {
      const { status, body } = await get(path)
      expect(status, path).to.equal(400)
      expect(body.error!.code, path).to.equal('invalid_parameter')
      expect(body.error!.details[0]!.field, path).to.equal(field)
      expect(body.error!.details[0]!.message, path).to.match(/[a-z]/)
    }
    const bad = await get('/kwlt/wallets', { 'Kogi-Min-Position': 'soon' })
    expect(bad.body.error!.details[0]!.field).to.equal('Kogi-Min-Position')
  })

  it('answers no request with a 5xx but a 503 for a position that is not reached', async () => {
    const lists = resources.flatMap(({ ids, filters }) => [
      ids.many,
      ...filters.flatMap(filter => [`${ids.many} ${filter}`, `${ids.many} -${filter}`]),
    ])
    const allowed = world.routes
      .flatMap(({ parameters }) => parameters)
      .flatMap(({ schema }) => (schema as { options?: readonly string[] }).options ?? [])
    const nasty = fc.oneof(
      fc.constantFrom(...new Set(allowed)),
      fc.array(fc.constantFrom(...new Set(allowed), '\\', ','), { maxLength: 4 }).map(values => values.join(',')),
      fc.constantFrom('0000-01-01', '9999-12-31T23:59:59.999Z', '-2147483649', '\u{10ffff}', '\ud7ff'),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ maxLength: 10 }),
      fc.constantFrom(
        '\0',
        '%',
        "'",
        '";',
        '..',
        '99999999999999999999',
        '9223372036854775808',
        '-1',
        '0x1',
        '1e9',
        '',
      ),
      fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
      fc.constantFrom('w1', 'a/b', 'EUR', 'i1', 't1', '2026-01-01', 'posted', 'true', 'external:x', '5'),
      fc.constantFrom('2026-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00', '128', '0'),
      fc
        .array(fc.oneof(fc.string(), fc.bigInt({ max: 2n ** 64n }).map(String), fc.constant(null)), { maxLength: 4 })
        .chain(values =>
          fc
            .constantFrom(...lists, 'statement_posted', 'end_of_day')
            .map(list => Buffer.from(JSON.stringify([list, ...values])).toString('base64url')),
        ),
    )
    const columns = [...new Set(resources.flatMap(({ projection }) => columnsOf(projection)))]
    const declared = world.routes.flatMap(({ parameters }) => parameters.map(({ name }) => name))
    const names = [...new Set([...columns, ...declared])]
    const nameArb = fc.oneof(
      fc.constantFrom('limit', 'after', 'offset', 'total', 'at_least', 'wait', 'currency', 'from', 'to', 'order', 'q'),
      fc.constantFrom('kind', 'search_type', 'as_of', 'effective_at', '__proto__', 'constructor', ...names),
      nasty,
    )
    const requestArb = fc.record({
      route: fc.constantFrom(...world.routes.filter(({ method }) => method === 'GET')),
      params: fc.array(nasty, { minLength: 3, maxLength: 3 }),
      query: fc.array(fc.tuple(nameArb, nasty), { maxLength: 4 }),
      raw: fc.option(fc.constantFrom('%', '%ff', '%00', '&&=', '=', '?', '%ed%a0%80')),
    })
    const property = fc.asyncProperty(requestArb, async ({ route, params, query, raw }) => {
      const encode = (text: string) => encodeURIComponent(Buffer.from(text).toString()).replaceAll('.', '%2E')
      let at = 0
      const path = route.path.replaceAll(/:\w+/g, () => encode(params[at++ % 3]!) || 'x')
      const search = query.map(([name, value]) => `${encode(name)}=${encode(value)}`)
      const { status, body } = await get(`${path}?${[...search, ...(raw ? [raw] : []), 'wait=0'].join('&')}`)
      const calm = [200, 400, 404].includes(status) || body.error?.code === 'not_yet_visible'
      if (!calm) throw new Error(`${status} ${JSON.stringify(body)}`)
      if (status === 400) expect(body.error!.details[0]!.field).to.be.a('string')
    })
    await fc.assert(property, { numRuns: process.env.KOGI_LONG ? 20_000 : 300 })
  }).timeout(300_000)
})
