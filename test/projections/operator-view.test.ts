import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { type ProjectionStatus, projectionStatus, pruneVersions } from '../../projections/care/operate.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { ensureTables } from '../../projections/runner/build.ts'
import { verdictOf } from '../../scripts/doctor.ts'
import { freshPool } from './support.ts'

/** No backend has it: PostgreSQL's process ids are smaller. */
const DEAD = 2_000_000_000
const HEAD = 500n

describe('projections: what operators see', () => {
  let pool: Pool

  beforeEach(async () => {
    pool = await freshPool()
    await ensureTables(pool, projections)
    await pool.query('update projection_checkpoints set position = $1', [HEAD])
  })

  const look = () => projectionStatus(pool, projections, async () => HEAD)
  const of = (statuses: readonly ProjectionStatus[], name: string) =>
    statuses.find(({ projection }) => projection === name)!
  /** A projector that has been seen now and holds some buckets of all projections, by a session of this backend. */
  async function own(id: string, backend: number, buckets: readonly number[]) {
    const runs = projections.map(({ name, version }) => `${name}_v${version}`)
    await pool.query(
      `insert into projectors (id, runs, backend, expires_at) values ($1, $2, $3, now() + interval '1 minute')`,
      [id, runs, backend],
    )
    await pool.query('update projection_leases set owner = $1 where bucket = any($2)', [id, buckets])
  }
  const all = Array.from({ length: 16 }, (_, bucket) => bucket)
  async function withProjector(work: () => Promise<void>): Promise<void> {
    const session = await pool.connect()
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
    await own('living', rows[0]!.pid, all)
    await work().finally(() => session.release())
  }

  it('running: living projectors hold every bucket', () =>
    withProjector(async () => {
      const found = await look()
      expect(of(found.statuses, 'tasks')).to.deep.include({ state: 'running', owners: { living: all } })
      expect(verdictOf(found)).to.equal(`${projections.length} projections have reached the head of the log`)
    }))

  it('not run: nobody ever did, or the one who does has died', async () => {
    expect(of((await look()).statuses, 'tasks').state).to.equal('not run')
    await own('killed', DEAD, all)
    const found = await look()
    expect(of(found.statuses, 'tasks')).to.deep.include({ state: 'not run', owners: { '': all } })
    expect(() => verdictOf(found)).to.throw(/^no living projector works on wallets, balances, /)
    expect(verdictOf(found, true)).to.match(/^!the system is stopped/)
  })

  it('partly run: some of its buckets are left', () =>
    withProjector(async () => {
      await own('killed', DEAD, [3, 4])
      await pool.query(`update projection_leases set owner = null where bucket = 5 and projection = 'items'`)
      const found = await look()
      expect(of(found.statuses, 'tasks').state).to.equal('partly run')
      expect(of(found.statuses, 'items').owners['']).to.deep.equal([3, 4, 5])
      expect(() => verdictOf(found)).to.throw(/tasks in 2 buckets/)
    }))

  it('beyond the log: one bucket is enough, wherever the others stand', () =>
    withProjector(async () => {
      await pool.query(`update projection_checkpoints set position = $1 where projection = 'tasks' and bucket = 7`, [
        HEAD + 1n,
      ])
      const found = await look()
      expect(of(found.statuses, 'tasks')).to.include({ state: 'beyond the log', position: HEAD, furthest: HEAD + 1n })
      expect(() => verdictOf(found)).to.throw(/^the log ends at 500, but rows were made of events up to 501/)
    }))

  it('prune: what a projector has left that was killed, though it was seen a moment ago', async () => {
    const beside = { ...tasks, name: 'tasks__rebuild' } as AnyProjection
    await ensureTables(pool, [beside])
    const table = tableOf(beside)
    const rebuilds = [[table], DEAD]
    await pool.query(
      `insert into projectors (id, runs, backend, expires_at) values ('rebuild', $1, $2, now() + interval '1 minute')`,
      rebuilds,
    )
    expect(await pruneVersions(pool, projections)).to.deep.equal([{ table }])
    expect(await readCheckpoints(pool, [beside])).to.deep.equal([])
  })
})
