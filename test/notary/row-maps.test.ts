import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import type { DomainEvent } from '../../domain/kernel/event.ts'
import { toWire } from '../../domain/kernel/json.ts'
import { projections, resources } from '../../infra/catalogue.ts'
import { ConfigError } from '../../infra/config.ts'
import { silentLog } from '../../infra/log.ts'
import { Hashing } from '../../infra/notary/hashing.ts'
import { provedModels } from '../../infra/notary/proving.ts'
import { RowMaps } from '../../infra/notary/row-maps.ts'
import { tileRows } from '../../infra/notary/tiles.ts'
import { openCheckpoint, originOf, signCheckpoint } from '../../projections/notary/checkpoint.ts'
import { verifierOf } from '../../projections/notary/note.ts'
import { checkRowProof, type RowProof } from '../../projections/notary/row-proof.ts'
import { fold, sortedRows } from '../../projections/rows/fold.ts'
import type { AnyProjection } from '../../projections/rows/projection.ts'
import { isProvable, keyOfRow, provableOf } from '../../projections/rows/proved.ts'
import { historyTableOf } from '../../projections/rows/tables.ts'
import { queryHistory } from '../read-api/query-history.ts'
import { type History, makeWorld, type World } from '../read-api/support.ts'
import { naiveRoot } from './naive-map.ts'
import { ORIGIN, signer } from './support.ts'

const LONG = process.env.KOGI_LONG === '1'
const EVENTS = LONG ? 10_000 : 400
const STEPS = LONG ? 20 : 4
const ORGS = ['north', 'south', 'nobody']

type Json = Readonly<Record<string, unknown>>

