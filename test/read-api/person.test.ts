/** What there is of a person: what concerns them, and nothing while a read model stands still. */
import { expect } from 'chai'
import { resources } from '../../infra/catalogue.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { allOf, type PersonDeps } from '../../read-api/audit/person.ts'
import { followVersions } from '../../read-api/versions.ts'
import { History, makeWorld, type World } from './support.ts'

const ORG = 'acme'
const BOOK = { type: 'book', name: 'Book', owner: 'jon' }

/** Persons who have the names of states, currencies and fields, with the only events that are about each. */
const CONCERNING: Readonly<Record<string, readonly string[]>> = {
  open: ['TaskAssigned', 'MemberAdded'],
  EUR: ['TransferApprovalAsked'],
  name: ['ItemShared'],
  'b<c>"&é': ['TimeLogged'],
  kitchen: [],
  review: ['RolesDelegated', 'ExportRequested'],
}

describe('read API: what there is of a person', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
    const history = new History()
    const add = (category: string, id: string, type: string, data: object) => history.add(ORG, category, id, type, data)
    add('task', 'a', 'TaskCreated', { name: 'name', status: 'open', labels: ['EUR', 'kitchen'] })
    add('task', 'a', 'TaskStatusChanged', { from: 'open', to: 'review' })
    add('task', 'a', 'TaskAssigned', { from: null, to: 'open' })
    const worked = { entry: 'e', minutes: 5, workedOn: '2026-01-02' }
    add('task', 'a', 'TimeLogged', { ...worked, user: 'b<c>"&é' })
    add('item', 'i', 'ItemAdded', { ...BOOK, status: 'open', metadata: { owner: 'kitchen', name: 'EUR' } })
    add('item', 'i', 'ItemShared', { kind: 'user', with: 'name', role: 'reader' })
    add('item', 'i', 'ItemShared', { kind: 'team', with: 'kitchen', role: 'reader' })
    add('organization', ORG, 'MemberAdded', { user: 'open', roles: ['guest'], reason: 'open' })
    const source = { from: 'EUR', fromAccount: 'main', currency: 'EUR', places: 2, amount: 100n }
    add('transfer', 't', 'TransferRequested', { ...source, to: 'kitchen', toAccount: 'name' })
    add('transfer', 't', 'TransferApprovalAsked', { approvers: ['jon', 'EUR'], expiresAt: '2026-02-02T03:04:05.678Z' })
    const until = '2026-02-02T03:04:05.678Z'
    add('sharing', ORG, 'RolesDelegated', { delegation: 'd', from: 'jon', to: 'review', roles: ['guest'], until })
    add('export', 'x', 'ExportRequested', { export: 'x', selection: { subjects: ['review'] } })
    await world.write(history)
  })
  after(() => world?.close())

  it('has of the acts of others those that name the person, not those that have the name as another word', async () => {
    for (const [subject, types] of Object.entries(CONCERNING)) {
      const { status, data } = await world.call(ORG, `/kmg/persons/${encodeURIComponent(subject)}/data`)
      expect(status, subject).to.equal(200)
      const { concerning } = data as { concerning: readonly { readonly type: string }[] }
      expect(concerning.map(({ type }) => type).toSorted(), subject).to.deep.equal([...types].toSorted())
    }
  })

  it('is not said to be complete while a read model of it stands still', async () => {
    const client = await world.pool.connect()
    const keys = { keysOf: async () => new Set<string>(), unseal: async () => [] }
    const deps = { versions: followVersions(world.pool), resources, client, ...keys } as unknown as PersonDeps & {
      client: typeof client
    }
    const kinds = async () => {
      const found: string[] = []
      for await (const { kind } of allOf(deps, { org: ORG, subject: 'name' })) found.push(kind)
      return found
    }
    try {
      expect(await kinds()).to.include('item_shares')
      const stall = `update checkpoints set state = $1 where projection = 'item_shares' and bucket = $2`
      await world.pool.query(stall, ['stalled', bucketOf(ORG)])
      const error = await kinds().catch(fault => fault)
      expect(error).to.have.property('code', 'projection_stalled')
      await world.pool.query(stall, ['running', bucketOf(ORG)])
      expect(await kinds()).to.include('item_shares')
    } finally {
      client.release()
    }
  })
})
