import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { echo, route, type Served, sendRaw, serve } from '../support/http.ts'

const JSON_TYPE = { authorization: 'Bearer x', 'content-type': 'application/json' }

describe('HTTP bodies', () => {
  let served: Served

  before(async () => {
    served = await serve({ routes: [route('POST', '/kwlt/wallets/:id/credits', echo)] })
  })
  after(() => served.lifecycle.stop('test'))

  type Init = RequestInit & { headers?: Record<string, string> }
  async function send(path: string, init: Init = {}) {
    const headers = { authorization: 'Bearer x', ...init.headers }
    const response = await fetch(`${served.url}/api/v1${path}`, { ...init, headers })
    const text = await response.text()
    return { status: response.status, headers: response.headers, text, body: text ? JSON.parse(text) : undefined }
  }
  const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    send('/kwlt/wallets/w1/credits', { method: 'POST', body, headers: { ...JSON_TYPE, ...headers } })

  const badJson: Record<string, string> = {
    '   ': 'line 1, column 4',
    '{': 'line 1, column 2',
    '{"a":}': 'line 1, column 6',
    '{"a":1,}': 'line 1, column 8',
    '[1,]': 'line 1, column 4',
    '{"a" 1}': 'line 1, column 6',
    '{\n  "a": 1\n  "b": 2}': 'line 3, column 3',
    '{a:1}': 'line 1, column 2',
    "{'a':1}": 'line 1, column 2',
    '01': 'line 1, column 2',
    NaN: 'line 1, column 1',
    '[1]]': 'line 1, column 4',
    '{"a":"\u0001"}': 'line 1, column 6',
    '{"a":"\\x"}': 'line 1, column 6',
    '"open': 'line 1, column 1',
    tru: 'line 1, column 1',
    '{}{}': 'line 1, column 3',
    [`${'['.repeat(65)}${']'.repeat(65)}`]: 'line 1, column 65',
  }
  for (const [text, place] of Object.entries(badJson)) {
    it(`points to the fault in ${JSON.stringify(text.slice(0, 24))}`, async () => {
      const { status, body } = await post(text)
      expect([status, body.error.code]).to.deep.equal([400, 'invalid_json'])
      expect(body.error.message).to.contain(place)
    })
  }

  it('takes a byte order mark and 64 levels, but no other encoding than UTF-8', async () => {
    expect((await post('\ufeff{"a":1}')).body.data.body).to.deep.equal({ a: 1 })
    expect((await post(`${'['.repeat(64)}${']'.repeat(64)}`)).status).to.equal(200)
    expect((await post('{"a":"[[[[ \\" ]"}')).status).to.equal(200)
    const { status, body } = await post(new Uint8Array([0x22, 0xff, 0x22]))
    expect([status, body.error.code]).to.deep.equal([400, 'invalid_json'])
  })

  it('answers 415 to what is not plain JSON in UTF-8', async () => {
    const types = [
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=latin1',
      'application/jsonp',
      '',
    ]
    for (const type of types) {
      const { status, body } = await post('{}', { 'content-type': type })
      expect([type, status, body.error.code]).to.deep.equal([type, 415, 'unsupported_media_type'])
    }
    expect((await post(new Uint8Array(gzipSync('{}')), { 'content-encoding': 'gzip' })).status).to.equal(415)
    for (const type of ['application/json; charset=UTF-8', 'Application/JSON', 'application/merge-patch+json']) {
      expect((await post('{}', { 'content-type': type })).status, type).to.equal(200)
    }
  })

  it('answers 413 to a body over the limit, announced or not', async () => {
    const large = JSON.stringify('x'.repeat(100_000))
    const announced = await post(large)
    expect([announced.status, announced.body.error.code]).to.deep.equal([413, 'body_too_large'])
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 50; i++) controller.enqueue(new TextEncoder().encode('x'.repeat(10_000)))
        controller.close()
      },
    })
    const init = { method: 'POST', body: stream, duplex: 'half', headers: JSON_TYPE }
    expect((await send('/kwlt/wallets/w1/credits', init as Init)).status).to.equal(413)
    expect((await post(JSON.stringify('x'.repeat(2_046)))).status).to.equal(200)
  })

  it('takes an empty body for none', async () => {
    const head =
      'POST /api/v1/kwlt/wallets/w/credits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nConnection: close\r\n'
    const sent = `${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`
    expect(await sendRaw(served.url, sent)).to.match(/^HTTP\/1\.1 200 /)
  })

  it('says of a body that ends too early that it was not whole', async () => {
    const counted = async () => {
      const text = await served.metrics.registry.metrics()
      expect(text).to.match(/http_requests_in_flight\{[^}]*\} 0/)
      return Number(/http_requests_total\{[^}]*status="400"[^}]*\} (\d+)/.exec(text)![1])
    }
    const before = await counted()
    const head = 'POST /api/v1/kwlt/wallets/w/credits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n'
    const bytes = `${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a"`
    const port = Number(new URL(served.url).port)
    const gone = connect(port, '127.0.0.1')
    gone.write(bytes)
    await new Promise(resolve => setTimeout(resolve, 30))
    gone.destroy()
    await new Promise(resolve => setTimeout(resolve, 30))
    const listening = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    listening.end(bytes)
    let answer = ''
    for await (const chunk of listening) answer += chunk
    expect(answer).to.match(/^HTTP\/1\.1 400 .*"invalid_request"/s)
    expect(await counted()).to.equal(before + 2)
  })
})
