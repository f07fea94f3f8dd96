import { expect } from 'chai'
import { History, makeWorld, type World } from '../support.ts'

const added = { type: 'app', status: 'draft', name: 'Clock', metadata: {}, owner: 'tom' }

describe('shares of items', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
  })
  after(() => world.close())

  const sharesAt = async (path: string) => {
    const { status, data } = await world.call('north', path)
    expect(status, path).to.equal(200)
    return (data as { with: string }[]).map(share => share.with)
  }

  it('are of the item as it was added last, also in a log of before, which did not end them', async () => {
    const history = new History()
      .add('north', 'item', 'x', 'ItemAdded', added)
      .add('north', 'item', 'x', 'ItemShared', { kind: 'user', with: 'mira', role: 'owner' })
      .add('north', 'item', 'y', 'ItemAdded', added)
      .add('north', 'item', 'y', 'ItemShared', { kind: 'user', with: 'mira', role: 'reader' })
    const before = history.position
    history
      .add('north', 'item', 'x', 'ItemArchived', {})
      .add('north', 'item', 'x', 'ItemAdded', { ...added, owner: 'jon' })
      .add('north', 'item', 'x', 'ItemShared', { kind: 'user', with: 'eve', role: 'reader' })
    await world.write(history)
    expect(await sharesAt('/kbfc/items/x/shares')).to.deep.equal(['eve'])
    expect(await sharesAt('/kbfc/item-shares')).to.deep.equal(['eve', 'mira'])
    expect(await sharesAt('/kbfc/item-shares?with=mira')).to.deep.equal(['mira'])
    expect((await world.call('north', '/kbfc/items/x/shares/user/mira')).status).to.equal(404)
    expect(await sharesAt(`/kbfc/items/x/shares?as_of=${before}`)).to.deep.equal(['mira'])
    expect(await sharesAt(`/kbfc/item-shares?as_of=${before}`)).to.deep.equal(['mira', 'mira'])
    const { data } = await world.call('north', '/kbfc/item-shares/summary?by=with')
    expect(data).to.deep.equal([
      { group: { with: 'eve' }, count: 1, sums: {} },
      { group: { with: 'mira' }, count: 1, sums: {} },
    ])
  })
})
