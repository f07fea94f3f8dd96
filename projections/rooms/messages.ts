import type { z } from 'zod'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { boolean, column, id, list, object, oneOf, text, timestamp, unsigned64 } from '../../domain/kernel/schema.ts'
import { events } from '../../domain/rooms/message/messages.ts'
import { type Handlers, projection } from '../rows/projection.ts'
import { changed } from '../rows/thing.ts'
import { rooms } from './rooms.ts'

const { room, author, text: body, attachments, thread, reply_to, expires_at } = events.MessageSent.shape

const row = object({
  org: id('org'),
  id: id('message'),
  room,
  author,
  text: body.optional().meta({ description: 'Markdown; nothing where the message is deleted' }),
  attachments,
  thread,
  reply_to,
  edits: column(list(object({ text: body, until: timestamp }), 100), 'json').meta({
    description: 'what it said before, and until when',
  }),
  reactions: column(list(object({ user: text(128), emoji: text(32) }), 1_000), 'json'),
  is_deleted: boolean,
  deleted_by: oneOf('author', 'moderator', 'retention').optional(),
  expires_at,
  position: unsigned64.meta({ description: 'its place in the room: marks of what was read name it' }),
  revision: unsigned64,
  sent_at: timestamp,
  updated_at: timestamp,
})
type Row = z.output<typeof row>
type Sent = z.output<(typeof events)['MessageSent']>

const on: Handlers<Row, typeof events> = {
  MessageSent: {
    keys: ({ metadata: { org, id } }: DomainEvent<string, Sent>) => [{ org, id }],
    isOwn: true,
    fold: (_, { data, metadata: { org, id, at }, revision, position }) => ({
      ...data,
      org,
      id,
      edits: [],
      reactions: [],
      is_deleted: false,
      position,
      revision,
      sent_at: at,
      updated_at: at,
    }),
  },
  MessageEdited: changed(({ text, attachments }, before, until) => ({
    text,
    attachments: attachments ?? before.attachments,
    edits: [...before.edits, { text: before.text ?? text, until }],
  })),
  MessageDeleted: changed(({ by }) => ({
    text: undefined,
    attachments: [],
    edits: [],
    reactions: [],
    is_deleted: true,
    deleted_by: by,
  })),
  ReactionAdded: changed((reaction, { reactions }) => ({ reactions: [...reactions, reaction] })),
  ReactionRemoved: changed(({ user, emoji }, { reactions }) => ({
    reactions: reactions.filter(each => each.user !== user || each.emoji !== emoji),
  })),
}

/** The words of a memory: it begins with its first line. */
const texts = ({ text }: { readonly text: string }) => ({
  title: text.split('\n')[0]!.slice(0, 200) || '…',
  body: text,
})

/** One row per message. */
export const messages = projection({
  name: 'messages',
  service: 'rooms',
  version: 1,
  history: true,
  of: { message: events },
  row,
  key: ['org', 'id'],
  readers: { like: { room: 'rooms' } },
  indexes: [['org', 'room', 'position']],
  lookups: ['thread', 'reply_to'],
  on,
  reads: [
    {
      one: 'message',
      many: 'messages',
      path: '/messages',
      permission: 'messages.read',
      names: ['id'],
      order: ['position'],
      filters: ['room', 'author', 'thread', 'reply_to', 'sent_at', 'position'],
      groups: ['room', 'author', 'thread', 'is_deleted', 'sent_at'],
      summary: { list: 'The messages that the caller may read.', get: 'A message.' },
    },
    {
      one: 'room message',
      many: 'room messages',
      path: '/rooms/:id/messages',
      permission: 'messages.read',
      parents: { id: 'room' },
      within: rooms,
      names: [],
      order: ['position'],
      filters: ['author', 'thread', 'position', 'sent_at'],
      groups: ['author', 'thread', 'sent_at'],
      summary: { list: 'The messages of a room in their order; `sort=-position` begins with the last.' },
    },
  ],
  memory: {
    kind: 'message',
    on: { MessageSent: { anew: texts }, MessageEdited: { anew: texts }, MessageDeleted: 'forget' },
  },
})
