import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import { type Client, inLanes } from '../support/client.ts'
import { openStream, type Stream } from './clients.ts'

/** Tries of the promise that what was announced can be read. */
const TRIES = process.env.KOGI_LONG ? 10_000 : 300

describe('the event stream', function stream() {
  this.timeout(120_000 + TRIES * 60)
  let app: App
  let acme: Client
  const opened: Stream[] = []
  before(async () => {
    app = await startApp({ env: { KOGI_LIVE_HEARTBEAT_MS: '300', KOGI_LIVE_CONNECTIONS_PER_ORG: '5' } })
    acme = await app.clientOf('acme')
  })
  afterEach(() => {
    for (const each of opened.splice(0)) each.close()
  })
  after(() => app?.close())

  const tokenOf = (org: string, role = 'organization-admin', ttlSeconds = 600) =>
    issueToken(app.config, { org, subject: 'tester', roles: [role], ttlSeconds })
  const open = async (path = '', { org = 'acme', role = 'organization-admin', headers = {} } = {}) => {
    const made = await openStream(app.url, await tokenOf(org, role), path, headers)
    opened.push(made)
    return made
  }
  const add = async (id: string, client = acme) => {
    const { status, headers } = await client.call('POST', '/api/v1/kbfc/items', { body: { id, name: id } })
    expect(status).to.equal(201)
    return String(headers['kogi-position'])
  }

  it('tells what happens from now on, each event once, in order, under its position', async () => {
    const before = await add('before')
    await acme.call('GET', `/api/v1/kbfc/items?at_least=${before}`)
    const { events, frames, headers, status, until } = await open()
    expect([status, headers['content-type']]).to.deep.equal([200, 'text/event-stream; charset=utf-8'])
    const positions: string[] = []
    for (let n = 0; n < 5; n++) positions.push(await add(`now-${n}`))
    await until(() => events.length === 5)
    expect(events.map(({ position }) => position)).to.deep.equal(positions)
    expect(frames.filter(({ data }) => data).map(({ id }) => id)).to.deep.equal(positions)
    expect(events[0]).to.include({ type: 'ItemAdded', category: 'item', id: 'now-0', revision: '0', actor: 'tester' })
  })

  it('begins behind a position, and behind the last id of a client that comes again', async () => {
    const [first, second, third] = [await add('p1'), await add('p2'), await add('p3')]
    const { events, until } = await open(`?after=${first}`)
    await until(() => events.length === 2)
    expect(events.map(({ position }) => position)).to.deep.equal([second, third])
    const again = await open(`?after=${first}`, { headers: { 'last-event-id': second } })
    await again.until(() => again.events.length === 1)
    expect(again.events[0]!.position).to.equal(third)
    const all = await open('?after=0')
    await all.until(() => all.events.some(({ position }) => position === third))
    const found = all.events.map(({ position }) => BigInt(position!))
    expect(found).to.deep.equal([...new Set(found)].sort((a, b) => (a < b ? -1 : 1)))
  })

  it('takes the position of a write that is not visible yet, and refuses one that no event has', async () => {
    const after = await add('fresh')
    const { status } = await open(`?after=${after}`)
    expect(status).to.equal(200)
    const beyond = await open('?after=9000000000000000000')
    expect([beyond.status, (await beyond.body()).error.code]).to.deep.equal([503, 'not_yet_visible'])
    expect((await open('?after=x')).status).to.equal(400)
    expect((await open('', { headers: { 'last-event-id': 'x' } })).status).to.equal(400)
    expect((await open('?category=nothing')).status).to.equal(400)
  })

  it('leaves out what was not asked for, and moves the id on past it', async () => {
    const after = await add('filtered')
    await add('other')
    await acme.call('PUT', '/api/v1/kbfc/items/filtered/status', { body: { status: 'active' } })
    await acme.call('POST', '/api/v1/kctr/tasks', { body: { id: 'filtered', name: 'a task' } })
    const byId = await open(`?after=${after}&id=filtered&category=item`)
    await byId.until(() => byId.events.length === 1)
    expect(byId.events[0]!.type).to.equal('ItemStatusChanged')
    const byTypes = await open(`?after=${after}&types=TaskCreated,ItemAdded`)
    await byTypes.until(() => byTypes.events.length === 2)
    expect(byTypes.events.map(({ id }) => id)).to.deep.equal(['other', 'filtered'])
    const last = byTypes.events[1]!.position!
    await byId.until(() => byId.frames.some(({ comment, id }) => comment === 'heartbeat' && id! >= last))
    expect(byId.events).to.have.length(1)
    await acme.call('PUT', '/api/v1/kbfc/items/filtered/status', { body: { status: 'completed' } })
    await byId.until(() => byId.events.length === 2)
  })

  it('tells a caller what they may read, and no more of it', async () => {
    const wallets = await open('?category=wallet', { role: 'guest' })
    expect([wallets.status, (await wallets.body()).error.code]).to.deep.equal([403, 'forbidden'])
    const guest = await open('', { role: 'guest' })
    await acme.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'closed', kind: 'business', holder: 'Mira' } })
    await acme.call('POST', '/api/v1/koff/notes', { body: { id: 'closed', title: 'a note' } })
    await add('open')
    await guest.until(() => guest.events.length === 1)
    expect(Object.keys(guest.events[0]!)).to.have.members([
      'position',
      'event_id',
      'category',
      'id',
      'type',
      'revision',
      'at',
    ])
    expect(guest.events[0]).to.include({ type: 'ItemAdded', id: 'open' })
    expect((await openStream(app.url, 'none', '')).status).to.equal(401)
  })

  it('tells nobody of another organization', async () => {
    const other = await open('?after=0', { org: 'other' })
    const position = await add('ours')
    const own = await add('theirs', await app.clientOf('other'))
    await other.until(() => other.events.length > 0)
    expect(other.events.map(({ position, id }) => [position, id])).to.deep.equal([[own, 'theirs']])
    expect(BigInt(own) > BigInt(position)).to.equal(true)
  })

  it(`announces only what can be read, ${TRIES} times`, async () => {
    const { events, until } = await open('?types=ItemAdded')
    let read = 0
    const ids = Array.from({ length: TRIES }, (_, n) => `try-${n}`)
    const writing = inLanes(ids, 8, async id => void (await add(id)))
    while (read < TRIES) {
      await until(() => events.length > read, 30_000)
      const fresh = events.slice(read)
      read += fresh.length
      await inLanes(fresh, 16, async ({ id, position }) => {
        const { status, body } = await acme.call('GET', `/api/v1/kbfc/items/${id}`)
        expect([status, body.data?.id], `${id} at ${position}`).to.deep.equal([200, id])
        expect(BigInt(body.meta.position) >= BigInt(position!)).to.equal(true)
      })
    }
    await writing
    expect(new Set(events.map(({ id }) => id)).size).to.equal(TRIES)
  })

  it('has as many connections as an organization may have, and room again once one is closed', async () => {
    const streams = []
    for (let n = 0; n < 5; n++) streams.push(await open())
    const refused = await open()
    expect([refused.status, refused.headers['retry-after']]).to.deep.equal([429, '1'])
    expect((await open('', { org: 'roomy' })).status).to.equal(200)
    streams[0]!.close()
    for (;;) {
      const { status } = await open()
      if (status === 200) break
      expect(status).to.equal(429)
    }
  })

  it('ends with the token', async () => {
    const token = await tokenOf('acme', 'viewer', 1)
    const stream = await openStream(app.url, token, '')
    opened.push(stream)
    await stream.until(() => stream.isOver())
    const { event, data } = stream.frames.at(-1)!
    expect([event, JSON.parse(data!).code]).to.deep.equal(['end', 'token_ended'])
    expect((await openStream(app.url, token, '')).status).to.equal(401)
  })
})
