import { readMarks } from '../../../projections/rooms/read-marks.ts'
import { roomMembers } from '../../../projections/rooms/room-members.ts'
import { rowsFor } from '../../support/rows-spec.ts'

const marked = (as: string, upTo: bigint) => ({ type: 'RoomMarked', data: { user: 'mira', as, up_to: upTo } })
const settings = { title: 'x', privacy: 'private', joining: 'invited', posting: 'members' }
const opened = { type: 'RoomOpened', data: { kind: 'group', ...settings, members: [{ user: 'mira', role: 'owner' }] } }

describe('rows: marks of members', () => {
  it('move forward, and what is read was delivered', async () => {
    const { given } = rowsFor(roomMembers)
    await given(opened, marked('delivered', 900n)).then({ delivered_up_to: 900n })
    await given(opened, marked('read', 900n)).then({ delivered_up_to: 900n, read_up_to: 900n })
    await given(marked('read', 900n)).then()
  })

  it('are shown as the last one of a room', () =>
    rowsFor(readMarks).given(marked('delivered', 7n), marked('read', 9n)).then({ user: 'mira', as: 'read', up_to: 9n }))
})
