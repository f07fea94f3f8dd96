import type { ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { Agent, get } from 'node:http'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { startChild } from '../../infra/children.ts'
import { mountHealth, type Probe, readyOf } from '../../infra/http/health.ts'
import { route, serve } from '../support/http.ts'
import { patient } from '../support/pace.ts'

const stubborn = path.join(import.meta.dirname, '../support/stubborn.ts')
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

describe('drain', () => {
  /** Emits `begun` when a request is in its route. */
  const requests = new EventEmitter()

  it('lets requests in flight finish, refuses new ones, then closes the parts, last one first', async () => {
    const slow = route('GET', '/slow', () => {
      requests.emit('begun')
      return sleep(150).then(() => ({ data: 'done' }))
    })
    const { url, lifecycle } = await serve({ routes: [slow, route('GET', '/fast', async () => ({ data: 1 }))] })
    const closed: string[] = []
    lifecycle.onStop('b', () => void closed.push('b'))
    lifecycle.onStop('a', () => void closed.push('a'))
    const agent = new Agent({ keepAlive: true })
    const headers = { authorization: 'Bearer x' }
    const open = get(`${url}/api/v1/fast`, { agent, headers })
    const [answer] = await once(open, 'response')
    answer.resume()
    const begun = once(requests, 'begun')
    const inFlight = fetch(`${url}/api/v1/slow`, { headers })
    await begun
    const stopped = lifecycle.stop('test')
    const finished = await inFlight
    expect([finished.status, finished.headers.get('connection')]).to.deep.equal([200, 'close'])
    await stopped
    expect(closed).to.deep.equal(['a', 'b'])
    const error = await fetch(`${url}/api/v1/fast`, { headers }).catch(error => error.cause.code)
    expect(error).to.equal('ECONNREFUSED')
    agent.destroy()
  })

  it('answers 503 `draining` on a connection that is still open', async () => {
    const { url, lifecycle } = await serve({ routes: [route('GET', '/x', async () => ({ data: 1 }))] })
    Object.assign(lifecycle.drain, { draining: true })
    const refused = await fetch(`${url}/api/v1/x`, { headers: { authorization: 'Bearer x' } })
    expect(refused.status).to.equal(503)
    expect(await refused.json()).to.have.nested.property('error.code', 'draining')
    expect(refused.headers.get('retry-after')).to.equal('1')
    await lifecycle.stop('test')
  })

  it('cuts what does not finish in time, after telling it', async () => {
    let aborted = false
    const endless = route('GET', '/endless', ({ signal }) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      requests.emit('begun')
      return new Promise(() => {})
    })
    const { url, lifecycle } = await serve({ routes: [endless], drainTimeoutMs: 100 })
    const begun = once(requests, 'begun')
    const cut = fetch(`${url}/api/v1/endless`, { headers: { authorization: 'Bearer x' } }).catch(error => error.message)
    await begun
    const start = performance.now()
    await lifecycle.stop('test')
    expect(performance.now() - start).to.be.within(90, patient(1_000))
    expect([aborted, await cut]).to.deep.equal([true, 'fetch failed'])
  })

  it('tells a route that its client went away', async () => {
    let onGone: () => void
    const gone = new Promise<void>(resolve => {
      onGone = resolve
    })
    const waiting = route('GET', '/waiting', ({ signal }) => {
      signal.addEventListener('abort', () => onGone())
      requests.emit('begun')
      return new Promise(() => {})
    })
    const { url, lifecycle } = await serve({ routes: [waiting], drainTimeoutMs: 0 })
    const controller = new AbortController()
    const begun = once(requests, 'begun')
    const left = fetch(`${url}/api/v1/waiting`, { headers: { authorization: 'Bearer x' }, signal: controller.signal })
    await begun
    controller.abort()
    await left.catch(() => undefined)
    await gone
    await lifecycle.stop('test')
  })
})

describe('a process', () => {
  let child: ChildProcess
  const out: string[] = []
  const err: string[] = []
  let url: string

  beforeEach(async () => {
    out.length = err.length = 0
    const started = await startChild({ args: [stubborn], ready: /^http/, stderr: 'pipe' })
    child = started.process
    url = started.firstLine
    createInterface({ input: child.stdout! }).on('line', line => out.push(line))
    createInterface({ input: child.stderr! }).on('line', line => err.push(line))
  })
  afterEach(() => child.kill('SIGKILL'))

  it('drains on SIGTERM and exits with 0', async () => {
    const answer = fetch(`${url}/api/v1/wait/200`)
    while (!out.includes('begun')) await sleep(5)
    child.kill('SIGTERM')
    child.kill('SIGTERM')
    expect((await answer).status).to.equal(200)
    const [code] = await once(child, 'exit')
    expect([code, out]).to.deep.equal([0, ['begun', 'engine closed']])
  })

  it('logs an uncaught error as fatal and exits with 1', async () => {
    const exit = once(child, 'exit')
    await fetch(`${url}/api/v1/crash`).catch(() => undefined)
    expect((await exit)[0]).to.equal(1)
    const fatal = err.map(line => JSON.parse(line)).find(line => line.level === 'fatal')
    expect(fatal.context.error.message).to.equal('thrown by a timer')
  })
})

describe('health', () => {
  const states: Record<string, () => Promise<unknown> | unknown> = {
    store: () => ({ position: 12n }),
    database: () => undefined,
  }
  const probes: Probe[] = Object.keys(states).map(name => ({ name, check: () => states[name]!() }))

  it('is ready when every probe is green, and says which one is red', async () => {
    const { url, lifecycle } = await serve({
      mount: (app, { metrics, lifecycle: { drain } }) => mountHealth(app, { probes, metrics, drain }),
    })
    const ready = async () => {
      const response = await fetch(`${url}/health/ready`)
      return {
        status: response.status,
        body: (await response.json()) as { status: string; red: string[]; probes: unknown },
      }
    }
    expect((await fetch(`${url}/health/live`)).status).to.equal(200)
    const green = await ready()
    expect([green.status, green.body.status]).to.deep.equal([200, 'ready'])
    expect(green.body.probes).to.have.nested.property('store.detail.position', '12')
    states.database = () => {
      throw new Error('no answer')
    }
    await sleep(260)
    const red = await ready()
    expect([red.status, red.body.status, red.body.red]).to.deep.equal([503, 'not_ready', ['database']])
    expect(red.body.probes).to.have.nested.property('database.error', 'no answer')
    // Another process that asks for readiness gets this error.
    const heard = await readyOf(url)().catch(error => error.message)
    expect(heard).to.equal('database: no answer')
    states.database = () => undefined
    await sleep(260)
    Object.assign(lifecycle.drain, { draining: true })
    expect((await ready()).body.status).to.equal('draining')
    expect(await (await fetch(`${url}/metrics`)).text()).to.contain('# TYPE http_requests_total counter')
    await lifecycle.stop('test')
    expect(await readyOf(url)().catch(error => error.message)).to.match(/^it does not answer: ./)
  })
})
