import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { silentLog } from '../../infra/log.ts'
import type { Pool } from '../../infra/postgres.ts'
import { headRecorder, recordHead } from '../../projections/audit/heads.ts'
import type { Runner } from '../../projections/runner/runner.ts'
import { Watch } from '../../projections/runner/watch.ts'
import { randomHistory } from './history.ts'
import { freshPool, MemoryLog, reached, startRunner } from './support.ts'

describe('projections: a log that is an older copy', () => {
  it('is told from one that lags, and from the right one', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 7, count: 60 })
    const [middle, last] = [events[30]!.position, events.at(-1)!.position]
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, last)
    let head = last
    const watch = new Watch(runner, { head: async () => head }, { lookMs: 3_600_000 })
    await watch.look()
    expect(watch.checkHead()).to.include({ head: last })
    head = middle
    await watch.look()
    expect(() => watch.checkHead()).to.throw(`the log ends at ${middle}, but rows were made of events up to ${last}`)
    head = last
    await watch.look()
    expect(watch.checkHead()).to.include({ head: last })
    watch.close()
    await runner.close()
  })
})

describe('projections: a log at rest', () => {
  it('is asked less often, until the reader delivers again', async () => {
    const partitions = [{ committed: 5n, state: 'running' }]
    let asked = 0
    let head = 5n
    const log = {
      head: async () => {
        asked += 1
        return head
      },
    }
    const watch = new Watch({ partitions } as unknown as Runner, log, { lookMs: 20 })
    const asksIn = async (ms: number) => {
      const before = asked
      await sleep(ms)
      return asked - before
    }
    while (asked < 11) await sleep(20)
    const atRest = await asksIn(600)
    expect(atRest).to.be.within(1, 11)
    head = 9n
    partitions[0]!.committed = 9n
    await sleep(100)
    expect(watch.head, 'a delivered event is followed by a look at once').to.equal(9n)
    watch.close()
  })
})

describe('projections: the heads of the log that were seen', () => {
  const seen = async (pool: Pool) =>
    (
      await pool.query(
        'select position, extract(epoch from seen_at) * 1000 as seen_at from log_heads order by position',
      )
    ).rows.map(row => [BigInt(row.position), Number(row.seen_at)])

  it('are recorded with the time of the question, less what an append may take, and only ever move on', async () => {
    const pool = await freshPool()
    const record = headRecorder(pool, silentLog, 5_000)
    const now = Date.now()
    await record(10n, now)
    await record(20n, now + 1_000)
    await record(20n, now + 3_000)
    await record(20n, now + 2_000)
    expect(await seen(pool)).to.deep.equal([
      [10n, now - 6_000],
      [20n, now - 3_000],
    ])
  })

  it('are forgotten after an hour, but for the last one', async () => {
    const pool = await freshPool()
    const hourAgo = Date.now() - 3_700_000
    for (const [position, at] of [
      [1n, hourAgo],
      [2n, hourAgo],
      [3n, Date.now()],
    ] as const) {
      await recordHead(pool, position, at)
    }
    expect((await seen(pool)).map(([position]) => position)).to.deep.equal([3n])
    await pool.query(`update log_heads set seen_at = now() - interval '2 hours'`)
    await recordHead(pool, 3n, Date.now())
    expect((await seen(pool)).map(([position]) => position)).to.deep.equal([3n])
  })

  it('are looked for on while the database is away, and a lost one is logged once', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 7, count: 20 })
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const lines: string[] = []
    const line = (_: unknown, message: string) => void lines.push(message)
    await pool.query('alter table log_heads rename to away')
    const onHead = headRecorder(pool, { info: line, warn: line, error: line }, 0)
    const watch = new Watch(runner, { head: async () => 77n }, { lookMs: 3_600_000, onHead })
    for (let n = 0; n < 3; n += 1) {
      await watch.look()
      await sleep(50)
    }
    await pool.query('alter table away rename to log_heads')
    await watch.look()
    await sleep(50)
    watch.close()
    expect(lines).to.deep.equal([
      'the head of the log could not be recorded, trying again',
      'the head of the log is recorded again',
    ])
    expect((await seen(pool)).map(([position]) => position)).to.deep.equal([77n])
  })
})

describe('projections: a projector that cannot begin', () => {
  it('is not ready: it waits for a lock in the database, and says since when', () => {
    const runner = { partitions: [], trouble: undefined, silentMs: 16_400 } as unknown as Runner
    const watch = new Watch(runner, { head: async () => 1n }, { lookMs: 3_600_000 })
    expect(() => watch.checkProjections()).to.throw('waits for the database since 16 s')
    watch.close()
  })
})
