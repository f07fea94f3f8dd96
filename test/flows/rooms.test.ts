import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const NAMES: Record<string, string> = { one: 'none', 'two, @jon': 'two', three: 'three' }

type Row = Record<string, string>

describe('rooms', function () {
  this.timeout(120_000)
  let app: App
  let mira: Client
  let jon: Client
  let eve: Client
  let last = '0'

  const sent = async (client: Client, path: string, body: object = {}, method = 'POST'): Promise<Answer> => {
    const answer = await client.call(method, `/api/v1/krms/${path}`, { body })
    last = String(answer.headers['kogi-position'] ?? last)
    return answer
  }
  const read = async (client: Client, path: string): Promise<Answer> =>
    client.call('GET', `/api/v1/${path}`, { headers: { 'kogi-min-position': last } })
  const texts = async (client: Client, query = '') =>
    ((await read(client, `krms/rooms/atlas/messages?${query}`)).body.data as Row[]).map(({ text }) => text)

  before(async () => {
    app = await startApp({ worker: true })
    mira = await app.clientOf('chat', 'team-member', 'mira')
    jon = await app.clientOf('chat', 'team-member', 'jon')
    eve = await app.clientOf('chat', 'team-member', 'eve')
    await sent(mira, 'rooms', { id: 'atlas', kind: 'group', title: 'The atlas', with: ['jon'] })
  })
  after(() => app?.close())

  it('are written in and read by their members alone', async () => {
    for (const text of ['one', 'two, @jon', 'three']) {
      expect((await sent(mira, 'messages', { id: NAMES[text], room: 'atlas', text })).status).to.equal(201)
    }
    expect((await sent(eve, 'messages', { room: 'atlas', text: 'four' })).body.error.code).to.equal('room_not_a_member')
    expect(await texts(jon, 'sort=-position&limit=2')).to.deep.equal(['three', 'two, @jon'])
    expect((await read(eve, 'krms/rooms/atlas/messages')).status).to.equal(404)
    expect((await read(eve, 'krms/messages')).body.data).to.deep.equal([])
    const found = (q: Client) => read(q, 'kse/memories/search?q=three')
    expect((await found(jon)).body.data.length).to.equal(1)
    expect((await found(eve)).body.data.length).to.equal(0)
    const kinds = ((await read(jon, 'khub/notifications')).body.data as Row[]).map(({ kind }) => kind)
    expect(kinds).to.deep.equal(['mentioned'])
  })

  it('count what is unread, and keep threads, edits, reactions and deletions', async () => {
    const unread = async () => (await read(jon, 'krms/rooms/atlas/members/jon')).body.data.unread
    expect(await unread()).to.equal(3)
    const [, second] = (await read(jon, 'krms/rooms/atlas/messages')).body.data as Row[]
    expect((await sent(jon, 'rooms/atlas/read', { up_to: second!.position }, 'PUT')).status).to.be.within(200, 201)
    expect(await unread()).to.equal(1)
    await sent(jon, 'messages', { id: 'answer', room: 'atlas', text: 'in a thread', thread: 'none', reply_to: 'none' })
    expect(await texts(jon, 'thread=none')).to.deep.equal(['in a thread'])
    await sent(mira, 'messages/none/react', { emoji: '👍' })
    await sent(mira, 'messages/none', { text: 'ONE' }, 'PATCH')
    const { body } = await read(jon, 'krms/messages/none')
    expect(body.data).to.deep.include({ text: 'ONE', reactions: [{ user: 'mira', emoji: '👍' }] })
    expect(body.data.edits.map(({ text }: Row) => text)).to.deep.equal(['one'])
    expect((await sent(jon, 'messages/none/moderate', { room: 'atlas' })).body.error.code).to.equal(
      'message_by_moderators',
    )
    expect((await sent(mira, 'messages/answer/moderate', { room: 'atlas' })).status).to.equal(200)
    expect((await read(jon, 'krms/messages/answer')).body.data).to.include({
      is_deleted: true,
      deleted_by: 'moderator',
    })
    expect((await read(jon, 'kse/memories/search?q=thread')).body.data).to.deep.equal([])
    const file = await read(jon, 'krms/rooms/atlas/export')
    expect(String(file.body).split('\n').length).to.equal(5)
  })

  it('end messages by their retention, and take none once they are archived', async () => {
    await sent(mira, 'rooms', { id: 'brief', kind: 'group', title: 'Brief', retention_days: 1 })
    await sent(mira, 'messages', { id: 'brief-1', room: 'brief', text: 'soon gone' })
    const { expires_at: end } = (await read(mira, 'krms/messages/brief-1')).body.data as Row
    expect(Date.parse(end!) - Date.now()).to.be.within(86_000_000, 86_400_000)
    await sent(mira, 'rooms/brief/archive')
    expect((await sent(mira, 'messages', { room: 'brief', text: 'late' })).body.error.code).to.equal('room_archived')
  })
})
