/** Organizations with many rows are proved in steps, beside others. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { projections } from '../../infra/catalogue.ts'
import { silentLog } from '../../infra/log.ts'
import { Hashing } from '../../infra/notary/hashing.ts'
import { RowMaps } from '../../infra/notary/row-maps.ts'
import { tileRows } from '../../infra/notary/tiles.ts'
import { originOf, signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { historyTableOf } from '../../projections/rows/tables.ts'
import { History, makeWorld, type World } from '../read-api/support.ts'
import { patient } from '../support/pace.ts'
import { ORIGIN, signer } from './support.ts'

const ROWS_MAX = 5
const MANY = 40
const TICKS = 60

type Step = { readonly org: string; readonly versions: number; readonly is_signed: boolean }

describe('steps of proved read models', () => {
  const model = projections.find(({ name }) => name === 'tasks')!
  const key = signer()
  let world: World

  beforeEach(async () => {
    world = await makeWorld()
    const at = historyTableOf(model)
    await world.pool.query(`
      create table steps (n serial, org text, versions integer, is_signed boolean);
      create function note_step() returns trigger language plpgsql as $$ begin
        insert into steps (org, versions, is_signed) values (new.org, (select count(*) from ${at}
          where org = new.org and _position > old.position and _position <= new.position), new.statement is not null);
        return new; end $$;
      create trigger note_step after update on row_maps for each row execute function note_step()`)
  })
  afterEach(() => world.close())

  const addTask = (history: History, org: string, id: number) =>
    history.add(org, 'task', `t${id}`, 'TaskCreated', { name: 'Bread', status: 'open' })

  /** Signs the heads of some orgs, as the notary does. */
  async function seal(events: readonly DomainEvent[], orgs: readonly string[]): Promise<void> {
    const tiles = tileRows(world.pool as never, silentLog)
    const hashing = new Hashing([], true, tiles)
    await hashing.add(events as never)
    await tiles.flush()
    const noted = (origin: string, { size, root }: { readonly size: number; readonly root: Buffer }) => ({
      size,
      root: root.toString('base64'),
      note: signCheckpoint({ origin, size, root }, [key]),
    })
    const heads = orgs.map(org => ({ org, ...noted(originOf(ORIGIN, org), hashing.treeOf(org)) }))
    await tiles.heads({ ...noted(ORIGIN, hashing), position: hashing.position, orgs: heads, at: '' })
  }

  /** Proves a history until an org is done; `tick` comes before each step. Returns the steps of the maps. */
  async function steps(first: readonly string[], until: string, tick: (maps: RowMaps) => Promise<void>) {
    const stop = new AbortController()
    const maps: RowMaps = new RowMaps({
      pool: world.pool as never,
      models: [model],
      origin: ORIGIN,
      async signers() {
        await tick(maps)
        return [key]
      },
      log: silentLog,
      tickMs: 1,
      rowsMax: ROWS_MAX,
    })
    const ended = maps.run(stop.signal)
    maps.give(first)
    const taken = async () => (await world.pool.query<Step>('select * from steps order by n')).rows
    while (!maps.trouble && !(await taken()).some(step => step.org === until && step.is_signed)) await sleep(5)
    stop.abort()
    await ended
    if (maps.trouble) throw maps.trouble
    return taken()
  }

  it('take no more rows at once where an org without rows comes first', async () => {
    const history = new History()
    history.add('empty', 'item', 'i', 'ItemAdded', {
      type: 'app',
      status: 'active',
      name: 'Bakery',
      metadata: {},
      owner: 'mira',
    })
    for (let id = 0; id < MANY; id += 1) addTask(history, 'large', id)
    await world.write(history)
    await seal(history.events, ['empty', 'large'])
    const taken = await steps(['empty', 'large'], 'large', async () => {})
    expect(taken[0]).to.include({ org: 'empty', versions: 0, is_signed: true })
    const versions = taken.filter(({ org }) => org === 'large').map(step => step.versions)
    expect(Math.max(...versions)).to.be.at.most(ROWS_MAX)
    expect(versions.reduce((sum, count) => sum + count, 0)).to.equal(MANY)
  })

  for (const large of ['a-large', 'z-large']) {
    it(`are taken in turns by ${large} and a neighbour with a new checkpoint each time`, async () => {
      const history = new History()
      addTask(history, 'neighbour', 0)
      for (let id = 0; id < MANY; id += 1) addTask(history, large, id)
      for (let id = 1; id <= TICKS; id += 1) addTask(history, 'neighbour', id)
      await world.write(history)
      let known = MANY + 1
      await seal(history.events.slice(0, known), ['neighbour', large])
      const taken = await steps([large, 'neighbour'], large, async maps => {
        if (known === history.events.length) return
        known += 1
        await seal(history.events.slice(0, known), ['neighbour'])
        maps.give(['neighbour'])
      })
      const own = taken.slice(0, taken.findIndex(({ org, is_signed }) => org === large && is_signed) + 1)
      const [of, beside] = [large, 'neighbour'].map(org => own.filter(step => step.org === org))
      expect(of!.length, 'the large one comes on').to.be.within(MANY / ROWS_MAX, (2 * MANY) / ROWS_MAX)
      expect(beside!.length, 'the neighbour waits for one step at most').to.be.at.least(Math.floor(of!.length / 2))
      expect(beside!.length, 'the large one waits for few').to.be.at.most(of!.length + 2)
      expect(Math.max(...own.map(step => step.versions))).to.be.at.most(ROWS_MAX)
    })
  }

  it('go on at once to a checkpoint that comes while an earlier one is proved', async () => {
    const history = new History()
    for (let id = 0; id < 4; id += 1) addTask(history, 'late', id)
    await world.write(history)
    await seal(history.events.slice(0, 2), ['late'])
    let isLate = false
    let maps: RowMaps | undefined
    const connect = async () => {
      const client = await world.pool.connect()
      const query = async (...args: unknown[]) => {
        if (args[0] === 'COMMIT' && maps && !isLate) {
          isLate = true
          // The transaction has read the checkpoint before.
          await seal(history.events, ['late'])
          maps.give(['late'])
        }
        return (client.query as (...args: unknown[]) => Promise<unknown>).apply(client, args)
      }
      return { query, release: () => client.release() }
    }
    const pool = { connect, query: world.pool.query.bind(world.pool) } as never
    maps = new RowMaps({ pool, models: [model], origin: ORIGIN, signers: async () => [key], log: silentLog, tickMs: 1 })
    const stop = new AbortController()
    const ended = maps.run(stop.signal)
    const since = performance.now()
    const size = async () => Number((await world.pool.query('select max(size) as size from row_maps')).rows[0].size)
    while ((await size()) < 4) {
      // All orgs are looked at again after 30 seconds: that would be late.
      expect(performance.now() - since, 'it is proved at once').to.be.below(patient(15_000))
      await sleep(5)
    }
    stop.abort()
    await ended
    expect(isLate).to.equal(true)
  })
})
