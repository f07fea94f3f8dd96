import { roomMembers } from '../../../projections/rooms/room-members.ts'
import { rooms } from '../../../projections/rooms/rooms.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const settings = { title: 'x', topic: 'y', privacy: 'private', joining: 'invited', posting: 'members' }
const members = [
  { user: 'mira', role: 'owner' },
  { user: 'jon', role: 'member' },
]
const opened = { type: 'RoomOpened', data: { kind: 'group', ...settings, members } }
const added = { type: 'RoomMemberAdded', data: { user: 'ann', role: 'member' } }
const removed = { type: 'RoomMemberRemoved', data: { user: 'jon' } }
const pinned = { type: 'MessagePinned', data: { message: 'm' } }

describe('rows: rooms', () => {
  it('have their settings, pins and readers', async () => {
    const { given } = rowsFor(rooms)
    await given(opened).then({ kind: 'group', ...settings, status: 'open', readers: ['user mira', 'user jon'] })
    const changed = { type: 'RoomChanged', data: { topic: null, posting: 'moderators' } }
    await given(opened, changed, pinned).then({ title: 'x', topic: undefined, posting: 'moderators', pins: ['m'] })
    await given(opened, pinned, { type: 'MessageUnpinned', data: { message: 'm' } }).then({ pins: [] })
    await given(opened, added, removed).then({ readers: ['user mira', 'user ann'] })
    await given(opened, { type: 'RoomArchived', data: {} }).then({ status: 'archived' })
  })

  it('have members with what these have read', async () => {
    const { given } = rowsFor(roomMembers)
    const made = { type: 'RoomMemberRoleSet', data: { user: 'jon', role: 'moderator' } }
    await given(opened, made).then({ user: 'jon', role: 'moderator' }, { user: 'mira', role: 'owner' })
    await given(opened, removed).then({ user: 'mira' })
  })
})
