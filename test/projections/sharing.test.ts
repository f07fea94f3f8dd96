import { expect } from 'chai'
import { minorUnits, object, text } from '../../domain/kernel/schema.ts'
import { codec, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { type Pool, withTransaction } from '../../infra/postgres.ts'
import { checkTables } from '../../projections/care/check.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import { bucketOf } from '../../projections/rows/bucket.ts'
import { type AnyProjection, projection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, separateAll, startRunner, until } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
/** Counts all events, in one row that belongs to no org. */
const counter = projection({
  name: 'counter',
  version: 1,
  service: 'audit',
  history: false,
  of: {},
  row: object({ kind: text(16), events: minorUnits }),
  key: ['kind'],
  indexes: [],
  on: {},
  every: {
    keys: () => [{ kind: 'all' }],
    fold: (row, _, key) => ({ kind: String(key.kind), events: (row?.events ?? 0n) + 1n }),
  },
}) as AnyProjection

const others = projections.filter(projection => projection !== tasks)

type Kept = { readonly shared: number; readonly members: number; readonly own: readonly string[] }

/** The rows that keep checkpoints: shared ones, those who share them, and the partitions that have their own. */
async function kept(pool: Pool): Promise<Kept> {
  const { rows } = await pool.query(`select
    (select count(*)::int from shared_checkpoints) as shared,
    (select count(*)::int from projection_checkpoints where shared is not null) as members,
    (select coalesce(array_agg(projection || '_v' || version || '/' || bucket order by projection, bucket), '{}')
     from projection_checkpoints where shared is null) as own`)
  return rows[0]
}

const allShared = (pool: Pool, own = 0) =>
  until(async () => {
    const found = await kept(pool)
    return found.shared === 16 && found.own.length === own
  }, `all but ${own} partitions to share 16 rows`)

describe('projections: shared checkpoints', () => {
  it('keep the position of all projections of a bucket in one row, also when no event comes', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 91, count: 120, orgs: 20 })
    const log = new MemoryLog(events)
    const first = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await allShared(pool)
    await first.close()
    await separateAll(pool)
    const second = startRunner(pool, log)
    await allShared(pool)
    expect(await kept(pool)).to.deep.equal({ shared: 16, members: projections.length * 16, own: [] })
    await second.close()
    await expectFolded(pool, events)
  })

  it('are written once for each bucket, however many projections there are', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 92, count: 200, orgs: 40 })
    const log = new MemoryLog(events.slice(0, 100))
    const many = Array.from({ length: 24 }, (_, n) => ({ ...tasks, name: `tasks_${n}` })) as AnyProjection[]
    const runner = startRunner(pool, log, { projections: many })
    await reached(pool, events[99]!.position, many)
    await allShared(pool)
    // The transaction that wrote each row last.
    const writers = async () =>
      (
        await pool.query(`select c.xmin::text as checkpoint, l.xmin::text as lease from projection_checkpoints c
          join projection_leases l using (projection, version, bucket) order by projection, version, bucket`)
      ).rows
    const before = await writers()
    log.append(...events.slice(100))
    await reached(pool, events.at(-1)!.position, many)
    await new Promise(resolve => setTimeout(resolve, 1_500))
    expect(await writers(), 'no row of a projection and no lease').to.deep.equal(before)
    await runner.close()
  })

  it('lose a projection that an event stops, and get it back when it has caught up', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const at = events.indexOf(poison)
    const log = new MemoryLog(events.slice(0, at))
    let mended = false
    const faulty = faultyTasks('poison', () => mended)
    const runner = startRunner(pool, log, { projections: [...others, faulty] })
    await reached(pool, events[at - 1]!.position)
    await allShared(pool)
    log.append(...events.slice(at))
    await reached(pool, events.at(-1)!.position, others)
    await allShared(pool, 1)
    const stopped = (await readCheckpoints(pool)).filter(({ state }) => state !== 'running')
    expect(stopped.map(({ projection, position }) => [projection, position])).to.deep.equal([
      ['tasks', events[at - 1]!.position],
    ])
    expect((await kept(pool)).own).to.deep.equal([`tasks_v4/${stopped[0]!.bucket}`])
    const checked = await withTransaction(
      pool,
      client => checkTables({ client, events: log, decode: codec.decode, projections }),
      { isolation: 'repeatable read', readOnly: true },
    )
    expect(checked.flatMap(({ differences }) => differences)).to.deep.equal([])
    const positions = new Map(checked.map(({ table, position }) => [table, position]))
    expect([positions.get('tasks_v4'), positions.get('items_v5')]).to.deep.equal([
      events[at - 1]!.position,
      events.at(-1)!.position,
    ])
    mended = true
    await pool.query(`update projection_checkpoints set state = 'running', error = null where shared is null`)
    await reached(pool, events.at(-1)!.position)
    await allShared(pool)
    await runner.close()
    await expectFolded(pool, events)
  })

  it('lose a projection that lags, whose own rows move until it has caught up', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 93, count: 400 })
    const far = events.map((event, n) => ({ ...event, position: event.position + (n < 200 ? 0n : 10_000_000n) }))
    const log = new MemoryLog(far)
    const first = startRunner(pool, log)
    await reached(pool, far.at(-1)!.position)
    await allShared(pool)
    await first.close()
    const key = `projection = 'tasks' and version = ${tasks.version}`
    await pool.query(`update projection_checkpoints set position = 0, shared = null, epoch = epoch + 1 where ${key}`)
    await pool.query('update shared_checkpoints set epoch = epoch + 1')
    await pool.query('truncate tasks_v4, tasks_v4_history')
    const batch = { min: 5, max: 5, targetMs: 10 }
    const second = startRunner(pool, log, { batch })
    let together = 0
    await until(async () => {
      const { rows } = await pool.query(`select count(*)::int as n from projection_checkpoints c
        join shared_checkpoints s on s.id = c.shared
        where c.projection = 'tasks' and s.position < ${far.at(-1)!.position}
          and exists (select from projection_checkpoints o where o.shared = s.id and o.projection <> 'tasks')`)
      together += rows[0].n
      const found = await readCheckpoints(pool, [tasks])
      return found.every(({ position }) => position === far.at(-1)!.position)
    }, 'the one that lags to catch up')
    expect(together, 'rows shared while it lagged').to.equal(0)
    await allShared(pool)
    await second.close()
    await expectFolded(pool, far)
  })

  it('lose a projection at the swap of its rebuild, while the others go on, and get it back', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 98, count: LONG ? 500 : 320, orgs: 20 })
    const log = new MemoryLog(events.slice(0, 200))
    const runner = startRunner(pool, log, { batch: { min: 5, max: 20, targetMs: 10 } })
    await reached(pool, events[199]!.position)
    await allShared(pool)
    const options = { pool, events: log, decode: codec.decode, log: silentLog }
    let rebuilds = 0
    let done = false
    const rebuilding = (async () => {
      for (; !done; rebuilds += 1) {
        const rebuilt = await rebuild({ ...options, projection: tasks, id: `rebuild-${rebuilds}` })
        expect(rebuilt.changedOrgs).to.deep.equal([])
      }
    })()
    for (const event of events.slice(200)) {
      log.append(event)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    done = true
    await rebuilding
    expect(rebuilds).to.be.greaterThan(0)
    await reached(pool, events.at(-1)!.position)
    await allShared(pool)
    await runner.close()
    await expectFolded(pool, events)
    const checked = await withTransaction(
      pool,
      client => checkTables({ client, events: log, decode: codec.decode, projections }),
      { isolation: 'repeatable read', readOnly: true },
    )
    expect(checked.flatMap(({ differences }) => differences)).to.deep.equal([])
    expect(new Set(checked.map(({ position }) => position))).to.deep.equal(new Set([events.at(-1)!.position]))
  })

  it('pass to a projector with another set of versions, which never moves what it does not run', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 94, count: LONG ? 3_000 : 600, orgs: 20 })
    const log = new MemoryLog(events.slice(0, 200))
    const later = { ...tasks, version: tasks.version + 1 } as AnyProjection
    const newer = [...others, later]
    const first = startRunner(pool, log)
    await reached(pool, events[199]!.position)
    await allShared(pool)
    const second = startRunner(pool, log, { projections: newer, batch: { min: 3, max: 20, targetMs: 10 } })
    for (const event of events.slice(200, 400)) {
      log.append(event)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    await reached(pool, events[399]!.position)
    await reached(pool, events[399]!.position, newer)
    await first.close()
    for (const event of events.slice(400)) log.append(event)
    await reached(pool, events.at(-1)!.position, newer)
    await second.close()
    await expectFolded(pool, events, newer)
    const left = await readCheckpoints(pool, [tasks])
    const [least, most] = [events[399]!.position, events.at(-1)!.position]
    expect(left.every(({ position }) => position >= least && position < most)).to.equal(true)
    const third = startRunner(pool, log)
    await reached(pool, most)
    await third.close()
    await expectFolded(pool, events)
  })

  it('move with the rows of a projection whose rows belong to no org, whatever bucket an event is of', async () => {
    const pool = await freshPool()
    const org = ['org-0', 'org-1', 'org-2'].find(name => bucketOf(name) !== 0)!
    const events = randomHistory({ seed: 96, count: 60, orgs: 3 }).filter(({ metadata }) => metadata.org === org)
    const log = new MemoryLog(events.slice(0, 10))
    const runner = startRunner(pool, log, {
      projections: [...projections, counter],
      batch: { min: 1, max: 1, targetMs: 1 },
    })
    const counted = async () => {
      const { rows } = await pool.query(`select c.position, coalesce(t.events, 0)::int as events
        from checkpoints c left join ${tableOf(counter)} t on true
        where c.projection = 'counter' and c.bucket = 0`)
      return rows[0]
    }
    await reached(pool, events[9]!.position, [counter])
    for (const [n, event] of events.slice(10).entries()) {
      log.append(event)
      await until(async () => (await counted()).events === n + 11, 'an event to be counted')
      const { position, events: count } = await counted()
      expect(position >= events[count - 1]!.position, `at ${position} with ${count} events`).to.equal(true)
    }
    await runner.close()
  })

  it('are fenced by whoever takes over one of those who share them', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 95, count: 200 })
    const log = new MemoryLog(events.slice(0, 100))
    const silent = startRunner(pool, log, { leaseMs: 60_000, id: 'silent' })
    await reached(pool, events[99]!.position)
    await allShared(pool)
    // The other one sees it as dead and takes tasks alone; the first one does not know.
    const taker = startRunner(pool, log, { projections: [tasks], leaseMs: 60_000 })
    await until(async () => {
      await pool.query(`update projectors set expires_at = now() - interval '1 s' where id = 'silent'`)
      return taker.partitions.length === 16 && taker.workers.length > 0
    }, 'the takeover')
    log.append(...events.slice(100))
    await reached(pool, events.at(-1)!.position)
    await Promise.all([silent.close(), taker.close()])
    await expectFolded(pool, events)
    const { rows } = await pool.query(`select count(distinct c.projection)::int as n from projection_checkpoints c
      where c.shared in (select shared from projection_checkpoints where projection = 'tasks')`)
    expect(rows[0].n, 'projections in the rows of tasks').to.equal(0)
  })
})
