import { readMark } from '../../../domain/rooms/readmark/readmark.ts'
import { specFor } from '../../support/spec.ts'

const marked = (as: 'delivered' | 'read', up_to: bigint, user = 'user-1') =>
  ({ type: 'RoomMarked', data: { user, as, up_to } }) as const

describe('read marks', () => {
  const { given } = specFor(readMark)

  it('move forward alone, for each user and receipt by itself', () => {
    given().when('read', { up_to: 5n }).then(marked('read', 5n))
    given(marked('read', 5n)).when('read', { up_to: 5n }).changesNothing()
    given(marked('read', 5n)).when('read', { up_to: 4n }).changesNothing()
    given(marked('read', 5n)).when('deliver', { up_to: 4n }).then(marked('delivered', 4n))
    given(marked('read', 5n, 'jon'))
      .when('read', { up_to: 4n })
      .then(marked('read', 4n))
  })
})
