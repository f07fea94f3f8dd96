/** The gateway before processes that are made up here: what it counts, passes on and refuses. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { expect } from 'chai'
import WebSocket, { WebSocketServer } from 'ws'
import { gateway } from '../../infra/gateway/gateway.ts'
import { rateLimits } from '../../infra/gateway/limits.ts'
import type { RateRule } from '../../infra/gateway/settings.ts'
import { upstream } from '../../infra/gateway/upstream.ts'
import { createCors } from '../../infra/http/cors.ts'
import { silentLog } from '../../infra/log.ts'

type Handle = (request: IncomingMessage, response: ServerResponse) => void

const servers: Server[] = []
const closers: (() => unknown)[] = []
async function served(handle: Handle): Promise<{ url: string; server: Server }> {
  const server = createServer(handle).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

const echo: Handle = (incoming, response) => {
  const chunks: Buffer[] = []
  incoming.on('data', chunk => chunks.push(chunk))
  incoming.on('end', () => {
    const { method, url, headers } = incoming
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }))
  })
}

type Made = { commands?: string; reads: string; rules?: readonly RateRule[]; timeoutMs?: number; atOnce?: number }
type Sizes = { bodyBytesMax?: number; answerBytesMax?: number; quota?: number }

async function gatewayBefore(made: Made & Sizes): Promise<string> {
  const { rules = [], timeoutMs = 5_000, atOnce = 50, quota, bodyBytesMax = 0, answerBytesMax = 0 } = made
  const [commands, reads] = [made.commands ?? made.reads, made.reads].map(url => upstream({ url, timeoutMs, atOnce }))
  closers.push(commands!.close, reads!.close)
  const handlers = gateway({
    commands: commands!,
    reads: reads!,
    limits: rateLimits(rules),
    senders: async (authorization, address) =>
      authorization === undefined ? { address } : { address, org: 'acme', caller: authorization },
    quotas: async () => (quota === undefined ? [] : [{ of: 'requests_per_day', limit: quota, seconds: 86_400 }]),
    cors: createCors(['https://app.example']),
    always: version => ({ 'X-Content-Type-Options': 'nosniff', ...(version === 'v0' && { Sunset: 'soon' }) }),
    bodyBytesMax,
    answerBytesMax,
    isRead: (_, path) => path === '/search',
    log: silentLog,
  })
  const { url, server } = await served(handlers.request)
  server.on('upgrade', handlers.upgrade)
  return url
}

/** What is answered to bytes until the connection ends. */
async function raw(url: string, text: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).setEncoding('utf8')
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += chunk
  return answer
}

const json = async (answer: Response): Promise<Record<string, never> & { error: { code: string } }> =>
  (await answer.json()) as never

