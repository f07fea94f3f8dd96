import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { balances } from '../../projections/wallet/balances.ts'
import { everyPage, History, makeWorld, type World } from './support.ts'

const ORG = 'north'

describe('position tokens', () => {
  let world: World
  before(async () => {
    world = await makeWorld()
    await world.write(new History().add(ORG, 'task', 't', 'TaskCreated', { name: 'Do', status: 'open' }))
    await world.move(1_000n)
  })
  after(() => world.close())
  const read = (query = '', headers = {}) => world.call(ORG, `/kctr/tasks/t${query}`, headers)

  it('answers at once where the position is reached, by header and by parameter', async () => {
    expect((await read('', { 'kogi-min-position': '1000' })).meta).to.deep.equal({ position: '1000' })
    expect((await read('?at_least=999')).headers).to.include({ 'Kogi-Position': '1000' })
  })

  it('answers 503 with the position reached when the time is up, the larger of two tokens counting', async () => {
    for (const late of [
      await read('?at_least=1001&wait=0'),
      await read('?wait=60', { 'kogi-min-position': '9223372036854775807' }),
      await read('?at_least=5&wait=0', { 'kogi-min-position': '1001' }),
    ]) {
      expect(late).to.include({ status: 503, code: 'not_yet_visible' })
      expect(late.data).to.deep.equal([{ field: 'position', message: '1000' }])
    }
  })

  it('wakes up when the checkpoint moves, long before the next poll', async () => {
    await sleep(100) // until it listens
    const tries: number[] = []
    for (let position = 1_010n; position < 1_020n; position += 1n) {
      const waiting = read(`?at_least=${position}&wait=5000`)
      await sleep(20)
      const start = performance.now()
      await world.move(position)
      expect((await waiting).meta).to.deep.equal({ position: String(position) })
      tries.push(performance.now() - start)
    }
    expect(Math.min(...tries)).to.be.lessThan(200)
  })

  it('is never stale: a token is answered from rows that hold its write', async () => {
    const writes = process.env.KOGI_LONG ? 10_000 : 150
    for (let n = 0; n < writes; n += 1) {
      const position = 2_000n + BigInt(n)
      const written = world.pool.query(
        `with row as (update tasks_v4 set name = $1 where id = 't'),
          moved as (update checkpoints set position = $2 where projection = 'tasks')
          select pg_notify('kogi_checkpoints', $2::bigint::text)`,
        [`name ${n}`, position],
      )
      const { data } = await read(`?at_least=${position}&wait=5000`)
      expect(data).to.include({ name: `name ${n}` })
      await written
    }
  }).timeout(120_000)

  it('polls while its listening connection is broken, and listens again', async () => {
    const { rowCount } = await world.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like 'listen %'`,
    )
    expect(rowCount).to.equal(1)
    await sleep(50)
    const waiting = read('?at_least=5000&wait=5000')
    await world.pool.query(`update checkpoints set position = 5000`)
    expect((await waiting).status).to.equal(200)
    await sleep(1_200)
    const again = await world.pool.query(
      `select from pg_stat_activity where datname = current_database() and query like 'listen %'`,
    )
    expect(again.rowCount).to.equal(1)
  })

  it('takes the lowest checkpoint of what it read', async () => {
    await world.move(9_000n)
    await world.pool.query(`update checkpoints set position = 8999 where projection = 'postings' and bucket = $1`, [
      bucketOf(ORG),
    ])
    await world.write(
      new History()
        .add(ORG, 'wallet', 'w', 'WalletOpened', { owner: 'o', kind: 'personal' })
        .add(ORG, 'wallet', 'w', 'AccountOpened', { account: 'a', currency: 'EUR', places: 2, overdraft: 'refused' }),
    )
    await world.move(9_000n)
    await world.pool.query(`update checkpoints set position = 8999 where projection = 'postings' and bucket = $1`, [
      bucketOf(ORG),
    ])
    const statement = await world.call(ORG, '/kwlt/wallets/w/accounts/a/statement?currency=EUR')
    expect(statement.meta).to.deep.equal({ position: '8999' })
    // Accounts tell what is available, which postings of days to come decide.
    expect((await world.call(ORG, '/kwlt/wallets/w/accounts')).meta).to.deep.equal({ position: '8999' })
    expect((await world.call(ORG, '/kctr/tasks')).meta).to.deep.equal({ position: '9000' })
    await world.pool.query(`delete from checkpoints where projection = 'postings' and bucket = $1`, [bucketOf(ORG)])
    const unknown = await world.call(ORG, '/kwlt/wallets/w/accounts/a/statement?currency=EUR')
    expect(unknown.meta, 'a projection that never ran').to.deep.equal({ position: '0' })
  })

  it('takes the lowest one also for the book of an item that has none yet', async () => {
    await world.write(
      new History().add(ORG, 'item', 'i', 'ItemAdded', { type: 'x', name: 'x', status: 'x', owner: 'o', metadata: {} }),
    )
    await world.move(9_000n)
    await world.pool.query(`update checkpoints set position = 8999 where projection = 'item_books'`)
    const { data, headers } = await world.call(ORG, '/kbfc/items/i/book')
    expect([(data as { version: number }).version, headers!['Kogi-Position']]).to.deep.equal([0, '8999'])
    await world.move(9_000n)
  })

  it('answers 503 for the queries of a stalled projection, and no others', async () => {
    await world.pool.query(`update checkpoints set state = 'stalled' where projection = $1 and bucket = $2`, [
      balances.name,
      bucketOf(ORG),
    ])
    const stalled = await world.call(ORG, '/kwlt/accounts')
    expect(stalled).to.include({ status: 503, code: 'projection_stalled' })
    expect((await world.call(ORG, '/kwlt/wallets')).status).to.equal(200)
    const elsewhere = ['a', 'b', 'c', 'd'].find(org => bucketOf(org) !== bucketOf(ORG))!
    expect((await world.call(elsewhere, '/kwlt/accounts')).status).to.equal(200)
    await world.move(9_000n)
  })

  it('says that a read model is not built yet, rather than answer with nothing', async () => {
    await world.pool.query('alter table items_v5 rename to items_v0')
    expect(await world.call(ORG, '/kbfc/items')).to.include({ status: 503, code: 'not_yet_visible' })
    const inVain = await world.call(ORG, '/kbfc/items?at_least=0&wait=60')
    expect(inVain).to.include({ status: 503, code: 'not_yet_visible' })
    await world.pool.query('alter table items_v0 rename to items_v5')
  })

  it('waits with a token for a read model that is not built yet', async () => {
    await world.pool.query('alter table items_v5 rename to items_v0')
    const waiting = world.call(ORG, '/kbfc/items?at_least=9000&wait=20000')
    await sleep(50)
    await world.pool.query('alter table items_v0 rename to items_v5')
    await world.move(9_001n)
    expect(await waiting).to.include({ status: 200 })
  })
})

describe('keyset pages', () => {
  it('lose and double no row while others are added', async () => {
    const world = await makeWorld()
    const idArb = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~:@-]{0,12}$/)
    const idsArb = fc.uniqueArray(idArb, { minLength: 1, maxLength: 60 })
    const property = fc.asyncProperty(idsArb, fc.integer({ min: 1, max: 9 }), async (ids, limit) => {
      const half = Math.ceil(ids.length / 2)
      const history = new History()
      for (const id of ids.slice(0, half)) history.add(ORG, 'task', id, 'TaskCreated', { name: 'x', status: 'open' })
      await world.write(history)
      const late = [...ids.slice(half)]
      const adding = (async () => {
        for (const id of late) {
          await world.pool.query(
            `insert into tasks_v4 (org, id, name, status, stage, minutes, comments, status_changes, reassignments,
              team_changes, revision, created_revision, created_at, updated_at)
              values ('north', $1, 'x', 'open', 'todo', 0, 0, 0, 0, 0, 0, 0, '', '')`,
            [id],
          )
        }
      })()
      const seen = (await everyPage(world, ORG, `/kctr/tasks?limit=${limit}`)).map(({ id }) => id as string)
      await adding
      expect(new Set(seen).size, 'none twice').to.equal(seen.length)
      expect(seen).to.include.members(ids.slice(0, half))
      expect(seen, 'in order').to.deep.equal([...seen].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    })
    try {
      await fc.assert(property, { numRuns: process.env.KOGI_LONG ? 300 : 15 })
    } finally {
      await world.close()
    }
  }).timeout(120_000)
})
