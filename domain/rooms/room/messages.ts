/** The room's storage and wire contract: add, never rename; change a shape with an upcaster. */
import { id, integer, list, object, oneOf, ref, text } from '../../kernel/schema.ts'

/** Members of a room: each is in its state. */
export const MEMBERS_MAX = 2_000

const user = text(128)
/** The path of a member has this name in it: the list's summary has a path of its own. */
const named = id('user').refine(name => name !== 'summary', { error: 'summary is taken by a path' })
const kind = oneOf('direct', 'group', 'project', 'community').meta({
  description: '`direct`: two users for good; `project`: of a project; `community`: everybody may read and join',
})
const role = oneOf('owner', 'moderator', 'member')
const settings = {
  title: text(255),
  topic: text(2_000),
  privacy: oneOf('private', 'organization').meta({
    description: '`private`: read by its members; `organization`: by everybody who may read rooms',
  }),
  joining: oneOf('invited', 'open').meta({ description: '`open`: who can read it may join' }),
  posting: oneOf('members', 'moderators').meta({
    description: 'who may begin messages; all members answer in threads',
  }),
  retention_days: integer(1, 36_500).meta({ description: 'days after which a message is no longer read by anybody' }),
}
const member = object({ user, role })

export const events = {
  RoomOpened: object({
    ...settings,
    kind,
    topic: settings.topic.optional(),
    retention_days: settings.retention_days.optional(),
    project: id('project').optional(),
    members: list(member, MEMBERS_MAX, 1),
  }),
  RoomChanged: object({
    title: settings.title.optional(),
    topic: settings.topic.nullable().optional(),
    privacy: settings.privacy.optional(),
    joining: settings.joining.optional(),
    posting: settings.posting.optional(),
    retention_days: settings.retention_days.nullable().optional(),
  }),
  RoomArchived: object({}),
  RoomRestored: object({}),
  RoomMemberAdded: object({ user, role }),
  RoomMemberRoleSet: object({ user, role }),
  RoomMemberRemoved: object({ user }),
  MessagePinned: object({ message: id('message') }),
  MessageUnpinned: object({ message: id('message') }),
} as const

export const commands = {
  open: object({
    id: id('room').optional(),
    kind,
    title: settings.title,
    topic: settings.topic.optional(),
    privacy: settings.privacy.optional(),
    joining: settings.joining.optional(),
    posting: settings.posting.default('members'),
    retention_days: settings.retention_days.optional(),
    project: ref('project').optional(),
    with: list(user, MEMBERS_MAX - 1)
      .default([])
      .meta({ description: 'other users who are members from the start' }),
  }).meta({ examples: [{ id: 'room-1', kind: 'group', title: 'The atlas', topic: 'Maps and ink', with: ['jon'] }] }),
  change: events.RoomChanged.meta({ examples: [{ topic: 'Maps, ink and paper', posting: 'members' }] }),
  archive: object({}),
  restore: object({}),
  add: object({ user: named, role: oneOf('moderator', 'member').default('member') }).meta({
    examples: [{ user: 'ann' }],
  }),
  join: object({}),
  leave: object({}),
  remove: object({ user }),
  setRole: object({ user, role }).meta({ examples: [{ role: 'moderator' }] }),
  pin: object({ message: ref('message') }).meta({ examples: [{ message: 'message-0' }] }),
  unpin: object({ message: id('message') }),
} as const

export const rejections = [
  'room_already_opened',
  'room_direct_of_two',
  'room_project_missing',
  'room_archived',
  'room_not_a_member',
  'room_not_yours',
  'room_by_invitation',
  'room_member_already',
  'room_full',
  'room_last_owner',
  'room_pins_full',
] as const
