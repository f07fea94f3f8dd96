import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { StoredEvent } from '../../../domain/kernel/event.ts'
import type { Pool } from '../../../infra/postgres.ts'
import { tasks } from '../../../projections/center/tasks.ts'
import { readCheckpoints } from '../../../projections/ownership/checkpoints.ts'
import { tableOf } from '../../../projections/rows/tables.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { expectFolded, freshPool, MemoryLog, reached, startRunner } from '../../projections/support.ts'
import { MortalProjector } from './mortal.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)
const KILLS = LONG ? 1_000 : 4
const EVENTS_PER_KILL = 12
const LATE_EVENTS = 4
/** About how many awaits a projector passes before its first batch. */
const PLACES_AT_START = 150

describe(`projections: killed at any await (KOGI_SEED=${SEED})`, function kills() {
  this.timeout(LONG ? 1_200_000 : 60_000)

  const alive = new Set<MortalProjector>()
  afterEach(async () => {
    await Promise.all([...alive].map(projector => projector.bury()))
    alive.clear()
  })

  it(`${KILLS} times, two at work at once, and the rows are those of a clean replay`, async () => {
    const random = randomOf(SEED)
    const pool = await freshPool()
    const count = KILLS * EVENTS_PER_KILL
    const events = randomHistory({ seed: SEED, count, orgs: 12 }).slice(0, count)
    const log = new MemoryLog()
    const places = new Map<string, number>()
    const stood = new Map<string, bigint>()
    for (let kill = 0; kill < KILLS; kill += 1) {
      while (alive.size < 2) alive.add(start(pool.options.connectionString!, log, random, kill + alive.size))
      const own = events.slice(kill * EVENTS_PER_KILL, (kill + 1) * EVENTS_PER_KILL)
      await appendSome(log, own.slice(0, -LATE_EVENTS), random)
      const deaths = [...alive].map(async projector => [projector, await projector.died] as const)
      // What is to die with a batch may have no events left for one.
      const idle = sleep(400, [[...alive][0]!, 'idle'] as const, { ref: false })
      const [dead, place] = await Promise.race([...deaths, idle])
      places.set(place, (places.get(place) ?? 0) + 1)
      alive.delete(dead)
      const late = own.slice(-LATE_EVENTS)
      if (place.startsWith('frozen')) await overtaken(pool, dead, () => log.append(...late), late.at(-1)!.position)
      else log.append(...late)
      await dead.bury()
      await expectForward(pool, stood)
    }
    for (const projector of alive) await projector.bury()
    alive.clear()
    const runner = startRunner(pool, log)
    await reached(pool, events.at(-1)!.position)
    await runner.close()
    await expectFolded(pool, events)
    const { rows } = await pool.query(`select count(*)::int as versions from ${tableOf(tasks)}_history`)
    expect(rows[0].versions).to.equal(events.filter(({ type }) => type.startsWith('Task')).length)
    if (LONG) process.stdout.write(`    ${JSON.stringify(Object.fromEntries(places))}\n`)
  })
})

/** Lets a frozen one try to go on once the others have its work and are ahead of it, if they live that long. */
async function overtaken(pool: Pool, frozen: MortalProjector, more: () => void, position: bigint): Promise<void> {
  const owned = 'select count(*)::int as n from projection_leases where owner = $1'
  await within(LONG ? 3_000 : 600, async () => (await pool.query(owned, [frozen.id])).rows[0].n === 0)
  more()
  const behind = 'select count(*)::int as n from checkpoints where position < $1'
  await within(LONG ? 1_000 : 300, async () => (await pool.query(behind, [position])).rows[0].n === 0)
  frozen.thaw()
  await sleep(30)
}

async function within(timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + timeoutMs; performance.now() < end && !(await condition()); ) await sleep(10)
}

/** Positions never go back, whoever dies. */
async function expectForward(pool: Pool, stood: Map<string, bigint>): Promise<void> {
  for (const { projection, bucket, position } of await readCheckpoints(pool)) {
    const name = `${projection}/${bucket}`
    expect(position >= (stood.get(name) ?? 0n), `${name} at ${position}`).to.equal(true)
    stood.set(name, position)
  }
}

/** One of every two comes under a name that another had before, as a process that is started again does. */
function start(url: string, events: MemoryLog, random: (n: number) => number, n: number): MortalProjector {
  const id = random(2) === 0 ? `again-${n % 2}` : `new-${n}`
  const where = (['start', 'work', 'work', 'batches', 'batches', 'frozen'] as const)[random(6)]!
  const places = 1 + random({ start: PLACES_AT_START, work: 40, batches: 9, frozen: 5 }[where])
  return new MortalProjector({ url, events, id, places, where })
}

async function appendSome(log: MemoryLog, events: readonly StoredEvent[], random: (n: number) => number) {
  const middle = random(events.length)
  log.append(...events.slice(0, middle))
  await sleep(random(15))
  log.append(...events.slice(middle))
}
