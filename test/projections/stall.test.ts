import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import { resumeStalled } from '../../projections/operate.ts'
import type { AnyProjection } from '../../projections/projection.ts'
import { readCheckpoints } from '../../projections/runner/checkpoints.ts'
import { tasks } from '../../projections/tasks.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { History, randomHistory, thing } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from './support.ts'

const others = projections.filter(projection => projection !== tasks)

describe('projections: an event that cannot be taken', () => {
  it('stalls its projection in its bucket alone, and says which event and why', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const runner = startRunner(pool, new MemoryLog(events), { projections: [...others, faultyTasks('poison')] })
    await reached(pool, events.at(-1)!.position, others)
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    const checkpoints = await readCheckpoints(pool, [tasks])
    const stalled = checkpoints.filter(({ state }) => state === 'stalled')
    expect(stalled).to.have.length(1)
    expect(stalled[0]!.position < poison.position).to.equal(true)
    expect(stalled[0]!.error).to.include({
      position: String(poison.position),
      type: 'TaskCreated',
      stream: poison.stream,
      event_id: poison.eventId,
      error: 'Error: cannot take this',
      attempts: 3,
    })
    await until(async () => {
      const rest = (await readCheckpoints(pool, [tasks])).filter(({ state }) => state === 'running')
      return rest.every(({ position }) => position === events.at(-1)!.position)
    }, 'the other buckets')
    expect(runner.partitions.filter(({ state }) => state === 'stalled')).to.have.length(1)
    await runner.close()
    await expectFolded(pool, events, others)
  })

  it('goes on when the fault was mended, after an operator said so', async () => {
    const pool = await freshPool()
    const { events } = historyWithPoison()
    let mended = false
    const faulty = faultyTasks('poison', () => mended)
    const runner = startRunner(pool, new MemoryLog(events), { projections: [...others, faulty] })
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    mended = true
    expect(await resumeStalled(pool, 'tasks')).to.equal(1)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events)
  })

  it('goes past the event when the log says to skip it, and the fold that is compared does so too', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const log = new MemoryLog(events)
    const runner = startRunner(pool, log, { projections: [...others, faultyTasks('poison')] })
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    log.skipped = new Map([['tasks', new Set([poison.position])]])
    await resumeStalled(pool, 'tasks')
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events, projections, log.skipped)
  })

  it('is found when only the database refuses it: a value that no column holds', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    const created = tasks.on.TaskCreated as { keys: unknown; fold: (...args: never[]) => Record<string, unknown> }
    const refused = {
      keys: created.keys,
      fold: (...args: never[]) => {
        const row = created.fold(...args)
        return row.name === 'poison' ? { ...row, status_changes: 10n ** 25n } : row
      },
    }
    const faulty = { ...tasks, on: { ...tasks.on, TaskCreated: refused } } as unknown as AnyProjection
    const runner = startRunner(pool, new MemoryLog(events), { projections: [...others, faulty] })
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    await reached(pool, events.at(-1)!.position, others)
    await runner.close()
    const stalled = (await readCheckpoints(pool)).filter(({ state }) => state === 'stalled')
    expect(stalled.map(({ projection, error }) => [projection, error!.position])).to.deep.equal([
      ['tasks', String(poison.position)],
    ])
    await expectFolded(pool, events, others)
  })

  it('stops every projection of its bucket that might have to take it, when nobody can read it', async () => {
    const pool = await freshPool()
    const events = randomHistory({ seed: 12, count: 60 })
    const history = new History(events.at(-1)!.position)
    const alien = history.add(thing('task', 'org-1', 'alien'), 'SomethingElse', { a: 1 })
    const log = new MemoryLog([...events, alien])
    const runner = startRunner(pool, log)
    const stalled = async () => (await readCheckpoints(pool)).filter(({ state }) => state === 'stalled')
    await until(async () => (await stalled()).length === projections.length, 'a stall of each')
    const all = new Set([alien.position])
    log.skipped = new Map(projections.map(({ name }) => [name, all]))
    for (const { name } of projections) await resumeStalled(pool, name)
    await reached(pool, alien.position)
    await runner.close()
    await expectFolded(pool, events)
  })
})
