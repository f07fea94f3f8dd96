import { expect } from 'chai'
import { guards } from '../../infra/catalogue.ts'
import type { Announced } from '../../read-api/live/announced.ts'
import { viewsOf } from '../../read-api/live/views.ts'
import { type Grantees, granteesOf, readable } from '../../read-api/readers.ts'
import { History, makeWorld, type World } from '../read-api/support.ts'

describe('what each subscriber is told of a batch', () => {
  let world: World
  const item = { type: 'app', status: 'x', metadata: {}, name: 'Thing' }
  const history = new History()
  const owners = ['mira', 'jon', 'kim']
  for (const owner of owners) {
    for (const privacy of ['private', 'organization']) {
      history.add('north', 'item', `${owner}-${privacy}`, 'ItemAdded', { ...item, owner, privacy })
    }
  }
  const events = history.events.map(
    ({ metadata: { id }, position }): Announced =>
      ({ position, category: 'item', id, type: 'ItemAdded', row: { data: {} }, channels: [] }) as unknown as Announced,
  )
  const callers: readonly Grantees[] = [
    ...owners.map(subject => granteesOf({ subject, permissions: [] })),
    granteesOf({ subject: 'eve', permissions: [] }),
    granteesOf({ subject: 'ada', permissions: ['*'] }),
  ]
  before(async () => {
    world = await makeWorld()
    await world.write(history)
  })
  after(() => world.close())

  it('is what each of them may read, and two statements find it for all', async () => {
    let statements = 0
    const query = (...of: [never]) => {
      statements += 1
      return world.pool.query(...of)
    }
    const deps = { pool: { query } as never, guards }
    const subscribers = callers.map(grantees => ({ grantees: () => grantees }))
    const viewOf = await viewsOf(deps, 'north', { events, rendered: new Map() }, subscribers)
    expect(statements).to.equal(2)
    for (const subscriber of subscribers) {
      const open = await readable(
        deps,
        'north',
        subscriber.grantees(),
        events.map(({ id }) => ({ category: 'item', id })),
      )
      const expected = events.filter((_, at) => open[at])
      expect(viewOf(subscriber)!.events).to.deep.equal(expected)
      const own = owners.filter(owner => subscriber.grantees()?.includes(`user ${owner}`))
      const ids = owners.map(owner => `${owner}-organization`).concat(own.map(owner => `${owner}-private`))
      const wanted = subscriber.grantees() === undefined ? events.map(({ id }) => id) : ids
      expect(expected.map(({ id }) => id)).to.have.members(wanted)
    }
    expect(viewOf({ grantees: () => ['user new'] })).to.equal(undefined)
  })
})
