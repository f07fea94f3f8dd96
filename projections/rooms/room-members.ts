import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { id, integer, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events as marks } from '../../domain/rooms/readmark/messages.ts'
import { events } from '../../domain/rooms/room/messages.ts'
import { type Handler, type Handlers, projection } from '../rows/projection.ts'
import { quoted, tableOf } from '../rows/tables.ts'
import { messages } from './messages.ts'
import { rooms } from './rooms.ts'

/** Unread messages are counted up to this many. */
const UNREAD_MAX = 1_000

const row = object({
  org: id('org'),
  room: id('room'),
  user: text(128),
  role: oneOf('owner', 'moderator', 'member'),
  delivered_up_to: unsigned64.meta({ description: 'position of the last message that was brought to the member' }),
  read_up_to: unsigned64.meta({ description: 'position of the last message that the member has read' }),
  joined_at: timestamp,
  revision: unsigned64,
})
type Row = z.output<typeof row>
type Role = Row['role']

const joined = (before: Row | undefined, event: DomainEvent, user: string, role: Role): Row => ({
  org: event.metadata.org,
  room: event.metadata.id,
  user,
  role,
  // What was said before somebody came is not unread.
  delivered_up_to: before?.delivered_up_to ?? event.position,
  read_up_to: before?.read_up_to ?? event.position,
  joined_at: before?.joined_at ?? event.metadata.at,
  revision: event.revision,
})

type Named = { readonly user: string; readonly role?: Role }
const keys = ({ data: { user }, metadata: { org, id: room } }: DomainEvent<string, Named>) => [{ org, room, user }]
const member: Handler<Row, { readonly user: string; readonly role: Role }> = {
  keys,
  fold: (before, event) => joined(before, event, event.data.user, event.data.role),
}

const on: Handlers<Row, typeof events & typeof marks> = {
  RoomOpened: {
    keys: ({ data: { members }, metadata: { org, id: room } }) => members.map(({ user }) => ({ org, room, user })),
    fold: (before, event, { user }) =>
      joined(before, event, String(user), event.data.members.find(each => each.user === user)!.role),
  },
  RoomChanged: null,
  RoomArchived: null,
  RoomRestored: null,
  RoomMemberAdded: member,
  RoomMemberRoleSet: member,
  RoomMemberRemoved: { keys, fold: () => null },
  MessagePinned: null,
  MessageUnpinned: null,
  RoomMarked: {
    keys,
    fold: (before, { data: { as, up_to } }) => {
      if (!before) return null
      const isDelivered = up_to > before.delivered_up_to
      const isRead = as === 'read' && up_to > before.read_up_to
      return { ...before, ...(isDelivered && { delivered_up_to: up_to }), ...(isRead && { read_up_to: up_to }) }
    },
  },
}

/** One row per member of a room, with how far they have read it. */
export const roomMembers = projection({
  name: 'room_members',
  service: 'rooms',
  version: 1,
  history: true,
  of: { room: events, readmark: marks },
  row,
  key: ['org', 'room', 'user'],
  readers: { like: { room: 'rooms' } },
  isOfOthers: true,
  on,
  computed: {
    unread: {
      schema: integer(0, UNREAD_MAX).meta({ description: `messages of others behind that: at most ${UNREAD_MAX}` }),
      of: [messages],
      isDaily: false,
      sql: (member: string) => `(select count(*)::int from (select 1 from ${quoted(tableOf(messages))} m
        where m.org = ${member}.org and m.room = ${member}.room and m.position > ${member}.read_up_to
          and m.author <> ${member}."user" and not m.is_deleted limit ${UNREAD_MAX}) x)`,
    },
  },
  reads: [
    {
      one: 'room member',
      many: 'room members',
      path: '/rooms/:id/members',
      permission: 'rooms.read',
      parents: { id: 'room' },
      within: rooms,
      names: ['user'],
      order: ['user'],
      filters: ['role'],
      summary: {
        list: 'The members of a room, and how far each has read it: a message up to there is read by them.',
        get: 'A member of a room.',
      },
    },
    {
      one: 'membership',
      many: 'memberships',
      path: '/memberships',
      permission: 'rooms.read',
      names: [],
      order: ['user', 'room'],
      filters: ['user', 'room', 'role'],
      summary: { list: 'Who is a member of which room, with what is unread: `user=mira`.' },
    },
  ],
})
