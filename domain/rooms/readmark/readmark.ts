import { aggregate, type Decide, type Evolve } from '../../kernel/aggregate.ts'
import { type Keyed, memberOf, noneKeyed, withMember } from '../../record/keyed.ts'
import { said, THING } from '../../record/said.ts'
import { commands, events } from './messages.ts'

type Marks = { readonly delivered: bigint; readonly read: bigint }
/** How far each member of a room was brought its messages, and has read them. */
export type ReadMarks = { readonly status: 'none' | 'marked'; readonly users: Keyed<Marks> }

const NONE: Marks = { delivered: 0n, read: 0n }

const evolve: Evolve<ReadMarks, typeof events> = {
  RoomMarked({ users }, { user, as, up_to }) {
    return { status: 'marked', users: withMember(users, user, { ...(memberOf(users, user) ?? NONE), [as]: up_to }) }
  },
}

const marked = ({ users }: ReadMarks, user: string, as: 'delivered' | 'read', up_to: bigint) =>
  up_to > (memberOf(users, user) ?? NONE)[as] ? [{ type: 'RoomMarked' as const, data: { user, as, up_to } }] : []

const decide: Decide<ReadMarks, typeof commands, typeof events> = {
  deliver: (marks, { up_to }, { actor }) => marked(marks, actor, 'delivered', up_to),
  read: (marks, { up_to }, { actor }) => marked(marks, actor, 'read', up_to),
}

/** The receipts of a room: marks only move forward. */
export const readMark = aggregate({
  name: 'readmark',
  events,
  commands,
  api: {
    deliver: [
      'PUT /rooms/:id/delivered',
      'messages.write',
      'Say up to which message a room was brought to the caller.',
    ],
    read: ['PUT /rooms/:id/read', 'messages.write', 'Say up to which message the caller has read a room.'],
  },
  rejections: [],
  initial: { status: 'none', users: noneKeyed } as ReadMarks,
  evolve,
  decide,
  twinOf: 'room',
  partOf: { of: (_, __, id) => [{ category: 'room', id }], refusals: ['room_archived', 'room_not_a_member'] },
  stateSchema: 1,
  activity: { on: { RoomMarked: ({ as }) => said`noted how far the room ${THING} was ${as}` } },
})
