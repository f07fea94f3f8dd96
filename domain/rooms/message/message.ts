import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { mention, said, THING } from '../../record/said.ts'
import { DAY_SECONDS, laterBy } from '../../time/civil.ts'
import { commands, events, rejections } from './messages.ts'

const EDITS_MAX = 100
const REACTIONS_MAX = 1_000

type Sent = {
  readonly status: 'sent'
  readonly room: string
  readonly author: string
  readonly text: string
  readonly edits: number
  /** By user and emoji. */
  readonly reactions: Keyed<true>
  readonly count: number
}
export type Message = { readonly status: 'none' } | Sent | { readonly status: 'deleted'; readonly room: string }
/** What is looked at of the room that a message is sent to, or moderated in. */
type Seen = {
  readonly settings: { readonly posting: string; readonly retention_days?: number }
  readonly members: Keyed<{ readonly role: string }>
}

const DELETED = ['message_deleted', 'The message is deleted.'] as const
const sent = (message: Message) => inStatus(message, 'sent', DELETED)
const keyOf = ({ user, emoji }: { readonly user: string; readonly emoji: string }) => `${emoji} ${user}`

const evolve: Evolve<Message, typeof events> = {
  MessageSent: (_, { room, author, text }) => ({
    status: 'sent',
    room,
    author,
    text,
    edits: 0,
    reactions: noneKeyed,
    count: 0,
  }),
  MessageEdited: (message, { text }) => ({ ...sent(message), text, edits: sent(message).edits + 1 }),
  MessageDeleted: message => ({ status: 'deleted', room: sent(message).room }),
  ReactionAdded: (message, reaction) => {
    const before = sent(message)
    return { ...before, reactions: withMember(before.reactions, keyOf(reaction), true), count: before.count + 1 }
  },
  ReactionRemoved: (message, reaction) => {
    const before = sent(message)
    return { ...before, reactions: withoutMember(before.reactions, keyOf(reaction)), count: before.count - 1 }
  },
}

const decide: Decide<Message, typeof commands, typeof events> = {
  send(message, { id: _, ...asked }, { actor: author, at, seen }) {
    if (message.status !== 'none') throw rejected('message_already_sent', 'The message exists; choose another id.')
    const { settings, members } = seen as Seen
    if (settings.posting === 'moderators' && asked.thread === undefined && !moderates(members, author)) {
      throw rejected('message_by_moderators', 'Its moderators begin messages here: answer in a thread.')
    }
    const { retention_days: days } = settings
    const end = days === undefined ? {} : { expires_at: laterBy(days * DAY_SECONDS, at) }
    return [{ type: 'MessageSent', data: { ...asked, author, ...end } }]
  },
  edit(message, changes, { actor }) {
    const { author, text, edits } = sent(message)
    if (author !== actor) throw rejected('message_of_another', 'Only its author may edit a message.')
    if (text === changes.text && changes.attachments === undefined) return []
    if (edits >= EDITS_MAX) throw rejected('message_edits_full', 'Send another message.', { most: EDITS_MAX })
    return [{ type: 'MessageEdited', data: changes }]
  },
  delete(message, _, { actor }) {
    if (message.status === 'deleted') return []
    if (sent(message).author !== actor) throw rejected('message_of_another', 'Only its author may delete a message.')
    return [{ type: 'MessageDeleted', data: { by: 'author' } }]
  },
  moderate(message, { room, reason }, { actor, seen }) {
    if (message.status === 'deleted') return []
    if (sent(message).room !== room) throw rejected('message_elsewhere', 'The message is in another room.')
    if (!moderates((seen as Seen).members, actor)) {
      throw rejected('message_by_moderators', 'Only moderators of the room delete what others sent.')
    }
    return [{ type: 'MessageDeleted', data: { by: 'moderator', ...(reason !== undefined && { reason }) } }]
  },
  react(message, { emoji }, { actor: user }) {
    const { reactions, count } = sent(message)
    if (memberOf(reactions, keyOf({ user, emoji }))) return []
    if (count >= REACTIONS_MAX) throw rejected('message_reactions_full', 'It has as many reactions as it can.')
    return [{ type: 'ReactionAdded', data: { user, emoji } }]
  },
  unreact(message, { emoji }, { actor: user }) {
    if (!memberOf(sent(message).reactions, keyOf({ user, emoji }))) return []
    return [{ type: 'ReactionRemoved', data: { user, emoji } }]
  },
  expire: message => (message.status === 'sent' ? [{ type: 'MessageDeleted', data: { by: 'retention' } }] : []),
}

const moderates = (members: Seen['members'], user: string): boolean =>
  ['owner', 'moderator'].includes(memberOf(members, user)?.role ?? '')

const inRoom = (id: string) => ({ category: 'room', id })

/** What a member writes in a room. Each is a stream of its own: a room with a million of them is no larger thing. */
export const message = aggregate({
  name: 'message',
  events,
  commands,
  api: {
    send: ['POST /messages', 'messages.write', 'Send a message to a room that the caller is a member of.'],
    edit: [
      'PATCH /messages/:id',
      'messages.write',
      'Edit a message of the caller; what it said before stays readable.',
    ],
    delete: ['DELETE /messages/:id', 'messages.write', 'Delete a message of the caller.'],
    moderate: ['POST /messages/:id/moderate', 'messages.write', 'Delete a message as a moderator of its room.'],
    react: ['POST /messages/:id/react', 'messages.write', 'React to a message.'],
    unreact: ['DELETE /messages/:id/reactions/:emoji', 'messages.write', 'Take a reaction of the caller back.'],
    expire: 'internal',
  },
  rejections,
  initial: { status: 'none' } as Message,
  evolve,
  decide,
  sees: { send: ({ room }) => inRoom(room), moderate: ({ room }) => inRoom(room) },
  partOf: {
    of: (state, { room }) => {
      const name = 'room' in state ? state.room : (room as string | undefined)
      return name === undefined ? [] : [inRoom(name)]
    },
    refusals: ['room_archived', 'room_not_a_member'],
  },
  removedBy: ['MessageDeleted'],
  stateSchema: 1,
  activity: {
    on: {
      MessageSent: ({ room }) => said`put the message ${THING} into the room ${mention('room', room)}`,
      MessageEdited: said`edited the message ${THING}`,
      MessageDeleted: said`deleted the message ${THING}`,
      ReactionAdded: ({ emoji }) => said`reacted to the message ${THING} with ${emoji}`,
      ReactionRemoved: said`removed a reaction to the message ${THING}`,
    },
  },
})
