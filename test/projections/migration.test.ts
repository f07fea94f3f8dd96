/** A database of the release before, whose projections each had a checkpoint of their own and nothing else. */
import { expect } from 'chai'
import createKnex from 'knex'
import { silentLog } from '../../infra/log.ts'
import { migrate } from '../../infra/migrate.ts'
import { migrations } from '../../infra/migrations/index.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { freshDatabase } from '../support/postgres.ts'
import { randomHistory } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner } from './support.ts'

const NEWER = migrations.read.slice(migrations.read.findIndex(({ name }) => name === '0003_shared_checkpoints'))

/** What projectors of that release do once a second. */
const REGISTER = `insert into projectors (id, runs, backend, seen_at)
  values ('old', '{tasks_v4}', pg_backend_pid(), clock_timestamp())
  on conflict (id) do update set runs = excluded.runs, backend = excluded.backend, seen_at = excluded.seen_at`
const RENEW = `update projection_leases l set expires_at = clock_timestamp() where l.owner = 'old'`
const ACQUIRE = 'update checkpoints c set epoch = epoch + 1'
/** What they do with every batch. */
const MOVE = `with m as materialized (select 'tasks' as projection, 1 as version, 3 as bucket),
  due as materialized (
    select c.projection, c.version, c.bucket from checkpoints c join m using (projection, version, bucket)
    order by c.projection, c.version, c.bucket for update of c)
  update checkpoints c set position = 1 from due
  where c.projection = due.projection and c.version = due.version and c.bucket = due.bucket`

/** The tables as that release made them, with the rows of this database in them: its other tables are the same. */
async function backToTheReleaseBefore(pool: Pool): Promise<void> {
  await pool.query('create table kept as select * from checkpoints')
  await pool.query('create table leased as select * from projection_leases')
  await pool.query('drop view checkpoints; drop table projection_checkpoints, shared_checkpoints')
  await pool.query('drop table projection_leases, projectors, log_heads, worker_leases, notary_tiles, notary_heads')
  await pool.query('drop table row_map_pages, row_maps')
  const url = pool.options.connectionString!
  const knex = createKnex({ client: 'pg', connection: url, pool: { min: 0, max: 1 } })
  for (const { up } of migrations.read.slice(0, -NEWER.length)) await up(knex)
  await knex.destroy()
  await pool.query('delete from knex_migrations where name = any($1)', [NEWER.map(({ name }) => name)])
  await pool.query(`insert into checkpoints
    select projection, version, bucket, position, epoch, state, error, updated_at from kept`)
  await pool.query(`insert into projection_leases (projection, version, bucket, owner, expires_at)
    select projection, version, bucket, 'old', now() + interval '1 hour' from leased`)
  await pool.query(REGISTER)
  await pool.query('drop table kept, leased')
}

describe('projections: the database of a release whose projections shared no checkpoints', () => {
  it('is migrated where it stands, and a projector goes on from there', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 97, count: 300, orgs: 12 })
    const log = new MemoryLog(events.slice(0, 150))
    const before = startRunner(pool, log)
    await reached(pool, events[149]!.position)
    await before.close()
    await backToTheReleaseBefore(pool)
    const stood = await readCheckpoints(pool)
    expect(new Set(stood.map(({ position }) => position))).to.deep.equal(new Set([events[149]!.position]))
    const applied = await migrate({ url: pool.options.connectionString!, set: 'read', log: silentLog })
    expect(applied).to.deep.equal(NEWER.map(({ name }) => name))
    expect(await readCheckpoints(pool)).to.deep.equal(stood)
    for (const event of events.slice(150)) log.append(event)
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const { rows } = await pool.query('select count(*)::int as n from shared_checkpoints')
    expect(rows[0].n).to.equal(16)
    await expectFolded(pool, events)
  })

  it('fails for a projector of that release, in all that it writes', async () => {
    const url = await freshDatabase()
    await migrate({ url, set: 'read', log: silentLog })
    const pool = createPool({ url, name: 'read', log: silentLog })
    await pool.query(`insert into projection_checkpoints (projection, version, bucket) values ('tasks', 1, 3)`)
    const codes: unknown[] = []
    for (const text of [REGISTER, RENEW, ACQUIRE, MOVE]) {
      codes.push(
        await pool.query(text).then(
          () => 'written',
          (error: { code?: unknown }) => error.code,
        ),
      )
    }
    // A column that must not be null, one that is not there, and a view that cannot be updated.
    expect(codes).to.deep.equal(['23502', '42703', '55000', '55000'])
    expect((await readCheckpoints(pool)).map(({ position }) => position)).to.deep.equal([0n])
    await pool.end()
  })
})