/** JSON with sorted names, which is canonical for the rows of tests: their names are ASCII, their numbers whole. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const names = Object.keys(value).toSorted()
  return `{${names.map(name => `${JSON.stringify(name)}:${sortedJson((value as Json)[name])}`).join()}}`
}

describe('proved read models', () => {
  const provable = provableOf(projections)
  const key = signer()
  const known = [verifierOf(key)]
  const history = queryHistory(16, EVENTS)
  const item = { type: 'app', status: 'active', name: 'Hidden', metadata: {}, owner: 'owner', privacy: 'private' }
  history.add('north', 'item', 'hidden', 'ItemAdded', item)
  let world: World
  let maps: RowMaps
  let stop: AbortController
  let ended: Promise<void>

  const upTo = (count: number): History => {
    const events = history.events.slice(0, count)
    return { events, position: events.at(-1)!.position } as unknown as History
  }
  const rowsOf = async (
    events: readonly DomainEvent[],
    model: AnyProjection,
    org: string,
  ): Promise<readonly Json[]> => {
    const rows = sortedRows(await fold([model], events as DomainEvent[]), model)
    return rows.filter(row => row.org === org).map(row => toWire(row) as Json)
  }

  /** Signs the heads of the log and of both orgs, as the notary does, and gives them to the maps. */
  async function seal(events: readonly DomainEvent[]): Promise<void> {
    const tiles = tileRows(world.pool as never, silentLog)
    const hashing = new Hashing([], true, tiles)
    await hashing.add(events as never)
    await tiles.flush()
    const orgs = hashing.grown.map(org => {
      const { size, root } = hashing.treeOf(org)
      const note = signCheckpoint({ origin: originOf(ORIGIN, org), size, root }, [key])
      return { org, size, root: root.toString('base64'), note }
    })
    const { size, root, position } = hashing
    const note = signCheckpoint({ origin: ORIGIN, size, root }, [key])
    await tiles.heads({ size, root: root.toString('base64'), note, position, orgs, at: '' })
    maps.give(orgs.map(({ org }) => org))
  }

  const statements = async () =>
    (await world.pool.query('select model, org, size, position, rows, root, statement, checkpoint from row_maps')).rows

  async function proved(events: readonly DomainEvent[]): Promise<void> {
    const sizes = new Map(['north', 'south'].map(org => [org, events.filter(e => e.metadata.org === org).length]))
    for (;;) {
      if (maps.trouble) throw maps.trouble
      const found = await statements()
      const done = found.filter(({ org, size }) => Number(size) === sizes.get(org))
      if (done.length === provable.length * 2) return
      await sleep(20)
    }
  }

  const start = (models = provable, rowsMax?: number) => {
    maps = new RowMaps({
      pool: world.pool as never,
      models,
      origin: ORIGIN,
      signers: async () => [key],
      log: silentLog,
      tickMs: 10,
      ...(rowsMax !== undefined && { rowsMax }),
    })
    stop = new AbortController()
    ended = maps.run(stop.signal)
  }
  const end = async () => {
    stop.abort()
    await ended
  }

  before(async () => {
    world = await makeWorld()
    start()
  })
  after(async () => {
    await end()
    await world.close()
  })

  it('signs the rows of every model after every checkpoint, as a fold of all events has them', async () => {
    expect(provable.length).to.be.greaterThan(30)
    for (let step = 1; step <= STEPS; step += 1) {
      const part = upTo(Math.ceil((history.events.length * step) / STEPS))
      await world.write(part)
      await seal(part.events)
      await proved(part.events)
      const found = await statements()
      for (const model of provable) {
        for (const org of ['north', 'south']) {
          const { rows, root, position, checkpoint, size } = found.find(it => it.model === model.name && it.org === org)
          const wanted = await rowsOf(part.events, model, org)
          const naive = naiveRoot(wanted.map(row => ({ key: sortedJson(keyOfRow(model, row)), row: sortedJson(row) })))
          expect(Buffer.compare(root, naive), `${model.name} of ${org}`).to.equal(0)
          expect(Number(rows)).to.equal(wanted.length)
          const own = part.events.filter(event => event.metadata.org === org)
          expect(String(position)).to.equal(String(own.at(-1)!.position))
          expect(openCheckpoint(checkpoint, known).size).to.equal(Number(size))
        }
      }
    }
  })

  const pathOf = (model: AnyProjection, of: Json): string => {
    const { path, parents, names } = resources.find(
      resource => resource.projection === model && isProvable(model, resource),
    )!
    const parent = (text: string, name: string) =>
      encodeURIComponent(String(of[(parents as Json)[name] as string] ?? text))
    const list = path.replaceAll(/:(\w+)/g, parent)
    return `${list}/${names.map(name => encodeURIComponent(String(of[name]))).join('/')}`
  }

  it('proves every row that is read, and the absence of others', async () => {
    let [rows, absences] = [0, 0]
    for (const model of provable) {
      for (const org of ORGS.slice(0, 2)) {
        const wanted = await rowsOf(history.events, model, org)
        for (const row of wanted.filter((_, n) => LONG || n % 7 === 0)) {
          const { data, meta, code } = await world.call(org, `${pathOf(model, row)}?proof=true`)
          expect(code, pathOf(model, row)).to.equal(undefined)
          const proof = checkRowProof(JSON.stringify({ data, meta }), known, provable)
          expect(proof.row).to.deep.equal(row)
          expect(meta!.as_of).to.equal(String(proof.statement.position))
          expect(proof.statement.log.origin).to.equal(originOf(ORIGIN, org))
          rows += 1
        }
      }
      const row = { ...(await rowsOf(history.events, model, 'north'))[0], id: 'nothing', account: 'nothing' }
      const { code, message, meta } = await world.call('north', `${pathOf(model, row)}?proof=true`)
      if (code === 'invalid_parameter') continue
      expect(code, message).to.equal('not_found')
      expect(checkRowProof(JSON.stringify(meta!.proof), known, provable).row).to.equal(null)
      absences += 1
    }
    expect(rows).to.be.greaterThan(LONG ? 500 : 20)
    expect(absences).to.be.greaterThan(10)
  })

  it('proves nothing as of a position that is not signed, and to no other org', async () => {
    const [row] = await rowsOf(history.events, projections.find(({ name }) => name === 'balances')!, 'north')
    const path = pathOf(projections.find(({ name }) => name === 'balances')!, row!)
    const { meta } = await world.call('north', `${path}?proof=true`)
    const { position } = checkRowProof(JSON.stringify(meta!.proof), known, provable).statement
    const asOf = (at: bigint) => world.call('north', `${path}?proof=true&wait=0&as_of=${at}`)
    expect((await asOf(position)).meta!.proof).to.deep.equal(meta!.proof)
    expect((await asOf(position - 1n)).code).to.equal('not_proved')
    expect((await asOf(history.position)).meta!.proof).to.deep.equal(meta!.proof)
    expect((await asOf(history.position + 1n)).code).to.equal('not_proved')
    expect((await world.call('nobody', `${path}?proof=true&wait=0`)).code).to.equal('not_proved')
    const south = (await world.call('south', `${path}?proof=true`)).meta!.proof as RowProof
    expect(checkRowProof(JSON.stringify(south), known, provable).key.org).to.equal('south')
    expect((await world.call('north', `${path}?proof=yes`)).code).to.equal('invalid_parameter')
  })

  it('proves to nobody who may not read all that a row of private things is absent', async () => {
    const ask = (id: string, subject: string, permissions = ['briefcase.items.read']) =>
      world.call('north', `/kbfc/items/${id}?proof=true`, {}, { subject, permissions })
    expect((await ask('hidden', 'owner')).meta!.proof).to.have.property('format')
    const [hidden, none] = [await ask('hidden', 'eve'), await ask('hiddem', 'eve')]
    expect([hidden.code, none.code]).to.deep.equal(['not_found', 'not_found'])
    expect(JSON.stringify(none).replaceAll('hiddem', 'hidden')).to.equal(JSON.stringify(hidden))
    const { meta } = await ask('hiddem', 'eve', ['*'])
    expect(checkRowProof(JSON.stringify(meta!.proof), known, provable).row).to.equal(null)
  })

  it('has the same roots when it begins anew, and when a rebuild has put other tables in place', async () => {
    const before = (await statements())
      .map(({ root, model, org }) => `${model} ${org} ${root.toString('hex')}`)
      .toSorted()
    await end()
    await world.pool.query('delete from row_maps')
    const table = historyTableOf(projections.find(({ name }) => name === 'balances')!)
    await world.pool.query(`alter table ${table} rename to old_rows; create table ${table} as select * from old_rows`)
    start()
    await proved(history.events)
    const after = (await statements())
      .map(({ root, model, org }) => `${model} ${org} ${root.toString('hex')}`)
      .toSorted()
    expect(after).to.deep.equal(before)
  })

  it('comes to many rows in steps, goes on where it ended, and shows nothing on the way', async () => {
    const model = projections.find(({ name }) => name === 'balances')!
    const of = async () =>
      (await world.pool.query(`select org, position, rows, root, statement from row_maps where model = 'balances'`))
        .rows
    const whole = new Map((await of()).map(map => [map.org, map]))
    const [row] = await rowsOf(history.events, model, 'north')
    await end()
    await world.pool.query(`delete from row_maps where model = 'balances'`)
    const positions: number[] = []
    for (let isDone = false; !isDone; ) {
      start([model], 3)
      // One step, or a few of them: then an end in between.
      for (const before = positions.length; positions.length === before; await sleep(2)) {
        const map = (await of()).find(({ org }) => org === 'north')
        if (map && Number(map.position) > (positions.at(-1) ?? 0)) positions.push(Number(map.position))
      }
      await end()
      const map = (await of()).find(({ org }) => org === 'north')
      isDone = map.statement !== null
      const { code } = await world.call('north', `${pathOf(model, row!)}?proof=true&wait=0`)
      expect(code).to.equal(isDone ? undefined : 'not_proved')
    }
    expect(positions.length).to.be.greaterThan(3)
    start([model], 3)
    while ((await of()).some(({ statement }) => statement === null)) await sleep(10)
    for (const map of await of())
      expect(map).to.include({ rows: whole.get(map.org).rows, position: whole.get(map.org).position })
    for (const map of await of()) expect(map.root).to.deep.equal(whole.get(map.org).root)
    await end()
    start()
    await proved(history.events)
  })

  it('leaves alone an org whose checkpoint another key signed, and proves the others', async () => {
    const tasks = async () => (await statements()).filter(({ model, statement }) => model === 'tasks' && statement)
    await end()
    const { rows } = await world.pool.query(`select note from notary_heads where tree = 'south'`)
    const { origin, size, root } = openCheckpoint(rows[0].note, known)
    const foreign = signCheckpoint({ origin, size, root }, [signer()])
    await world.pool.query(`delete from row_maps; update notary_heads set note = '${foreign}' where tree = 'south'`)
    start()
    while ((await tasks()).length === 0) await sleep(10)
    await sleep(100)
    expect((await tasks()).map(({ org }) => org)).to.deep.equal(['north'])
    expect(maps.trouble).to.equal(undefined)
    await world.pool.query(`update notary_heads set note = '${rows[0].note}' where tree = 'south'`)
    maps.give(['south'])
    while ((await tasks()).length < 2) await sleep(10)
  })

  it('are those that the settings name, of models that can be proved', () => {
    expect(provedModels({ provedModels: ['balances', 'tasks'] }).map(({ name }) => name)).to.deep.equal([
      'balances',
      'tasks',
    ])
    for (const name of ['nonsense', 'audit_log']) {
      expect(() => provedModels({ provedModels: [name] })).to.throw(
        ConfigError,
        `KOGI_PROVED_MODELS: ${name} is none of`,
      )
    }
  })

  it('forgets the maps of models that are not proved any more', async () => {
    await end()
    start(provable.filter(({ name }) => name === 'tasks'))
    while ((await statements()).some(({ model }) => model !== 'tasks')) await sleep(10)
    const tasks = `${historyTableOf(projections.find(({ name }) => name === 'tasks')!)}_proved`
    const indexes = async () => {
      const { rows } = await world.pool.query("select indexname from pg_indexes where indexname like '%\\_proved'")
      return rows.map(({ indexname }) => indexname).join()
    }
    while ((await indexes()) !== tasks) await sleep(10)
  })
})
