/** The message's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, list, object, oneOf, ref, text, timestamp } from '../../kernel/schema.ts'

const body = text(20_000).meta({ description: 'Markdown (CommonMark); `@mira` mentions mira' })
const emoji = text(32)
const attachment = object({
  kind: oneOf('file', 'media', 'link'),
  to: text(2_000).meta({ description: 'id of a file of the portfolio, or a URL' }),
  name: text(255).optional(),
})
const attachments = list(attachment, 20)
const why = text(1_000)

export const events = {
  MessageSent: object({
    room: id('room'),
    author: text(128),
    text: body,
    attachments,
    thread: id('message').optional(),
    reply_to: id('message').optional(),
    expires_at: timestamp.optional(),
  }),
  MessageEdited: object({ text: body, attachments: attachments.optional() }),
  /** By its author, a moderator, or the retention of its room: from now on nobody reads what it said. */
  MessageDeleted: object({ by: oneOf('author', 'moderator', 'retention'), reason: why.optional() }),
  ReactionAdded: object({ user: text(128), emoji }),
  ReactionRemoved: object({ user: text(128), emoji }),
} as const

export const commands = {
  send: object({
    id: id('message').optional(),
    room: ref('room'),
    text: body,
    attachments: attachments.default([]),
    thread: ref('message').optional().meta({ description: 'the message that began the thread' }),
    reply_to: ref('message').optional().meta({ description: 'the message that this one answers' }),
  }).meta({ examples: [{ id: 'message-1', room: 'room-1', text: 'The *sea* is done, @jon' }] }),
  edit: object({ text: body, attachments: attachments.optional() }).meta({ examples: [{ text: 'The sea is done' }] }),
  delete: object({}),
  moderate: object({ room: ref('room'), reason: why.optional() }).meta({
    examples: [{ room: 'room-1', reason: 'Not of this room' }],
  }),
  react: object({ emoji }).meta({ examples: [{ emoji: '👍' }] }),
  unreact: object({ emoji }),
  expire: object({}),
} as const

export const rejections = [
  'message_already_sent',
  'message_of_another',
  'message_deleted',
  'message_elsewhere',
  'message_by_moderators',
  'message_edits_full',
  'message_reactions_full',
] as const
