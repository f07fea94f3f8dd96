import { expect } from 'chai'
import { networksOf } from '../../infra/webhooks/addresses.ts'
import { poster, retryAfterOf } from '../../infra/webhooks/post.ts'
import { type Receiver, startReceiver } from './receiver.ts'

const LOOPBACK = networksOf(['127.0.0.0/8'])
const NONE = networksOf([])

describe('a post to a webhook', () => {
  let receiver: Receiver
  beforeEach(async () => {
    receiver = await startReceiver()
  })
  afterEach(() => receiver.close())
  const post = poster({ networks: LOOPBACK, timeoutMs: 2_000 })
  const outcome = async (url = receiver.url, using = post) => {
    const { latencyMs, ...rest } = await using(url, { 'x-mark': 'm' }, '{"a":"ž"}')
    expect(latencyMs).to.be.within(0, 60_000)
    return rest
  }

  it('brings headers and body, and the status back', async () => {
    expect(await outcome()).to.deep.equal({ status: 204 })
    const [{ headers, body }] = receiver.received as [Receiver['received'][0]]
    expect([headers['x-mark'], headers['content-length'], body]).to.deep.equal(['m', '10', '{"a":"ž"}'])
  })
  it('fails with another status than success, and follows no redirect', async () => {
    for (const code of [301, 302, 307, 400, 410, 429, 500, 503]) {
      receiver.answer = answer => answer.writeHead(code, { location: '/elsewhere' }).end()
      expect(await outcome()).to.deep.equal({ status: code, failure: 'status' })
    }
    expect(new Set(receiver.received.map(({ path }) => path))).to.deep.equal(new Set(['/hook']))
  })
  it('tells for how long the receiver asks to be left alone', async () => {
    receiver.answer = answer => void answer.writeHead(429, { 'retry-after': '120' }).end()
    expect(await outcome()).to.deep.equal({ status: 429, failure: 'status', retryAfterMs: 120_000 })
    receiver.answer = answer => void answer.writeHead(200, { 'retry-after': '120' }).end()
    expect(await outcome()).to.deep.equal({ status: 200 })
    const now = Date.UTC(1994, 10, 6, 8, 49, 7)
    for (const [field, asked] of [
      [' 7 ', 7_000],
      ['0', 0],
      ['Sun, 06 Nov 1994 08:49:37 GMT', 30_000],
      ['Sun, 06 Nov 1994 08:40:00 GMT', 0],
      ['soon', undefined],
      ['-1', undefined],
      ['1.5', undefined],
      ['1994-11-06T08:49:37Z', undefined],
      [undefined, undefined],
    ] as const) {
      expect(retryAfterOf(field, now), field).to.equal(asked)
    }
  })
  it('reads little of a long answer', async () => {
    let written = 0
    receiver.answer = answer => {
      const chunk = Buffer.alloc(65_536)
      const more = () => {
        while (written < 10_485_760 && !answer.destroyed) {
          written += chunk.length
          if (!answer.write(chunk)) return void answer.once('drain', more)
        }
        answer.end()
      }
      more()
    }
    expect(await outcome()).to.deep.equal({ status: 200 })
    expect(written).to.be.below(10_485_760)
  })
  it('gives up in time, before and after the head of the answer', async () => {
    const hasty = poster({ networks: LOOPBACK, timeoutMs: 150 })
    receiver.answer = () => {}
    expect(await outcome(receiver.url, hasty)).to.deep.equal({ failure: 'timeout' })
    receiver.answer = answer => void answer.writeHead(200).write('x')
    expect(await outcome(receiver.url, hasty)).to.deep.equal({ failure: 'timeout' })
    const silent = poster({ networks: LOOPBACK, timeoutMs: 150, addressesOf: () => new Promise(() => {}) })
    expect(await outcome('https://hooks.example/', silent)).to.deep.equal({ failure: 'timeout' })
  })
  it('names what went wrong where there is no answer', async () => {
    receiver.answer = (_, __, socket) => void socket.end('this is no HTTP\r\n\r\n')
    expect(await outcome()).to.deep.equal({ failure: 'answer_invalid' })
    receiver.answer = (_, __, socket) => void socket.destroy()
    expect(await outcome()).to.deep.equal({ failure: 'connection_failed' })
    expect(await outcome(receiver.url.replace('http:', 'https:'))).to.deep.equal({ failure: 'tls_failed' })
    const nobody = poster({
      networks: LOOPBACK,
      addressesOf: () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' })),
    })
    expect(await outcome('https://hooks.example/', nobody)).to.deep.equal({ failure: 'name_unknown' })
  })
  it('reaches no address of special purposes unless its network is listed', async () => {
    const strict = poster({ networks: NONE })
    expect(await outcome(receiver.url, strict)).to.deep.equal({ failure: 'address_refused' })
    expect(await outcome(receiver.url.replace('127.0.0.1', 'localhost'), strict)).to.deep.equal({
      failure: 'address_refused',
    })
    expect(receiver.received).to.deep.equal([])
  })
  it('looks at what a name leads to: every address, and it goes where it looked', async () => {
    const { port } = new URL(receiver.url)
    const asked: string[] = []
    const leading = (...addresses: string[]) =>
      poster({
        networks: networksOf(['127.0.0.0/8']),
        addressesOf: async name => {
          asked.push(name)
          return addresses.map(address => ({ address, family: 4 }))
        },
      })
    expect(await outcome(`http://hooks.example:${port}/hook`, leading('127.0.0.1'))).to.deep.equal({ status: 204 })
    expect(receiver.received[0]!.headers.host).to.equal(`hooks.example:${port}`)
    expect(asked).to.deep.equal(['hooks.example'])
    const both = leading('127.0.0.1', '10.0.0.1')
    expect(await outcome(`http://hooks.example:${port}/hook`, both)).to.deep.equal({ failure: 'address_refused' })
    expect(await outcome('https://hooks.example/', leading())).to.deep.equal({ failure: 'name_unknown' })
  })
  it('wants https where the network is not listed', async () =>
    expect(
      await outcome(
        'http://hooks.example/',
        poster({ networks: NONE, addressesOf: async () => [{ address: '1.1.1.1', family: 4 }] }),
      ),
    ).to.deep.equal({ failure: 'https_needed' }))
})
