import { aggregate, type Decide, type Evolve, inStatus } from '../../kernel/aggregate.ts'
import type { Context } from '../../kernel/context.ts'
import { rejected } from '../../kernel/errors.ts'
import { type Keyed, memberOf, membersOf, noneKeyed, withMember, withoutMember } from '../../record/keyed.ts'
import { changedFields } from '../../record/merge.ts'
import { said, THING } from '../../record/said.ts'
import { commands, events, MEMBERS_MAX, rejections } from './messages.ts'

const PINS_MAX = 100

type Role = 'owner' | 'moderator' | 'member'
type Member = { readonly user: string; readonly role: Role }
type Settings = Omit<ReturnType<(typeof events)['RoomOpened']['parse']>, 'kind' | 'members' | 'project'>
export type OpenRoom = {
  readonly status: 'open'
  readonly kind: 'direct' | 'group' | 'project' | 'community'
  readonly settings: Settings
  readonly isArchived: boolean
  readonly members: Keyed<Member>
  readonly count: number
  readonly pins: readonly string[]
}
/** A room has members and settings; its messages are things of their own, so that it does not grow with them. */
export type Room = { readonly status: 'none' } | OpenRoom

const open = (room: Room) => inStatus(room, 'open')
const withUser = (room: OpenRoom, member: Member): OpenRoom => ({
  ...room,
  members: withMember(room.members, member.user, member),
  count: memberOf(room.members, member.user) ? room.count : room.count + 1,
})

const evolve: Evolve<Room, typeof events> = {
  RoomOpened: (_, { kind, members, project: __, ...settings }) =>
    members.reduce(withUser, {
      status: 'open',
      kind,
      settings,
      isArchived: false,
      members: noneKeyed,
      count: 0,
      pins: [],
    }),
  RoomChanged: (room, changes) => {
    const settings = Object.entries({ ...open(room).settings, ...changes }).filter(([, value]) => value !== null)
    return { ...open(room), settings: Object.fromEntries(settings) as Settings }
  },
  RoomArchived: room => ({ ...open(room), isArchived: true }),
  RoomRestored: room => ({ ...open(room), isArchived: false }),
  RoomMemberAdded: (room, member) => withUser(open(room), member),
  RoomMemberRoleSet: (room, member) => withUser(open(room), member),
  RoomMemberRemoved: (room, { user }) => ({
    ...open(room),
    members: withoutMember(open(room).members, user),
    count: open(room).count - 1,
  }),
  MessagePinned: (room, { message }) => ({ ...open(room), pins: [...open(room).pins, message] }),
  MessageUnpinned: (room, { message }) => ({ ...open(room), pins: open(room).pins.filter(pin => pin !== message) }),
}

const decide: Decide<Room, typeof commands, typeof events> = {
  open(room, { id: _, with: others, ...asked }, { actor }) {
    if (room.status !== 'none') throw rejected('room_already_opened', 'The room exists; choose another id.')
    const { kind, project } = asked
    const users = [...new Set(others)].filter(user => user !== actor)
    if (kind === 'direct' && users.length !== 1) throw rejected('room_direct_of_two', 'A direct room is of two users.')
    if (kind === 'project' && project === undefined) throw rejected('room_project_missing', 'Name its project.')
    const isCommunity = kind === 'community'
    const { privacy = isCommunity ? 'organization' : 'private', joining = isCommunity ? 'open' : 'invited' } = asked
    const owner = { user: actor, role: 'owner' as const }
    const rest = users.map(user => ({ user, role: kind === 'direct' ? ('owner' as const) : ('member' as const) }))
    const shut = kind === 'direct' ? ({ privacy: 'private', joining: 'invited' } as const) : { privacy, joining }
    return [{ type: 'RoomOpened', data: { ...asked, ...shut, members: [owner, ...rest] } }]
  },
  change(room, wanted, context) {
    const { settings, kind } = mustManage(room, context)
    const changes = changedFields(settings, wanted)
    if (kind === 'direct' && ('privacy' in changes || 'joining' in changes)) {
      throw rejected('room_direct_of_two', 'A direct room stays between its two users.')
    }
    return Object.keys(changes).length === 0 ? [] : [{ type: 'RoomChanged', data: changes }]
  },
  archive: (room, _, context) =>
    mustManage(room, context, true).isArchived ? [] : [{ type: 'RoomArchived', data: {} }],
  restore: (room, _, context) =>
    mustManage(room, context, true).isArchived ? [{ type: 'RoomRestored', data: {} }] : [],
  add(room, member, context) {
    const { members, count } = mustBeGroup(mustManage(room, context))
    if (memberOf(members, member.user)) throw rejected('room_member_already', 'They are a member.')
    mustHaveRoom(count)
    return [{ type: 'RoomMemberAdded', data: member }]
  },
  join(room, _, { actor: user }) {
    const { members, count, settings } = mustBeGroup(mustBeOpen(room))
    if (memberOf(members, user)) return []
    if (settings.joining !== 'open') throw rejected('room_by_invitation', 'Ask a moderator to add you.')
    mustHaveRoom(count)
    return [{ type: 'RoomMemberAdded', data: { user, role: 'member' } }]
  },
  leave: (room, _, { actor }) => without(mustBeGroup(open(room)), actor),
  remove: (room, { user }, context) => without(mustBeGroup(mustManage(room, context)), user),
  setRole(room, { user, role }, context) {
    const { members } = mustBeGroup(mustManage(room, context, true))
    const before = memberOf(members, user)
    if (!before) throw rejected('room_not_a_member', 'They are no member of the room.')
    if (before.role === role) return []
    if (before.role === 'owner') mustLeaveAnOwner(members, user)
    return [{ type: 'RoomMemberRoleSet', data: { user, role } }]
  },
  pin(room, { message }, context) {
    const { pins } = mustManage(room, context)
    if (pins.includes(message)) return []
    if (pins.length >= PINS_MAX) throw rejected('room_pins_full', 'Unpin another message first.', { most: PINS_MAX })
    return [{ type: 'MessagePinned', data: { message } }]
  },
  unpin(room, { message }, context) {
    return mustManage(room, context).pins.includes(message) ? [{ type: 'MessageUnpinned', data: { message } }] : []
  },
}

