import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { isStoppedAt, pruneVersions, resumeStalled, retryStalled } from '../../projections/care/operate.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { holdServed } from '../../projections/ownership/serving.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { tableOf } from '../../projections/rows/tables.ts'
import { ensureTables } from '../../projections/runner/build.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from './support.ts'

const others = projections.filter(projection => projection !== tasks)
const stopped = async (pool: Pool) => (await readCheckpoints(pool, [tasks])).filter(({ state }) => state !== 'running')
const stalled = async (pool: Pool, attempts: number) =>
  (await stopped(pool)).some(({ state, error }) => state === 'stalled' && error!.attempts >= attempts)

describe('projections: what operators do', () => {
  const { events, poison } = historyWithPoison()
  let pool: Pool
  let mended: boolean
  let tries: number
  beforeEach(async () => {
    pool = await freshPool()
    mended = false
    tries = 0
    const faulty = faultyTasks('poison', () => {
      tries += 1
      return mended
    })
    startRunner(pool, new MemoryLog(events), { projections: [...others, faulty] })
    await until(() => stalled(pool, 3), 'a stall')
    tries = 0
  })
  /** How often tasks were created in vain since the stall: the poison is the only one that its bucket has not taken. */
  const poisonTries = () => tries

  it('retry: once more and no more, and it tells that it was in vain', async () => {
    const [tried] = await retryStalled(pool, 'tasks', 10_000)
    expect(tried).to.include({ version: tasks.version, outcome: 'stopped' })
    expect(tried!.fault).to.include({
      position: String(poison.position),
      attempts: 4,
      error: 'Error: cannot take this',
    })
    expect((await stopped(pool)).map(({ state }) => state)).to.deep.equal(['stalled'])
    expect(poisonTries()).to.equal(1)
    expect((await retryStalled(pool, 'tasks', 10_000)).map(({ fault }) => fault.attempts)).to.deep.equal([5])
  })

  it('retry: takes what was mended, and tells so', async () => {
    mended = true
    expect((await retryStalled(pool, 'tasks', 10_000)).map(({ outcome }) => outcome)).to.deep.equal(['taken'])
    await reached(pool, events.at(-1)!.position)
    await expectFolded(pool, events)
    expect(await retryStalled(pool, 'tasks', 0)).to.deep.equal([])
  })

  it('resume: all tries anew, with their pauses, before it stalls again', async () => {
    expect(await resumeStalled(pool, 'tasks')).to.equal(1)
    await until(async () => poisonTries() === 3 && (await stalled(pool, 3)), 'another stall')
    expect((await stopped(pool))[0]!.error!.attempts).to.equal(3)
  })

  it('skip: only of an event that stops the projection', async () => {
    expect(await isStoppedAt(pool, 'tasks', poison.position)).to.equal(true)
    expect(await isStoppedAt(pool, 'tasks', poison.position - 37n)).to.equal(false)
    expect(await isStoppedAt(pool, 'items', poison.position)).to.equal(false)
  })

  it('prune: not what a rebuild is building, but what one that died has left', async () => {
    const beside = { ...tasks, name: 'tasks__rebuild' } as AnyProjection
    await ensureTables(pool, [beside])
    const guard = await pool.connect()
    await holdServed(guard, [beside])
    expect(await pruneVersions(pool, projections)).to.deep.equal([
      { table: tableOf(beside), kept: 'a process reads it' },
    ])
    guard.release(true)
    await until(async () => (await pruneVersions(pool, projections)).every(({ kept }) => !kept), 'the lock to go')
    expect(await readCheckpoints(pool, [beside])).to.deep.equal([])
  })

  it('says so where no projector is there to try', async () => {
    await pool.query(`update projection_checkpoints set version = 9 where projection = 'tasks' and state = 'stalled'`)
    expect((await retryStalled(pool, 'tasks', 0)).map(({ outcome }) => outcome)).to.deep.equal(['not tried'])
  })
})
