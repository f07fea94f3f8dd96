import { expect } from 'chai'
import { type ErrorCode, errorCatalogue } from '../../infra/http/errors.ts'
import { echo, failing, route, type Served, sendRaw, serve } from '../support/http.ts'

const JSON_TYPE = { authorization: 'Bearer x', 'content-type': 'application/json' }

describe('HTTP interface', () => {
  let served: Served
  const routes = [
    route('GET', '/kwlt/wallets', echo),
    route('GET', '/kwlt/wallets/:id', echo),
    route('GET', '/kwlt/wallets/search', async () => ({ data: 'search' })),
    route('POST', '/kwlt/wallets/:id/credits', echo),
    route('DELETE', '/kwlt/wallets/:id', async () => ({ status: 204, headers: { ETag: '"3"' } })),
    route('POST', '/kwlt/wallets', async () => ({ status: 201, data: 1, headers: { Location: '/x' } })),
    route('GET', '/kctr/tasks', echo, { permission: 'center.tasks.read' }),
    route('GET', '/open', echo, { permission: null }),
    route('GET', '/signed-in', echo, { permission: 'signed in' }),
    route('GET', '/fail/:code', failing),
    route('GET', '/page', async () => ({
      data: [],
      meta: { position: '7' },
      pagination: { limit: 20, has_more: false },
    })),
    route('GET', '/bigint', async () => ({ data: 1n })),
    route('GET', '/header', async () => ({ data: 1, headers: { Bad: 'line\nbreak' } })),
  ]

  before(async () => {
    served = await serve({ routes, aliases: { '/wallet/:id': '/kwlt/wallets/:id' } })
  })
  after(() => served.lifecycle.stop('test'))

  type Init = RequestInit & { headers?: Record<string, string> }
  async function send(path: string, init: Init = {}) {
    const headers = { authorization: 'Bearer x', ...init.headers }
    const response = await fetch(`${served.url}/api/v1${path}`, { ...init, headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: text ? JSON.parse(text) : undefined }
  }
  it('wraps what a route returns in the envelope', async () => {
    const { status, body, headers } = await send('/page')
    expect(status).to.equal(200)
    expect(body).to.have.all.keys('data', 'meta', 'pagination')
    expect(body.pagination).to.deep.equal({ limit: 20, has_more: false })
    expect(body.meta.position).to.equal('7')
    expect(body.meta.request_id).to.match(/^[0-9a-f-]{36}$/)
    expect(body.meta.timestamp).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect(headers.get('content-type')).to.equal('application/json; charset=utf-8')
    expect(headers.get('cache-control')).to.equal('no-store')
    expect(headers.has('x-powered-by')).to.equal(false)
  })

  it('answers 201 with a location, and 204 without a body', async () => {
    const made = await send('/kwlt/wallets', { method: 'POST' })
    expect([made.status, made.headers.get('location')]).to.deep.equal([201, '/x'])
    const removed = await send('/kwlt/wallets/w', { method: 'DELETE' })
    expect([removed.status, removed.text, removed.headers.get('etag')]).to.deep.equal([204, '', '"3"'])
  })

  it('hands a route its parameters, query, body and caller', async () => {
    const { body } = await send('/kwlt/wallets/caf%C3%A9%2F1/credits?a=1&b=2&a=3&c=x%20y+z', {
      method: 'POST',
      headers: { ...JSON_TYPE, 'x-correlation-id': 'trace-1' },
      body: '{"__proto__":{"admin":true},"n":1}',
    })
    expect(body.data).to.deep.include({ params: { id: 'café/1' }, subject: 'ada', correlationId: 'trace-1' })
    expect(body.data.query).to.deep.equal({ a: ['1', '3'], b: '2', c: 'x y z' })
    expect(Object.keys(body.data.body)).to.deep.equal(['__proto__', 'n'])
  })

  it('prefers a fixed segment, follows aliases and forgives a slash at the end', async () => {
    expect((await send('/kwlt/wallets/search')).body.data).to.equal('search')
    expect((await send('/wallet/w9')).body.data.params).to.deep.equal({ id: 'w9' })
    expect((await send('/kwlt/wallets/')).status).to.equal(200)
  })

  it('answers HEAD like GET, without the body', async () => {
    const { status, text, headers } = await send('/kwlt/wallets', { method: 'HEAD' })
    expect([status, text]).to.deep.equal([200, ''])
    expect(Number(headers.get('content-length'))).to.be.greaterThan(10)
  })

  it('keeps a sane correlation id and replaces any other', async () => {
    expect(
      (await send('/page', { headers: { 'x-correlation-id': 'abc-1' } })).headers.get('x-correlation-id'),
    ).to.equal('abc-1')
    for (const bad of ['a b', '"x"', 'x'.repeat(129), '<script>']) {
      const { headers, body } = await send('/page', { headers: { 'x-correlation-id': bad } })
      expect(headers.get('x-correlation-id')).to.equal(body.meta.request_id)
    }
  })

  it('lets public routes through without a token, no others, and some with any token', async () => {
    const open = await fetch(`${served.url}/api/v1/open`)
    expect(open.status).to.equal(200)
    const closed = await fetch(`${served.url}/api/v1/page`)
    expect([closed.status, closed.headers.get('www-authenticate')]).to.deep.equal([401, 'Bearer realm="kogi"'])
    expect((await fetch(`${served.url}/api/v1/signed-in`)).status).to.equal(401)
    expect((await send('/signed-in')).body.data.subject).to.equal('ada')
    const forbidden = await send('/kctr/tasks')
    expect([forbidden.status, forbidden.body.error.code]).to.deep.equal([403, 'forbidden'])
    expect(forbidden.body.error.details).to.deep.equal([{ field: 'permission', message: 'center.tasks.read' }])
  })

  for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
    it(`answers ${code} with ${errorCatalogue[code].status}`, async () => {
      const { status, body, headers } = await send(`/fail/${code}`)
      expect(status).to.equal(errorCatalogue[code].status)
      expect(body).to.have.all.keys('error', 'meta')
      if (code === 'internal') return expect(body.error.details).to.deep.equal([])
      expect(body.error).to.deep.equal({ code, message: 'It is so.', details: [{ field: 'f', message: 'm' }] })
      return expect(headers.has('retry-after')).to.equal([409, 429, 503].includes(status))
    })
  }

  it('answers a rejection of the domain with 422 and its own code', async () => {
    const { status, body } = await send('/fail/rejection')
    expect(status).to.equal(422)
    expect(body.error).to.deep.include({ code: 'insufficient_funds', details: [{ field: 'available', message: '5' }] })
  })

  it('answers a driver error of an engine that is away with 503', async () => {
    const { status, text } = await send('/fail/engine')
    expect(status).to.equal(503)
    expect(text).not.to.contain('ECONNREFUSED')
  })

  for (const path of ['/fail/crash', '/fail/no_such_code', '/bigint', '/header']) {
    it(`tells nothing about the fault behind ${path}, and logs it with its stack`, async () => {
      const { status, body, text } = await send(path, { headers: { 'x-correlation-id': `of${path}` } })
      expect([status, body.error.code, body.error.details]).to.deep.equal([500, 'internal', []])
      expect(text).not.to.match(/secret|TypeError|at /)
      const line = served.lines.find(line => line.trace_id === `of${path}`)
      expect(line).to.include({ level: 'error', user_id: 'ada', message: 'request failed' })
      expect((line!.context as { error: { stack: string } }).error.stack).to.contain('.ts:')
    })
  }

  it('answers unknown paths with 404 and wrong methods with 405 and Allow', async () => {
    for (const path of ['/nowhere', '/kwlt', '/kwlt/wallets//credits', '/kwlt/wallets/a/b/c', '/', '']) {
      const { status, body } = await send(path)
      expect([path, status, body.error.code]).to.deep.equal([path, 404, 'route_not_found'])
    }
    const outside = await fetch(`${served.url}/elsewhere`)
    expect([outside.status, ((await outside.json()) as { error: { code: string } }).error.code]).to.deep.equal([
      404,
      'route_not_found',
    ])
    const { status, body, headers } = await send('/kwlt/wallets/w', { method: 'PATCH' })
    expect([status, body.error.code]).to.deep.equal([405, 'method_not_allowed'])
    expect(headers.get('allow')).to.equal('GET, DELETE, HEAD, OPTIONS')
  })

  it('answers malformed percent-encoding with 400', async () => {
    const paths = ['/kwlt/wallets/%', '/kwlt/wallets/%zz', '/kwlt/wallets/%ff', '/kwlt/wallets/%00']
    for (const path of [...paths, '/page?a=%E0%A4', '/page?%00=1', '/page?a=%']) {
      const { status, body } = await send(path)
      expect([path, status, body.error.code]).to.deep.equal([path, 400, 'invalid_parameter'])
    }
  })

  it('lets the pages of configured origins in, and no others', async () => {
    const mine = await send('/page', { headers: { origin: 'https://app.example' } })
    expect(mine.headers.get('access-control-allow-origin')).to.equal('https://app.example')
    const exposed = mine.headers.get('access-control-expose-headers')
    expect(exposed).to.include('ETag').and.include('Kogi-Position').and.include('Idempotency-Key')
    const failed = await send('/nowhere', { headers: { origin: 'https://app.example' } })
    expect(failed.headers.get('access-control-allow-origin')).to.equal('https://app.example')
    const other = await send('/page', { headers: { origin: 'https://evil.example' } })
    expect(other.headers.has('access-control-allow-origin')).to.equal(false)
    expect(other.headers.get('vary')).to.equal('Origin')
    const preflight = await fetch(`${served.url}/api/v1/kwlt/wallets`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).to.equal(204)
    expect(preflight.headers.get('access-control-allow-methods')).to.contain('POST')
    expect(preflight.headers.get('access-control-allow-headers')).to.contain('Idempotency-Key')
  })

  it('answers what is not HTTP in the same form', async () => {
    const malformed = await sendRaw(served.url, 'GET / HTTP/1.1\r\nBad Header\r\n\r\n')
    expect(malformed)
      .to.match(/^HTTP\/1\.1 400 /)
      .and.contain('"invalid_request"')
    const odd = await sendRaw(served.url, 'GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    expect(odd)
      .to.match(/^HTTP\/1\.1 404 /)
      .and.contain('"route_not_found"')
    const long = await sendRaw(served.url, `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(long)
      .to.match(/^HTTP\/1\.1 431 /)
      .and.contain('"headers_too_large"')
  })

  it('counts requests by route, method and status, and none stay in flight', async () => {
    const text = await served.metrics.registry.metrics()
    expect(text).to.match(
      /http_requests_total\{method="GET",route="\/kwlt\/wallets\/:id",status="200",service="test"\} [1-9]/,
    )
    expect(text).to.match(/http_requests_total\{method="GET",route="unmatched",status="404"/)
    expect(text).to.match(/http_request_duration_seconds_count\{/)
    expect(text).to.match(/http_requests_in_flight\{service="test"\} 0/)
  })

  it('refuses to start with routes that collide or aliases that lead nowhere', async () => {
    const twice = [route('GET', '/a/:x', echo), route('GET', '/a/:y', echo)]
    expect(await serve({ routes: twice }).catch(error => error.message)).to.contain('Two routes answer GET /a/:y')
    expect(await serve({ aliases: { '/b': '/a' } }).catch(error => error.message)).to.contain('no route has')
  })
})
