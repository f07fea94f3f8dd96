import { expect } from 'chai'
import { message } from '../../domain/rooms/message/message.ts'
import { room } from '../../domain/rooms/room/room.ts'
import { stateOf } from '../support/spec.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

type Line = Readonly<Record<'session' | 'room' | 'kind' | 'nick' | 'text', string>> & { readonly n: number }

const AT = '2026-01-01T00:00:00.000Z'
const context = (actor: string) => ({ id: 'x', org: 'o', permissions: [], newId: () => '', actor, at: AT })
const idOf = (session: string, n: number | string) => `${session}/${n}`

describe('chat: real rooms with reply links', function () {
  const set = dataSet(this, 'chat', 'messages.jsonl', 'reply_links.csv')
  const lines: readonly Line[] = set.oracle
    ? set
        .text('messages.jsonl')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
    : []
  const links = set.oracle ? csv(set.text('reply_links.csv')) : []

  it('has as many rooms, sessions, nicks and links as the data set says', () => {
    const { rooms, sessions, reply_links } = set.oracle!
    const found = Object.fromEntries(Object.keys(rooms).map(name => [name, lines.filter(l => l.room === name).length]))
    expect(found).to.deep.equal(rooms)
    expect(new Set(lines.map(({ session }) => session)).size).to.equal(sessions)
    expect(links.length).to.equal(reply_links)
  })

  it('is sent message by message, by members, and has its authors', () => {
    const answers = new Map(links.map(({ session, a, b }) => [idOf(session!, a!), idOf(session!, b!)]))
    const rooms = new Map(Object.keys(set.oracle!.rooms).map(name => [name, community(lines, name)]))
    const counts = new Map<string, number>()
    const sent = new Map<string, string>()
    for (const { session, room: name, n, kind, nick, text } of lines) {
      if (kind !== 'message' && kind !== 'action') continue
      const reply = answers.get(idOf(session, n))
      const command = {
        room: name,
        text: text || '…',
        attachments: [],
        ...(reply !== undefined && { reply_to: reply }),
      }
      room.guard!(rooms.get(name)!, context(nick))
      const [fact] = message.decide.send({ status: 'none' }, command, { ...context(nick), seen: rooms.get(name) })
      const { author, reply_to } = fact!.data as { author: string; reply_to?: string }
      const key = `${name}\t${author}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
      sent.set(idOf(session, n), reply_to ?? author)
    }
    const { message: said, action } = set.oracle!.kinds
    expect([sent.size, counts.size]).to.deep.equal([said + action, set.oracle!.nicks])
    const digest = checksum([...counts].map(([key, count]) => `${key}\t${count}`))
    expect(digest).to.equal(set.oracle!.sha256_messages_per_room_nick)
  })
})

/** A community room with everybody who writes in it. */
function community(lines: readonly Line[], name: string) {
  const nicks = [...new Set(lines.filter(each => each.room === name).map(({ nick }) => nick))].filter(Boolean)
  const members = nicks.map(user => ({ user, role: 'member' as const }))
  const settings = { privacy: 'organization', joining: 'open', posting: 'members' } as const
  return stateOf(room, [{ type: 'RoomOpened', data: { kind: 'community', title: name, ...settings, members } }])
}