const on = (path: string, summary: string, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' = 'POST') =>
  [`${method} /rooms/:id${path}`, 'rooms.write', summary] as const

/** Where people write to one another. */
export const room = aggregate({
  name: 'room',
  events,
  commands,
  api: {
    open: ['POST /rooms', 'rooms.write', 'Open a room of two, of a group, of a project, or of a community.'],
    change: on('', 'Change the settings of a room.', 'PATCH'),
    archive: on('/archive', 'Archive a room: it is read, and nothing is written.'),
    restore: on('/restore', 'Restore an archived room.'),
    add: [...on('/members', 'Add a member to a room.'), '/rooms/:id/members/:user'],
    join: on('/join', 'Join a room that is open.'),
    leave: on('/leave', 'Leave a room.'),
    remove: on('/members/:user', 'Remove a member from a room.', 'DELETE'),
    setRole: on('/members/:user', 'Give a member of a room another role.', 'PUT'),
    pin: on('/pin', 'Pin a message of a room.'),
    unpin: on('/pins/:message', 'Unpin a message of a room.', 'DELETE'),
  },
  rejections,
  initial: { status: 'none' } as Room,
  evolve,
  decide,
  // What is in the room is written by its members, until it is archived; retention goes on.
  guard: (room, { actor }) => {
    if (actor.startsWith('process:')) return
    if (!memberOf(mustBeOpen(room).members, actor)) throw rejected('room_not_a_member', 'Only members write here.')
  },
  stateSchema: 1,
  activity: {
    called: 'title',
    on: {
      RoomOpened: said`opened the room ${THING}`,
      RoomChanged: said`changed the room ${THING}`,
      RoomArchived: said`archived the room ${THING}`,
      RoomRestored: said`restored the room ${THING}`,
      RoomMemberAdded: ({ user }) => said`added ${user} to the room ${THING}`,
      RoomMemberRoleSet: ({ user, role }) => said`made ${user} ${role} of the room ${THING}`,
      RoomMemberRemoved: ({ user }) => said`removed ${user} from the room ${THING}`,
      MessagePinned: said`pinned a message in the room ${THING}`,
      MessageUnpinned: said`unpinned a message in the room ${THING}`,
    },
  },
})

function mustBeOpen(room: Room): OpenRoom {
  if (open(room).isArchived) throw rejected('room_archived', 'The room is archived: restore it first.')
  return open(room)
}

/** The room, where the caller is one of its moderators, or its owners. */
function mustManage(room: Room, { actor }: Pick<Context, 'actor'>, byOwner = false): OpenRoom {
  const found = byOwner ? open(room) : mustBeOpen(room)
  const { role } = memberOf(found.members, actor) ?? {}
  if (role === 'owner' || (role === 'moderator' && !byOwner)) return found
  throw rejected(
    'room_not_yours',
    byOwner ? 'Only owners of the room may do this.' : 'Only its moderators may do this.',
  )
}

function mustBeGroup(room: OpenRoom): OpenRoom {
  if (room.kind !== 'direct') return room
  throw rejected('room_direct_of_two', 'A direct room stays between its two users.')
}

function mustHaveRoom(count: number): void {
  if (count >= MEMBERS_MAX)
    throw rejected('room_full', 'The room has as many members as it can.', { most: MEMBERS_MAX })
}

function mustLeaveAnOwner(members: Keyed<Member>, user: string): void {
  const others = membersOf(members).some(each => each.role === 'owner' && each.user !== user)
  if (!others) throw rejected('room_last_owner', 'Make another member an owner first.')
}

function without({ members }: OpenRoom, user: string) {
  const member = memberOf(members, user)
  if (!member) return []
  if (member.role === 'owner') mustLeaveAnOwner(members, user)
  return [{ type: 'RoomMemberRemoved', data: { user } }] as const
}
