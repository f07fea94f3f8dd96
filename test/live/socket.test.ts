import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { expect } from 'chai'
import { issueToken } from '../../infra/auth/dev-keys.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'
import { sendRaw } from '../support/http.ts'
import { type Message, openSocket, type SocketClient } from './clients.ts'

describe('the WebSocket', function webSocket() {
  this.timeout(60_000)
  let app: App
  let acme: Client
  const opened: SocketClient[] = []
  before(async () => {
    const env = { KOGI_LIVE_HEARTBEAT_MS: '300', KOGI_LIVE_CONNECTIONS: '6', KOGI_CORS_ORIGINS: 'https://app.example' }
    app = await startApp({ env: { ...env, KOGI_LIVE_CONNECTIONS_PER_ORG: '4' } })
    acme = await app.clientOf('acme')
    await write('POST', '/kctr/projects', { id: 'p', name: 'Project' })
  })
  afterEach(async () => {
    for (const each of opened) each.close()
    for (const each of opened.splice(0)) await each.until(() => each.closed() !== undefined)
  })
  after(() => app?.close())

  const write = async (method: string, path: string, body?: object, client = acme) => {
    const { status, headers, body: answer } = await client.call(method, `/api/v1${path}`, { body })
    expect(status, JSON.stringify(answer)).to.be.below(300)
    return String(headers['kogi-position'])
  }
  const tokenOf = (org: string, role = 'organization-admin', ttlSeconds = 600, subject = 'tester') =>
    issueToken(app.config, { org, subject, roles: [role], ttlSeconds })
  const connect = async (headers = {}) => {
    const made = await openSocket(app.url, headers)
    opened.push(made)
    return made
  }
  /** A socket that listens to channels, as the client of the protocol's description does: without a pause between. */
  const listen = async (channels: string[], { org = 'acme', role = 'organization-admin', after = '' } = {}) => {
    const socket = await connect()
    socket.send({ type: 'auth', token: await tokenOf(org, role), requestId: 'a' })
    socket.send({ type: 'subscribe', channels, requestId: 's', ...(after && { after }) })
    await socket.until(() => socket.messages.length >= 2)
    const events = () => socket.messages.filter(({ type }) => type.includes('.'))
    return { ...socket, events }
  }
  const named = (messages: readonly Message[]) =>
    messages.map(({ type, channel, data }) => `${type} ${channel} ${data.id}`)
  const visible = (position: string) => acme.call('GET', `/api/v1/kctr/tasks?at_least=${position}`)

  it('tells of the things of its channels, made, changed and gone, with the position of each', async () => {
    await visible(await write('PATCH', '/kctr/projects/p', { name: 'Project 1' }))
    const { messages, events, until } = await listen(['briefcase:tester', 'project:p', 'user:other'])
    expect(messages.map(({ type, requestId }) => [type, requestId])).to.deep.equal([
      ['authenticated', 'a'],
      ['subscribed', 's'],
    ])
    expect(messages[1]!.data).to.deep.equal({
      channels: ['briefcase:tester', 'project:p'],
      refused: [
        { channel: 'user:other', code: 'forbidden', message: 'Only a user may listen to their notifications.' },
      ],
    })
    const positions = [
      await write('POST', '/kctr/tasks', { id: 't', name: 'a task', project: 'p' }),
      await write('PUT', '/kctr/tasks/t/status', { status: 'started' }),
      await write('POST', '/kbfc/items', { id: 'i', name: 'an item' }),
      await write('POST', '/koff/notes', { id: 'n', title: 'a note', body: 'private', project: 'p' }),
      await write('DELETE', '/koff/notes/n'),
      await write('PATCH', '/kctr/projects/p', { name: 'Project 2' }),
      await write('DELETE', '/kbfc/items/i'),
    ]
    await until(() => events().length === 7)
    expect(named(events())).to.deep.equal([
      'task.created project:p t',
      'task.updated project:p t',
      'item.created briefcase:tester i',
      'note.created project:p n',
      'note.deleted project:p n',
      'project.updated project:p p',
      'item.deleted briefcase:tester i',
    ])
    expect(events().map(({ position }) => position)).to.deep.equal(positions)
    expect(JSON.stringify(events())).not.to.include('private')
    expect(Object.keys(events()[0]!)).to.have.members(['type', 'channel', 'data', 'timestamp', 'position'])
  })

  it('tells both projects of a thing that moves from one to the other', async () => {
    await write('POST', '/kctr/projects', { id: 'q', name: 'Other' })
    await visible(await write('POST', '/koff/notes', { id: 'moved', title: 'moves', project: 'p' }))
    const { events, until } = await listen(['project:q', 'project:p'])
    await write('PATCH', '/koff/notes/moved', { project: 'q' })
    await write('PATCH', '/koff/notes/moved', { title: 'stays' })
    await until(() => events().length === 3)
    expect(named(events()).sort()).to.deep.equal([
      'note.updated project:p moved',
      'note.updated project:q moved',
      'note.updated project:q moved',
    ])
  })

  it('begins behind a position, and sends nothing twice when a channel is added that begins earlier', async () => {
    const after = await write('POST', '/kctr/tasks', { id: 'r1', name: 'one', project: 'p' })
    await write('POST', '/kctr/tasks', { id: 'r2', name: 'two', project: 'p' })
    await visible(await write('POST', '/kbfc/items', { id: 'r3', name: 'three' }))
    const { events, until, send } = await listen(['project:p'], { after })
    await until(() => events().length === 1)
    send({ type: 'subscribe', channels: ['briefcase:tester'], after })
    await until(() => events().length === 2)
    await write('POST', '/kctr/tasks', { id: 'r4', name: 'four', project: 'p' })
    await until(() => events().length === 3)
    expect(events().map(({ data }) => data.id)).to.deep.equal(['r2', 'r3', 'r4'])
    send({ type: 'unsubscribe', channels: ['project:p'], requestId: 'u' })
    await write('POST', '/kctr/tasks', { id: 'r5', name: 'five', project: 'p' })
    await write('POST', '/kbfc/items', { id: 'r6', name: 'six' })
    await until(() => events().length === 4)
    expect(events().at(-1)!.data.id).to.equal('r6')
  })

  it('refuses channels that there are not, or that the caller may not read, and keeps the others', async () => {
    const { messages } = await listen(['project:p', 'wallet:w', 'project:', 'nothing', 'user:mira'], {
      role: 'guest',
    })
    const { channels, refused } = messages[1]!.data
    expect(channels).to.deep.equal(['project:p'])
    expect(refused.map(({ channel, code }: { channel: string; code: string }) => [channel, code])).to.deep.equal([
      ['wallet:w', 'invalid_channel'],
      ['project:', 'invalid_channel'],
      ['nothing', 'invalid_channel'],
      ['user:mira', 'forbidden'],
    ])
  })

  it('tells users of their notifications, of the kinds that they want', async () => {
    const { events, until } = await listen(['user:tester'])
    const mira = await app.clientOf('acme', 'organization-admin', 'mira')
    const jon = await app.clientOf('acme', 'organization-admin', 'jon')
    await write('POST', '/kctr/tasks', { id: 'n1', name: 'for jon', assignee: 'jon' }, mira)
    await write('POST', '/kctr/tasks', { id: 'n2', name: 'for tester', assignee: 'tester' }, mira)
    await write('POST', '/khub/inboxes', { id: 'tester' })
    const unwanted = { kind: 'mentioned', channel: 'in_app', wanted: false }
    await write('PUT', '/khub/inboxes/tester/preferences', unwanted)
    await write('POST', '/kctr/tasks', { id: 'n3', name: 'ask @tester' }, jon)
    const at = await write('POST', '/kctr/tasks', { id: 'n4', name: 'again', assignee: 'tester' }, jon)
    await until(() => events().length === 2)
    expect(events().map(({ type, channel, data }) => [type, channel, data.kind, data.id])).to.deep.equal([
      ['notification.created', 'user:tester', 'task_assigned', 'n2'],
      ['notification.created', 'user:tester', 'task_assigned', 'n4'],
    ])
    const { body } = await acme.call('GET', `/api/v1/khub/notifications?at_least=${at}`)
    expect(body.data.map(({ id }: { id: string }) => id).reverse()).to.deep.equal(
      events().map(({ data }) => data.notification),
    )
  })

  it('tells a caller of what they may read alone, and nobody of another organization', async () => {
    const [guest, other] = [
      await listen(['project:p'], { role: 'guest' }),
      await listen(['project:p', 'briefcase:tester'], { org: 'other', after: '0' }),
    ]
    await write('POST', '/koff/notes', { id: 'hidden', title: 'hidden', project: 'p' })
    await write('POST', '/kctr/tasks', { id: 'shown', name: 'shown', project: 'p' })
    await guest.until(() => guest.events().length === 1)
    expect(guest.events()[0]!.data).to.have.all.keys('position', 'event_id', 'category', 'id', 'type', 'revision', 'at')
    const theirs = await app.clientOf('other')
    await write('POST', '/kbfc/items', { id: 'theirs', name: 'theirs' }, theirs)
    await other.until(() => other.events().length > 0)
    expect(named(other.events())).to.deep.equal(['item.created briefcase:tester theirs'])
  })

  it('says what is wrong with a message, and goes on', async () => {
    const { send, messages, until, closed } = await listen(['project:p'])
    const bad = ['no json', '[]', '{"type":"fly"}', '{"type":"subscribe","channels":[]}', '{"type":"auth"}']
    for (const text of bad) send(text)
    send({ type: 'subscribe', channels: Array.from({ length: 101 }, (_, n) => `project:${n}`) })
    send({ type: 'subscribe', channels: Array.from({ length: 100 }, (_, n) => `project:${n}`) })
    send({ type: 'subscribe', channels: ['project:q'], requestId: 'after' })
    await until(() => messages.at(-1)!.requestId === 'after')
    const codes = messages.slice(2, -1).map(({ type, data }) => `${type} ${data.code}`)
    expect(codes).to.deep.equal(['error invalid_json', ...Array.from({ length: 6 }, () => 'error invalid_body')])
    expect(closed()).to.equal(undefined)
  })

  it('is closed where a message is too large, binary, or no token came first', async () => {
    const [large, binary, early, wrong] = [await connect(), await connect(), await connect(), await connect()]
    large.send({ type: 'auth', token: 'x'.repeat(70_000) })
    binary.socket.send(Buffer.from('{}'))
    early.send({ type: 'subscribe', channels: ['project:p'] })
    wrong.send({ type: 'auth', token: 'a.b.c' })
    for (const each of [large, binary, early, wrong]) await each.until(() => each.closed() !== undefined)
    expect([large, binary, early, wrong].map(each => each.closed()!.code)).to.deep.equal([1009, 1003, 4401, 4401])
    expect(wrong.messages.map(({ type, data }) => [type, data.code])).to.deep.equal([
      ['error', 'invalid_token'],
      ['end', 'unauthenticated'],
    ])
  })

  it('ends with the token, unless a later one of the same caller came', async () => {
    const [ends, lives, cheats] = [await connect(), await connect(), await connect()]
    for (const each of [ends, lives, cheats]) each.send({ type: 'auth', token: await tokenOf('acme', 'viewer', 1) })
    lives.send({ type: 'auth', token: await tokenOf('acme', 'viewer') })
    cheats.send({ type: 'auth', token: await tokenOf('acme', 'viewer', 600, 'another') })
    await ends.until(() => ends.closed() !== undefined)
    expect(ends.closed()!.code).to.equal(4401)
    expect(ends.closed()!.reason).to.match(/^token_ended, last position \d+$/)
    expect([lives.closed(), cheats.closed()?.code]).to.deep.equal([undefined, 4401])
  })

  it('cuts a client that answers no ping', async () => {
    const [silent, alive] = [await connect(), await connect()]
    silent.socket.pong = () => {}
    ;(silent.socket as unknown as { _autoPong: boolean })._autoPong = false
    const token = await tokenOf('acme')
    for (const each of [silent, alive]) each.send({ type: 'auth', token })
    await silent.until(() => silent.closed() !== undefined)
    expect([silent.closed()!.code, alive.closed()]).to.deep.equal([1006, undefined])
  })

  it('is refused to pages of other origins, and where there is no room', async () => {
    const statusOf = (headers: Record<string, string>) =>
      connect(headers).then(
        () => 101,
        error => Number(error.message),
      )
    expect(await statusOf({ origin: 'https://evil.example' })).to.equal(403)
    expect(await statusOf({ origin: 'null' })).to.equal(403)
    expect(await statusOf({ origin: 'https://app.example' })).to.equal(101)
    expect(await statusOf({ origin: app.url })).to.equal(101)
    const sockets = [await connect(), await connect(), await connect(), await connect()]
    expect(await statusOf({})).to.equal(429)
    for (const each of opened.splice(0, 2)) {
      each.close()
      await each.until(() => each.closed() !== undefined)
    }
    const fifth = await connect()
    const token = await tokenOf('acme')
    for (const each of [...sockets, fifth]) {
      each.send({ type: 'auth', token })
      await each.until(() => each.messages.length > 0)
    }
    await fifth.until(() => fifth.closed() !== undefined)
    expect([fifth.messages[0]!.data.code, fifth.closed()!.code]).to.deep.equal(['too_many_requests', 1013])
  })

  it('leaves requests for other upgrades as they are', async () => {
    const { hostname, port } = new URL(app.url)
    const upgrading = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' }
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request({ hostname, port, path: '/health/live', headers: upgrading }, answer => {
        answer.resume()
        resolve(answer.statusCode)
      })
      sent.on('error', reject)
      sent.end()
    })
    expect(status).to.equal(200)
    const raw = (head: string) =>
      sendRaw(app.url, `${head}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    expect(await raw('GET /api/v1/ws HTTP/1.1')).to.match(/^HTTP\/1.1 400 .*"code":"invalid_request"/s)
    expect(await raw('GET /api/v1/kctr/tasks HTTP/1.1')).to.match(/^HTTP\/1.1 401 .*"code":"unauthenticated"/s)
    const { status: plain, headers, body } = await acme.call('GET', '/api/v1/ws')
    expect([plain, headers.upgrade, body.error.code]).to.deep.equal([426, 'websocket', 'upgrade_required'])
  })

  it('is closed in good order when the process stops', async () => {
    const own = await startApp({})
    const socket = await openSocket(own.url)
    const token = await issueToken(own.config, { org: randomUUID(), subject: 'a', roles: ['viewer'], ttlSeconds: 60 })
    socket.send({ type: 'auth', token })
    await socket.until(() => socket.messages.length === 1)
    const closing = own.close()
    await socket.until(() => socket.closed() !== undefined)
    expect([socket.closed()!.code, socket.messages.at(-1)!.data.code]).to.deep.equal([1001, 'draining'])
    await closing
  })
})
