import { expect } from 'chai'
import { codec, projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { type Pool, withTransaction } from '../../infra/postgres.ts'
import { checkTables } from '../../projections/care/check.ts'
import { resumeStalled } from '../../projections/care/operate.ts'
import { tasks } from '../../projections/center/tasks.ts'
import { readCheckpoints } from '../../projections/ownership/checkpoints.ts'
import { rebuild } from '../../projections/rebuild/rebuild.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { faultyTasks, historyWithPoison } from './faulty.ts'
import { History, randomHistory, thing } from './history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner, until } from './support.ts'

const others = projections.filter(projection => projection !== tasks)

const LONG = process.env.KOGI_LONG === '1'

/** Events that nobody can decode, with the projections that must stop for them. */
const UNREADABLE = [
  {
    title: 'bad data of a type that projections take',
    category: 'wallet',
    type: 'EntryPosted',
    data: { entry: 'nonsense', postings: 'none' },
    concerned: [
      'account_blocks',
      'account_days',
      'account_months',
      'balances',
      'entries',
      'postings',
      'memories',
      'audit_log',
    ],
  },
  {
    title: 'bad data of a type that almost all projections ignore',
    category: 'wallet',
    type: 'WalletClosed',
    data: { reason: 7 },
    concerned: ['wallets', 'audit_log'],
  },
  {
    title: 'a type that nobody knows, of a known category',
    category: 'task',
    type: 'SomethingElse',
    data: { a: 1 },
    concerned: ['tasks', 'task_timers', 'task_comments', 'time_entries', 'notifications', 'memories', 'audit_log'],
  },
]

describe('projections: an event that cannot be taken', () => {
  it('stalls its projection in its bucket alone, and says which event and why', async () => {
    const pool = await freshPool()
    const { events, poison } = historyWithPoison()
    // Lists that are written together: the event at fault is in one of them.
    const batch = { min: 10, max: 10, targetMs: 100, gathered: 60 }
    const runner = startRunner(pool, new MemoryLog(events), { projections: [...others, faultyTasks('poison')], batch })
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

  it('stalls alone too where a row cannot be written, and the others lose nothing', async () => {
    const pool = await freshPool()
    const { events: before, poison } = historyWithPoison()
    const history = new History(before.at(-1)!.position)
    history.add({ ...thing('task', 'org-1', 'poison'), revision: 1n }, 'TaskChanged', { name: 'other' })
    const events = [...before, ...history.events]
    const changed = tasks.on.TaskChanged as { fold: (...args: object[]) => object }
    const fold = (...args: object[]) => {
      const row = changed.fold(...args)
      return (args[0] as { name: string }).name === 'poison' ? { ...row, name: {} } : row
    }
    const unwritable = { ...tasks, on: { ...tasks.on, TaskChanged: { ...changed, fold } } } as unknown as AnyProjection
    const log = new MemoryLog(before)
    const runner = startRunner(pool, log, { projections: [...others, unwritable] })
    await reached(pool, poison.position, others)
    log.append(...history.events)
    await until(async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'), 'a stall')
    await reached(pool, events.at(-1)!.position, others)
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

  // However long the pauses are beside the rounds: each try is one lane, and then the search for the event.
  for (const retryMs of [
    [0, 0],
    [20, 40],
    [900, 900],
  ])
    it(`is found when only the database refuses it, tried again after ${retryMs[0]} ms`, async () => {
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
      const lanes = { tries: 0 }
      const warn = (_: object, message: string) => {
        if (message.startsWith('the database refused a batch')) lanes.tries += 1
      }
      const log = { ...silentLog, info: () => {}, error: () => {}, warn }
      const runner = startRunner(pool, new MemoryLog(events), { projections: [...others, faulty], retryMs, log })
      await until(
        async () => (await readCheckpoints(pool, [tasks])).some(({ state }) => state === 'stalled'),
        'a stall',
      )
      expect(lanes.tries).to.equal(3)
      await reached(pool, events.at(-1)!.position, others)
      await runner.close()
      const stalled = (await readCheckpoints(pool)).filter(({ state }) => state === 'stalled')
      expect(stalled.map(({ projection, error }) => [projection, error!.position])).to.deep.equal([
        ['tasks', String(poison.position)],
      ])
      await expectFolded(pool, events, others)
    })

  for (const { title, category, type, data, concerned } of UNREADABLE) {
    it(`${title}: stops whom it concerns, and the skip of those is enough for runner, check and rebuild`, async () => {
      const pool = await freshPool()
      const events = randomHistory({ seed: 12, count: 60 })
      const history = new History(events.at(-1)!.position)
      const bad = history.add(thing(category, 'org-1', 'unreadable'), type, data)
      for (const kind of ['wallet', 'item', 'task']) opened(history, kind)
      const readable = [...events, ...history.events.filter(event => event !== bad)]
      const log = new MemoryLog([...events, ...history.events])
      const head = log.events.at(-1)!.position
      const runner = startRunner(pool, log)
      const stalled = async () =>
        (await readCheckpoints(pool)).flatMap(({ projection, state }) => (state === 'stalled' ? [projection] : []))
      const unconcerned = projections.filter(({ name }) => !concerned.includes(name))
      await until(async () => (await stalled()).length >= concerned.length, 'the stalls')
      expect(await stalled(), 'a new model that takes such events is named above').to.have.members(concerned)
      await reached(pool, head, unconcerned)
      expect(await stalled()).to.have.members(concerned)
      await expectFolded(pool, readable, unconcerned)

      log.skipped = new Map(concerned.map(name => [name, new Set([bad.position])]))
      for (const name of concerned) expect(await resumeStalled(pool, name)).to.equal(1)
      await reached(pool, head)
      await runner.close()
      await expectFolded(pool, readable)
      expect(await differing(pool, log)).to.deep.equal([])
      const options = { pool, events: log, decode: codec.decode, log: silentLog, id: 'rebuild-test' }
      for (const projection of projections.filter(({ name }) => LONG || [...concerned, 'wallets'].includes(name))) {
        expect((await rebuild({ ...options, projection })).changedOrgs, projection.name).to.deep.equal([])
      }
      for (const name of concerned) {
        log.skipped = new Map(concerned.map(other => [other, new Set(other === name ? [] : [bad.position])]))
        const found = await differing(pool, log).catch((error: Error) => error.message)
        expect(found, `without the skip of ${name}`).to.contain(type)
      }
    })
  }
})

/** Adds the first event of a thing. */
function opened(history: History, category: string): void {
  const first = { wallet: 'WalletOpened', item: 'ItemAdded', task: 'TaskCreated' }[category]!
  const data = {
    wallet: { owner: 'somebody', kind: 'business' },
    item: { type: 'asset', status: 'draft', name: 'later', metadata: {}, owner: 'somebody' },
    task: { name: 'later', status: 'open' },
  }[category]!
  history.add(thing(category, 'org-1', `later-${category}`), first, data)
}

/** The tables that a check finds to differ from the log. */
async function differing(pool: Pool, events: MemoryLog): Promise<readonly string[]> {
  const checked = await withTransaction(
    pool,
    client => checkTables({ client, events, decode: codec.decode, projections }),
    { isolation: 'repeatable read', readOnly: true },
  )
  return checked.flatMap(({ differences }) => differences.map(({ table }) => table))
}
