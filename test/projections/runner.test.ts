import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import fc from 'fast-check'
import { projections } from '../../infra/catalogue.ts'
import { bookSections } from '../../projections/briefcase/book-sections.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { historyTableOf } from '../../projections/rows/tables.ts'
import { DEFAULT_BATCH } from '../../projections/runner/lane.ts'
import { History, randomHistory, thing } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'

describe('projections: the runner', () => {
  it('makes the rows of the pure fold, for any batch size, and however many are written at once', async () => {
    const sizes = fc.oneof(fc.constantFrom(1, 7, 1_000), fc.integer({ min: 1, max: 300 }))
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 2 ** 31 }),
        sizes,
        fc.integer({ min: 1, max: 4 }),
        async (seed, size, n) => {
          const pool = await freshPool()
          const events = randomHistory({ seed, count: LONG ? 2_000 : 120 })
          const batch = { min: size, max: size, targetMs: 1_000, gathered: n * size }
          const runner = startRunner(pool, new MemoryLog(events), { batch })
          await reached(pool, events.at(-1)!.position)
          await runner.close()
          await expectFolded(pool, events)
        },
      ),
      { numRuns: LONG ? 50 : 3 },
    )
  })

  it('writes fewer events at once where they are large, or take long', async () => {
    const history = new History()
    const content = 'long '.repeat(4_000)
    for (let n = 0; n < 240; n += 1) {
      const parts = [{ part: 'p', kind: 'note', content: `${n} ${content}` }]
      history.add(thing('book', 'acme', `book-${n}`), 'BookEdited', { version: 1, parts, moved: [], removed: [] })
    }
    const slow = { min: 5, max: 10, targetMs: 0, gathered: 40 }
    const large = { min: 10, max: 10, targetMs: 1_000, gathered: 80, text: 300_000 }
    for (const [batch, most] of [
      [{ ...large, text: 2 ** 24 }, 80],
      [large, 20],
      [slow, 20],
    ] as const) {
      const pool = await freshPool()
      const counts: number[] = []
      const onBatch = ({ events }: { events: number }) => void counts.push(events)
      const runner = startRunner(pool, new MemoryLog(history.events), { batch, onBatch, projections: [bookSections] })
      await reached(pool, history.events.at(-1)!.position, [bookSections])
      await runner.close()
      expect(Math.max(...counts), JSON.stringify(batch)).to.equal(most)
      await expectFolded(pool, history.events, [bookSections])
    }
    expect(DEFAULT_BATCH.text).to.be.within(1, 2 ** 25)
  })

  it('changes nothing when every batch is delivered twice', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 2, count: 400 })
    const log = new MemoryLog(events)
    log.redelivers = true
    const runner = startRunner(pool, log, { batch: { min: 50, max: 50, targetMs: 100 } })
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events)
  })

  it('goes on where it was left, and follows new events', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 3, count: 600 })
    const log = new MemoryLog(events.slice(0, 200))
    const first = startRunner(pool, log)
    await reached(pool, events[199]!.position)
    await first.close()
    const second = startRunner(pool, log)
    for (const event of events.slice(200)) log.append(event)
    await reached(pool, events.at(-1)!.position)
    await second.close()
    await expectFolded(pool, events)
  })

  it('keeps every version of a row whose projection has a history, those inside one batch too', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 4, count: 300, orgs: 2 })
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const tasks = projections.find(({ name }) => name === 'tasks')!
    const { rows } = await pool.query(`select count(*)::int as versions from ${historyTableOf(tasks)}`)
    expect(rows[0].versions).to.equal(events.filter(({ type }) => type.startsWith('Task')).length)
  })

  it('moves every checkpoint past every event, in every bucket', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 5, count: 50, orgs: 1 })
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    const checkpoints = await readCheckpoints(pool)
    expect(checkpoints.map(({ position }) => position)).to.deep.equal(checkpoints.map(() => events.at(-1)!.position))
  })

  it('moves every checkpoint past an event that comes just as it has come to rest', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 9, count: 24, orgs: 1 })
    const log = new MemoryLog(events.slice(0, 20))
    const runner = startRunner(pool, log)
    await reached(pool, events[19]!.position)
    // It rests half a second or a second after the last event, whichever it has to join.
    const pauses = [700, 1_200]
    for (const [n, event] of events.slice(20).entries()) {
      await sleep(pauses[n % 2])
      log.append(event)
      await reached(pool, event.position)
    }
    await runner.close()
  })

  it('tells at each commit which position it has reached', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 6, count: 50 })
    const told: string[] = []
    const client = await pool.connect()
    client.on('notification', ({ payload }) => told.push(payload!))
    await client.query('listen kogi_checkpoints')
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    client.release(true)
    expect(told).to.include(String(events.at(-1)!.position))
  })

  it('asks the database for nothing at rest but its heartbeat, and decides anew when something changed', async () => {
    const pool = await freshPool()
    const asked: string[] = []
    pool.on('connect', client => {
      const query = client.query.bind(client) as (...args: unknown[]) => unknown
      client.query = ((...args: unknown[]) => {
        const [config] = args as [string | { name?: string; text: string }]
        asked.push(typeof config === 'string' ? config : (config.name ?? config.text))
        return query(...args)
      }) as typeof client.query
    })
    const events = randomHistory({ seed: 8, count: 20 })
    const runner = startRunner(pool, new MemoryLog(events), { leaseMs: 300 })
    const onlyBeats = async () => {
      asked.length = 0
      // A lane looks at what it has to join every half a second until it rests.
      await sleep(700)
      return asked.length > 2 && asked.every(name => name === 'beat')
    }
    await until(() => runner.partitions.length > 0, 'work')
    await until(onlyBeats, 'rest')
    await pool.query(`update projection_checkpoints set epoch = epoch + 1 where bucket = 3`)
    await until(async () => !(await onlyBeats()), 'a decision')
    await until(onlyBeats, 'rest again')
    await runner.close()
    await expectFolded(pool, events)
  })

  it('builds the indexes of a table once it has caught up', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 7, count: 20 })
    const runner = startRunner(pool, new MemoryLog(events))
    await reached(pool, events.at(-1)!.position)
    const find = `select count(*)::int as n from pg_indexes where tablename like 'audit\\_log\\_v%'`
    for (let n = 0; n < 3; ) n = (await pool.query(find)).rows[0].n
    await runner.close()
  })
})
