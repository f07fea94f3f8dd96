import type { z } from 'zod'
import { id, list, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events, MEMBERS_MAX } from '../../domain/rooms/room/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed, made } from '../rows/thing.ts'

const { kind, title, privacy, joining, posting, topic, retention_days, project } = events.RoomOpened.shape

const row = object({
  org: id('org'),
  id: id('room'),
  status: oneOf('open', 'archived'),
  kind,
  title,
  topic,
  project,
  privacy,
  joining,
  posting,
  retention_days,
  pins: list(id('message'), 100),
  readers: list(text(200), MEMBERS_MAX).meta({ description: 'its members, who may read it where it is private' }),
  revision: unsigned64,
  opened_at: timestamp,
  updated_at: timestamp,
})

const on: Handlers<z.output<typeof row>, typeof events> = {
  RoomOpened: made(({ members, ...data }, at) => ({
    ...data,
    status: 'open',
    pins: [],
    readers: members.map(({ user }) => `user ${user}`),
    opened_at: at,
  })),
  RoomChanged: changed(changes =>
    Object.fromEntries(Object.entries(changes).map(([name, value]) => [name, value ?? undefined])),
  ),
  RoomArchived: changed(() => ({ status: 'archived' })),
  RoomRestored: changed(() => ({ status: 'open' })),
  RoomMemberAdded: changed(({ user }, { readers }) => ({ readers: [...readers, `user ${user}`] })),
  RoomMemberRoleSet: changed(() => ({})),
  RoomMemberRemoved: changed(({ user }, { readers }) => ({ readers: readers.filter(each => each !== `user ${user}`) })),
  MessagePinned: changed(({ message }, { pins }) => ({ pins: [...pins, message] })),
  MessageUnpinned: changed(({ message }, { pins }) => ({ pins: pins.filter(pin => pin !== message) })),
}

/** One row per room. */
export const rooms = projection({
  name: 'rooms',
  service: 'rooms',
  version: 1,
  history: true,
  of: { room: events },
  row,
  key: ['org', 'id'],
  readers: 'own',
  on,
  reads: [
    {
      one: 'room',
      many: 'rooms',
      path: '/rooms',
      permission: 'rooms.read',
      names: ['id'],
      order: ['id'],
      filters: ['status', 'kind', 'title', 'project', 'privacy', 'readers', 'opened_at'],
      groups: ['status', 'kind', 'project', 'privacy', 'opened_at'],
      summary: { list: 'The rooms that the caller may read.', get: 'A room: its settings, members and pins.' },
    },
  ],
  memory: {
    kind: 'room',
    on: {
      RoomOpened: { anew: ({ title, topic }) => ({ title, body: topic }) },
      RoomChanged: { revise: ({ title, topic }) => ({ title, body: topic }) },
    },
  },
})
