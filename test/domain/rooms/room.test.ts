import { room } from '../../../domain/rooms/room/room.ts'
import { specFor } from '../../support/spec.ts'

const asked = { kind: 'group' as const, title: 'The atlas', posting: 'members' as const, with: ['jon'] }
const settings = { title: 'The atlas', posting: 'members', privacy: 'private', joining: 'invited' } as const
const opened = (more: object = {}) => {
  const members = [
    { user: 'mira', role: 'owner' as const },
    { user: 'jon', role: 'member' as const },
  ]
  return { type: 'RoomOpened' as const, data: { kind: 'group' as const, ...settings, members, ...more } }
}
const [mira, jon, ann] = [{ actor: 'mira' }, { actor: 'jon' }, { actor: 'ann' }]
const added = { type: 'RoomMemberAdded', data: { user: 'ann', role: 'member' } } as const
const direct = opened({
  kind: 'direct',
  members: ['mira', 'jon'].map(user => ({ user, role: 'owner' })),
})
const archived = { type: 'RoomArchived', data: {} } as const

describe('room', () => {
  const { given } = specFor(room)

  it('is opened once, of the members that its kind asks for', () => {
    given().when('open', asked, mira).then(opened())
    given(opened()).when('open', asked, mira).rejects('room_already_opened')
    given()
      .when('open', { ...asked, kind: 'direct' }, mira)
      .then(direct)
    given()
      .when('open', { ...asked, kind: 'direct', with: [] }, mira)
      .rejects('room_direct_of_two')
    given()
      .when('open', { ...asked, kind: 'project' }, mira)
      .rejects('room_project_missing')
    given()
      .when('open', { ...asked, kind: 'community' }, mira)
      .then(opened({ kind: 'community', privacy: 'organization', joining: 'open' }))
  })

  it('has settings, which moderators change until it is archived', () => {
    const changed = { type: 'RoomChanged', data: { posting: 'moderators' } } as const
    given(opened()).when('change', { posting: 'moderators' }, mira).then(changed)
    given(opened(), changed).when('change', { posting: 'moderators' }, mira).changesNothing()
    given(opened()).when('change', { posting: 'moderators' }, jon).rejects('room_not_yours')
    given(direct).when('change', { joining: 'open' }, mira).rejects('room_direct_of_two')
    given(opened()).when('archive', {}, mira).then(archived)
    given(opened(), archived).when('change', { title: 'x' }, mira).rejects('room_archived')
    given(opened(), archived).when('restore', {}, mira).then({ type: 'RoomRestored', data: {} })
    given(opened(), archived).when('archive', {}, mira).changesNothing()
    given(opened()).when('restore', {}, mira).changesNothing()
  })

  it('has members, who are added, join where that is open, and leave', () => {
    given(opened()).when('add', { user: 'ann', role: 'member' }, mira).then(added)
    given(opened()).when('add', { user: 'jon', role: 'member' }, mira).rejects('room_member_already')
    given(opened()).when('join', {}, ann).rejects('room_by_invitation')
    given(opened({ joining: 'open' }))
      .when('join', {}, ann)
      .then(added)
    given(opened({ joining: 'open' }))
      .when('join', {}, jon)
      .changesNothing()
    given(direct).when('join', {}, ann).rejects('room_direct_of_two')
    given(opened())
      .when('leave', {}, jon)
      .then({ type: 'RoomMemberRemoved', data: { user: 'jon' } })
    given(opened()).when('leave', {}, mira).rejects('room_last_owner')
    given(opened()).when('remove', { user: 'jon' }, jon).rejects('room_not_yours')
    given(opened()).when('remove', { user: 'ann' }, mira).changesNothing()
    const many = Array.from({ length: 1_999 }, (_, n) => ({ user: `user-${n}`, role: 'member' }))
    given(opened({ members: [{ user: 'mira', role: 'owner' }, ...many] }))
      .when('add', { user: 'ann', role: 'member' }, mira)
      .rejects('room_full')
  })

  it('keeps an owner', () => {
    const made = { type: 'RoomMemberRoleSet', data: { user: 'jon', role: 'owner' } } as const
    given(opened()).when('setRole', { user: 'jon', role: 'owner' }, mira).then(made)
    given(opened()).when('setRole', { user: 'jon', role: 'member' }, mira).changesNothing()
    given(opened()).when('setRole', { user: 'mira', role: 'member' }, mira).rejects('room_last_owner')
    given(opened()).when('setRole', { user: 'ann', role: 'member' }, mira).rejects('room_not_a_member')
    given(opened(), made)
      .when('leave', {}, mira)
      .then({ type: 'RoomMemberRemoved', data: { user: 'mira' } })
  })

  it('has pins, a hundred at most', () => {
    const pinned = (message: string) => ({ type: 'MessagePinned', data: { message } }) as const
    given(opened()).when('pin', { message: 'm' }, mira).then(pinned('m'))
    given(opened(), pinned('m')).when('pin', { message: 'm' }, mira).changesNothing()
    const full = Array.from({ length: 100 }, (_, n) => pinned(`m-${n}`))
    given(opened(), ...full)
      .when('pin', { message: 'm' }, mira)
      .rejects('room_pins_full')
    given(opened(), pinned('m'))
      .when('unpin', { message: 'm' }, mira)
      .then({ type: 'MessageUnpinned', data: { message: 'm' } })
    given(opened()).when('unpin', { message: 'm' }, mira).changesNothing()
  })
})
