import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { echo, route, type Served, sendRaw, serve } from '../support/http.ts'

const AUTH = 'Authorization: Bearer x\r\n'
const get = (path: string, headers = '') => `GET /api/v1${path} HTTP/1.1\r\nHost: x\r\n${AUTH}${headers}\r\n`
const post = (headers: string, body = '') =>
  `POST /api/v1/things HTTP/1.1\r\nHost: x\r\n${AUTH}Content-Type: application/json\r\n${headers}\r\n${body}`

/** The answers of a connection: status and code, or the data of a good one. */
function answersOf(text: string): (readonly [number, string])[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter(answer => answer.startsWith('HTTP/1.1') && !answer.startsWith('HTTP/1.1 100'))
    .map(answer => {
      const [head, body = ''] = answer.split('\r\n\r\n') as [string, string?]
      expect(head).to.match(/content-type: application\/json/i)
      const { error, data } = JSON.parse(body)
      return [Number(head.slice(9, 12)), error ? error.code : String(data.name ?? data.body?.n ?? 'ok')] as const
    })
}

describe('HTTP connections', () => {
  let served: Served
  let atWork = 0
  let mostAtWork = 0
  let begun = 0
  const slow = route('GET', '/slow/:name', async ({ params }) => {
    begun += 1
    mostAtWork = Math.max(mostAtWork, ++atWork)
    await sleep(20)
    atWork -= 1
    return { data: { name: params.name } }
  })

  before(async () => {
    served = await serve({ routes: [slow, route('POST', '/things', echo), route('GET', '/things', echo)] })
  })
  beforeEach(() => {
    begun = mostAtWork = 0
  })
  after(() => served.lifecycle.stop('test'))
  const send = async (bytes: string) => answersOf(await sendRaw(served.url, bytes))

  const refused: [what: string, bytes: string, status: number, code: string][] = [
    ['no Host', 'GET /api/v1/things HTTP/1.1\r\n\r\n', 400, 'invalid_request'],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['a Host that is none', 'GET / HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'invalid_request'],
    ['an unknown Expect', get('/things', 'Expect: 200-maybe\r\n'), 417, 'expectation_failed'],
    ['CONNECT', 'CONNECT db:5432 HTTP/1.1\r\nHost: db\r\n\r\n', 405, 'method_not_allowed'],
    ['a method that is none', 'FETCH / HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['a request line that is none', 'hello\r\n\r\n', 400, 'invalid_request'],
    ['another version', 'GET / HTTP/3.0\r\nHost: x\r\n\r\n', 400, 'invalid_request'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request'],
    ['a header that is none', 'GET / HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n', 400, 'invalid_request'],
    ['two lengths', post('Content-Length: 2\r\nContent-Length: 3\r\n', '{}'), 400, 'invalid_request'],
    ['a length that is none', post('Content-Length: -1\r\n', '{}'), 400, 'invalid_request'],
    ['a length and chunks', post('Content-Length: 2\r\nTransfer-Encoding: chunked\r\n', '{}'), 400, 'invalid_request'],
    [
      'another transfer coding',
      post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
      501,
      'transfer_coding_unsupported',
    ],
    ['chunks that are none', post('Transfer-Encoding: chunked\r\n', '2\r\n{}\r\nzz\r\n'), 400, 'invalid_request'],
    ['two keys', post('Idempotency-Key: a\r\nIdempotency-Key: b\r\nContent-Length: 0\r\n'), 400, 'invalid_request'],
    ['two tokens', get('/things', AUTH), 400, 'invalid_request'],
    ['two positions', get('/things', 'Kogi-Min-Position: 1\r\nkogi-min-position: 2\r\n'), 400, 'invalid_request'],
    ['two types', post('Content-Type: text/plain\r\nContent-Length: 0\r\n'), 400, 'invalid_request'],
  ]
  for (const [what, bytes, status, code] of refused) {
    it(`answers ${what} with ${code}, alone and behind requests that are well-formed`, async () => {
      expect(await send(bytes)).to.deep.equal([[status, code]])
      expect(await send(get('/slow/a') + get('/slow/b') + bytes)).to.deep.equal([
        [200, 'a'],
        [200, 'b'],
        [status, code],
      ])
    })
  }

  it('does not begin what comes behind a refusal, because the connection ends with it', async () => {
    const bad = 'GET /api/v1/things HTTP/1.1\r\n\r\n'
    expect(await send(bad + get('/slow/never'))).to.deep.equal([[400, 'invalid_request']])
    expect(begun).to.equal(0)
  })

  it('answers a body that turns malformed in the place of its request', async () => {
    const answers = await send(get('/slow/a') + post('Transfer-Encoding: chunked\r\n', '5\r\n{"n":\r\nxyz'))
    expect(answers).to.deep.equal([
      [200, 'a'],
      [400, 'invalid_request'],
    ])
  })

  it('works on few of the requests of a connection at once, and answers all of them in order', async () => {
    const names = Array.from({ length: 100 }, (_, n) => String(n))
    const last = get('/slow/last', 'Connection: close\r\n')
    const answers = await send(names.map(name => get(`/slow/${name}`)).join('') + last)
    expect(answers.map(([, name]) => name)).to.deep.equal([...names, 'last'])
    expect(mostAtWork).to.be.within(2, 8)
  })

  it('reads the bodies of requests that waited', async () => {
    const bodies = Array.from({ length: 40 }, (_, n) => JSON.stringify({ n, pad: 'x'.repeat(1_500) }))
    const commands = bodies.map(body => post(`Content-Length: ${body.length}\r\n`, body)).join('')
    const answers = await send(commands + get('/slow/end', 'Connection: close\r\n'))
    expect(answers.map(([, name]) => name)).to.deep.equal([...bodies.map((_, n) => String(n)), 'end'])
  })

  it('begins nothing that still waits when the client leaves', async () => {
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
    socket.write(get('/slow/x').repeat(50))
    while (begun === 0) await sleep(2)
    socket.destroy()
    await sleep(100)
    expect(begun).to.be.below(50)
    expect(atWork).to.equal(0)
  })

  it('answers HTTP/1.0 without a Host', async () => {
    const old = await sendRaw(served.url, `GET /api/v1/things HTTP/1.0\r\n${AUTH}\r\n`)
    expect(old).to.match(/^HTTP\/1\.1 200 /)
  })

  it('answers 100-continue before the body comes', async () => {
    const body = '{"n":7}'
    const text = await sendRaw(
      served.url,
      post(`Expect: 100-continue\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`, body),
    )
    expect(text).to.match(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  it('lets every request of a connection finish while the process drains', async () => {
    const other = await serve({ routes: [slow] })
    const answers = sendRaw(other.url, get('/slow/a') + get('/slow/b'))
    while (begun < 2) await sleep(1)
    await other.lifecycle.stop('test')
    expect(answersOf(await answers).map(([, name]) => name)).to.deep.equal(['a', 'b'])
  })

  it('cuts a connection whose client goes on sending behind the last answer', async () => {
    const socket = connect(Number(new URL(served.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.write('hello\r\n\r\n')
    const closed = new Promise(resolve => socket.once('close', resolve))
    for (let n = 0; n < 5; n++) {
      await sleep(5)
      socket.write('more\r\n')
    }
    socket.resume()
    await closed
  })
})