describe('the gateway', () => {
  let commands: string
  let reads: string
  before(async () => {
    commands = (await served((_, response) => response.end('"commands"'))).url
    reads = (await served(echo)).url
  })
  after(() => {
    for (const close of closers) close()
    for (const server of servers) {
      server.closeAllConnections()
      server.close()
    }
  })

  it('sends reads to one process, commands to the other, with who asked and a correlation id', async () => {
    const url = await gatewayBefore({ commands, reads })
    const said = async (path: string, init?: RequestInit) => json(await fetch(`${url}${path}`, init))
    for (const method of ['POST', 'PUT', 'DELETE']) expect(await said('/api/v1/x', { method })).to.equal('commands')
    const read = (await said('/api/v1/x?a=1&b=%2F', { headers: { 'x-forwarded-for': '6.6.6.6' } })) as never as {
      url: string
      headers: Record<string, string>
    }
    expect(read.url).to.equal('/api/v1/x?a=1&b=%2F')
    expect(read.headers['x-forwarded-for']).to.equal('127.0.0.1')
    expect(read.headers['x-correlation-id']).to.match(/^[0-9a-f-]{36}$/)
    const sent = (await said('/api/v1/search', { method: 'POST', body: 'words' })) as never as { body: string }
    expect(sent.body).to.equal('words')
    const named = await fetch(`${url}/api/v0/x`, { headers: { 'x-correlation-id': 'mine' } })
    expect((await json(named)).headers).to.include({ 'x-correlation-id': 'mine' })
    expect([named.headers.get('x-content-type-options'), named.headers.get('sunset')]).to.deep.equal([
      'nosniff',
      'soon',
    ])
    const closed = [
      '/metrics',
      '/metrics/',
      '/METRICS',
      '/metrics?x',
      '//metrics',
      '/%6detrics',
      '/health',
      '/api',
      '/',
    ]
    for (const path of closed) expect((await fetch(`${url}${path}`)).status, path).to.equal(404)
    expect(await raw(url, 'GET http://x/metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).to.match(
      /^HTTP\S+ 404/,
    )
    for (const path of ['/docs', '/openapi.json', '/openapi/koff.json', '/.well-known/x', '/dav/', '/api/v1/ws'])
      expect((await said(path)) as object, path).to.include({ url: path })
  })

  it('says where a body ends, whatever the method and whatever a client says of its connection', async () => {
    const heard: string[] = []
    const { url: behind } = await served((incoming, response) => {
      let body = ''
      incoming.on('data', chunk => {
        body += chunk
      })
      incoming.on('end', () => {
        heard.push(`${incoming.method} ${incoming.url} ${body}`)
        response.end('{}')
      })
    })
    const url = await gatewayBefore({ reads: behind })
    const lines = ['Transfer-Encoding: chunked', 'Content-Length: 5\r\nConnection: content-length']
    for (const method of ['GET', 'DELETE', 'OPTIONS', 'HEAD', 'POST']) {
      for (const line of lines) {
        const body = line.startsWith('T') ? '5\r\nhello\r\n0\r\n\r\n' : 'hello'
        const request = `${method} /api/v1/x HTTP/1.1\r\nHost: x\r\n${line}\r\n\r\n${body}`
        const last = 'GET /api/v1/last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
        expect(await raw(url, request + last)).to.match(/^HTTP\S+ 200/)
        expect(heard.splice(0).sort(), `${method} ${line}`).to.deep.equal(
          [`${method} /api/v1/x hello`, 'GET /api/v1/last '].sort(),
        )
      }
    }
  })

  it('does not hold the upload of a client against a process, and gives one address a part of the places', async () => {
    const url = await gatewayBefore({ commands: reads, reads, timeoutMs: 150, atOnce: 4 })
    const stall = () => raw(url, 'POST /api/v1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf')
    for (let n = 0; n < 6; n += 1) expect(await stall()).to.match(/^HTTP\S+ 408/)
    const both = [stall(), stall()]
    await new Promise(resolve => setTimeout(resolve, 50))
    expect((await fetch(`${url}/api/v1/x`, { method: 'POST' })).status).to.equal(429)
    await Promise.all(both)
    expect((await fetch(`${url}/api/v1/x`, { method: 'POST' })).status).to.equal(200)
  })

  it('passes on no other upgrade than that of the WebSocket, and leaves with a client that leaves first', async () => {
    const { url: silent, server } = await served(echo)
    let upgraded = 0
    const gone = new Promise(resolve =>
      server.on('upgrade', (_, socket) => {
        upgraded += 1
        socket.once('end', resolve).resume()
      }),
    )
    const url = await gatewayBefore({ reads: silent, timeoutMs: 300 })
    const upgrade = (line: string, more = '') =>
      raw(url, `${line} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${more || 'websocket'}\r\n\r\n`)
    const others = ['POST /api/v1/ws', 'GET /metrics', 'GET /api/v1/koff/notes'].map(line => upgrade(line))
    for (const answer of [...others, upgrade('GET /api/v1/ws', 'h2c')]) expect(await answer).to.match(/^HTTP\S+ 400/)
    expect(upgraded).to.equal(0)
    expect(await upgrade('GET /api/v1/ws')).to.match(/^HTTP\S+ 503/)
    await gone
    const { hostname, port } = new URL(url)
    const again = once(server, 'upgrade')
    const left = connect(Number(port), hostname)
    left.write('GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    const [, socket] = await again
    left.destroy()
    await once(socket, 'end')
  })

  it('passes bytes on as they come, both ways, and gives up with the client', async () => {
    let gone: Promise<unknown> | undefined
    const { url: slow } = await served((incoming, response) => {
      gone = once(response, 'close')
      incoming.on('data', chunk => response.write(chunk))
    })
    const url = new URL(await gatewayBefore({ reads: slow }))
    const sent = request({ hostname: url.hostname, port: url.port, method: 'POST', path: '/api/v1/x' })
    sent.write('one')
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    const heard = async () => String((await once(answer, 'data'))[0])
    expect(await heard()).to.equal('one')
    sent.write('two')
    expect(await heard()).to.equal('two')
    answer.on('error', () => {})
    sent.destroy()
    await gone
  })

  it('joins WebSockets with the reads', async () => {
    const { url: live, server } = await served(echo)
    new WebSocketServer({ server }).on('connection', it => it.on('message', text => it.send(`heard ${text}`)))
    const socket = new WebSocket(`${(await gatewayBefore({ reads: live })).replace('http', 'ws')}/api/v1/ws`)
    await once(socket, 'open')
    socket.send('hello')
    expect(String((await once(socket, 'message'))[0])).to.equal('heard hello')
    socket.close()
    await once(socket, 'close')
  })

  it('counts callers, organizations, addresses and paths, and says so', async () => {
    const rule = (of: string, limit: number) => ({ of, limit, seconds: 60 })
    const rules = [rule('caller', 3), rule('org', 5), rule('address', 1), rule('/koff/notes', 1)]
    const url = await gatewayBefore({ reads, rules })
    const ask = (caller: string | undefined, path = '/x') =>
      fetch(`${url}/api/v1${path}`, {
        headers: { ...(caller && { authorization: caller }), origin: 'https://app.example' },
      })
    const first = await ask('mira')
    expect(first.headers.get('ratelimit-policy')).to.equal('"caller";q=3;w=60, "org";q=5;w=60')
    expect(first.headers.get('ratelimit')).to.match(/^"caller";r=2;t=\d+, "org";r=4;t=\d+$/)
    expect([(await ask('mira')).status, (await ask('mira')).status]).to.deep.equal([200, 200])
    const refused = await ask('mira')
    expect([refused.status, (await json(refused)).error.code]).to.deep.equal([429, 'too_many_requests'])
    expect(Number(refused.headers.get('retry-after'))).to.be.within(55, 60)
    expect(refused.headers.get('access-control-allow-origin')).to.equal('https://app.example')
    // The organization has one left, though the caller has three.
    expect([(await ask('jon')).status, (await ask('jon')).status]).to.deep.equal([200, 429])
    expect([(await ask(undefined)).status, (await ask(undefined)).status]).to.deep.equal([200, 429])
    const other = await gatewayBefore({ reads, rules: [rule('/koff/notes', 1)] })
    const paths = ['/koff/notes', '/koff/notes/n', '/koff/notesx']
    const found = []
    for (const path of paths) found.push((await fetch(`${other}/api/v1${path}`)).status)
    expect(found).to.deep.equal([200, 429, 200])
  })

  it('counts what operators let an organization use', async () => {
    const url = await gatewayBefore({ reads, quota: 1 })
    const ask = () => fetch(`${url}/api/v1/x`, { headers: { authorization: 'mira' } })
    expect([(await ask()).status, (await ask()).status]).to.deep.equal([200, 429])
  })

  it('refuses bodies and answers that are too long, and cuts off what grows beyond', async () => {
    const { url: long } = await served((_, response) => {
      for (let n = 0; n < 50; n += 1) response.write('x'.repeat(1_000))
      response.end()
    })
    const url = await gatewayBefore({ commands: reads, reads: long, bodyBytesMax: 1_000, answerBytesMax: 10_000 })
    const post = (body: string | ReadableStream, more: object = {}) =>
      fetch(`${url}/api/v1/x`, { method: 'POST', body, ...more })
    expect((await post('x'.repeat(1_000))).status).to.equal(200)
    expect((await post('x'.repeat(1_001))).status).to.equal(413)
    const stream = new ReadableStream({
      start(to) {
        for (let n = 0; n < 5; n += 1) to.enqueue(new TextEncoder().encode('x'.repeat(400)))
        to.close()
      },
    })
    expect((await post(stream, { duplex: 'half' })).status).to.equal(413)
    const cut = await fetch(`${url}/api/v1/x`)
      .then(answer => answer.text())
      .catch(() => 'cut')
    expect(cut).to.equal('cut')
  })

  it('leaves a process alone that does not answer, and asks again after a rest', async () => {
    const { url: dead, server } = await served(echo)
    const port = Number(new URL(dead).port)
    const url = await gatewayBefore({ commands, reads: dead })
    await new Promise(resolve => server.close(resolve))
    const codes = []
    for (let n = 0; n < 6; n += 1) codes.push((await json(await fetch(`${url}/api/v1/x`))).error)
    for (const error of codes) expect(error.code).to.equal('engine_unavailable')
    expect(JSON.stringify(codes.at(-1))).to.include('for a while')
    expect((await fetch(`${url}/api/v1/x`, { method: 'POST' })).status).to.equal(200)
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
    expect((await fetch(`${url}/api/v1/x`)).status).to.equal(503)
  })

  it('answers for a process that takes too long, and bounds those that wait for one', async () => {
    const { url: silent } = await served(() => {})
    const url = await gatewayBefore({ reads: silent, timeoutMs: 200, atOnce: 1 })
    const codes = await Promise.all([1, 2, 3].map(async () => (await json(await fetch(`${url}/api/v1/x`))).error.code))
    expect(codes.sort()).to.deep.equal(['engine_unavailable', 'engine_unavailable', 'too_many_requests'])
  })
})
