/** Several projector processes: any number, any batch size, added, killed and frozen at any time. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { type EventStore, startEventStore } from '../../../infra/embedded/event-store/index.ts'
import type { Pool } from '../../../infra/postgres.ts'
import { randomHistory, randomOf } from '../../projections/history.ts'
import { expectFolded, freshPool, reached, until } from '../../projections/support.ts'
import { patient } from '../../support/pace.ts'
import { append, type Projector, startProjector, storedEvents } from './processes.ts'

const LONG = process.env.KOGI_LONG === '1'
const SEED = Number(process.env.KOGI_SEED ?? Date.now() % 1_000_000)

describe(`projections: a fleet of projectors (KOGI_SEED=${SEED})`, function fleet() {
  this.timeout(600_000)
  const random = randomOf(SEED)
  let store: EventStore

  before(function longRunsOnly() {
    if (!LONG) this.skip()
  })
  beforeEach(async () => {
    store = await startEventStore({ memory: true })
  })
  afterEach(() => store.close())

  for (const batch of [1, 7, 1_000]) {
    for (const count of [1, 2, 5]) {
      it(`of ${count} with batches of ${batch} makes the rows of the pure fold`, async () => {
        const pool = await freshPool()
        await append(store.url, randomHistory({ seed: SEED, count: 1_000, orgs: 20 }))
        const events = await storedEvents(store.url)
        const database = pool.options.connectionString!
        const projectors = Array.from({ length: count }, () => startProjector({ store: store.url, database, batch }))
        await reached(pool, events.at(-1)!.position)
        await Promise.all(projectors.map(projector => projector.kill()))
        await expectFolded(pool, events)
      })
    }
  }

  it('loses and doubles nothing when projectors come and are killed while events come', async () => {
    const pool = await freshPool()
    const projectors: Projector[] = []
    const appending = append(store.url, randomHistory({ seed: SEED + 1, count: 6_000, orgs: 20 }), 200)
    let done = false
    void appending.then(() => {
      done = true
    })
    let kills = 0
    while (!done) {
      if (projectors.length < 2 || (projectors.length < 5 && random(2) === 0)) {
        projectors.push(startProjector({ store: store.url, database: pool.options.connectionString! }))
      } else {
        const [one] = projectors.splice(random(projectors.length), 1)
        await one!.working
        await sleep(random(400))
        await one!.kill()
        kills += 1
      }
    }
    await appending
    const events = await storedEvents(store.url)
    await reached(pool, events.at(-1)!.position)
    await Promise.all(projectors.map(projector => projector.kill()))
    await expectFolded(pool, events)
    expect(kills).to.be.at.least(5)
  })

  for (const freeze of [1, 2, 3, 4, 5]) {
    it(`lets one that was frozen write nothing under its old epochs, time ${freeze}`, async () => {
      const pool = await freshPool()
      const history = randomHistory({ seed: SEED + freeze, count: 1_500, orgs: 20 })
      await append(store.url, history.slice(0, 200))
      const database = pool.options.connectionString!
      const named = new URL(database)
      named.searchParams.set('application_name', 'frozen')
      const frozen = startProjector({ store: store.url, database: named.href, leaseMs: patient(300), batch: 3 })
      await frozen.working
      await logWrites(pool)
      const appending = append(store.url, history.slice(200), 300)
      await sleep(300 + random(400))
      frozen.child.kill('SIGSTOP')
      const other = startProjector({ store: store.url, database, leaseMs: patient(300), batch: 3 })
      await until(() => ownedBy(pool, `victim-${other.child.pid}`), 'the other to own everything')
      const [{ rows: held }, { rows: last }] = [
        await pool.query(EPOCHS),
        await pool.query('select max(id) as id from writes'),
      ]
      await sleep(500)
      frozen.child.kill('SIGCONT')
      await appending
      const events = await storedEvents(store.url)
      await reached(pool, events.at(-1)!.position)
      await Promise.all([frozen.kill(), other.kill()])
      const { rows: writes } = await pool.query(
        `select count(*)::int as n from writes w join unnest($2::text[], $3::bigint[]) h(kept_by, epoch) using (kept_by)
         where w.id > $1 and w.application = 'frozen' and w.epoch <= h.epoch`,
        [last[0].id, ...['kept_by', 'epoch'].map(name => held.map(row => row[name]))],
      )
      expect(writes[0].n).to.equal(0)
      await expectFolded(pool, events)
    })
  }
})

/** The rows that keep checkpoints, own ones and shared ones, with their epochs. */
const EPOCHS = `select projection || '/' || bucket as kept_by, epoch from projection_checkpoints
  union all select id::text, epoch from shared_checkpoints`

/** Has the database note who moves checkpoints, and under which epoch. */
async function logWrites(pool: Pool): Promise<void> {
  await pool.query(`
    create table writes (id bigserial, application text, kept_by text, epoch bigint);
    create function note_own() returns trigger language plpgsql as $$ begin
      insert into writes (application, kept_by, epoch)
      values (current_setting('application_name'), new.projection || '/' || new.bucket, new.epoch);
      return null; end $$;
    create function note_shared() returns trigger language plpgsql as $$ begin
      insert into writes (application, kept_by, epoch)
      values (current_setting('application_name'), new.id::text, new.epoch);
      return null; end $$;
    create trigger noted after update of position on projection_checkpoints for each row execute function note_own();
    create trigger noted after update of position on shared_checkpoints for each row execute function note_shared()`)
}

async function ownedBy(pool: Pool, owner: string): Promise<boolean> {
  const { rows } = await pool.query('select bool_and(owner = $1) as all from projection_leases', [owner])
  return rows[0].all === true
}
