import { expect } from 'chai'
import { toWire } from '../../domain/kernel/json.ts'
import { codec, projections } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { type FoldedRows, foldEvent } from '../../projections/rows/fold.ts'
import { randomHistory } from '../projections/history.ts'
import { freshPool, MemoryLog, reached, separateAll, startRunner } from '../projections/support.ts'
import { type Live, serveReads } from './live.ts'

const SEED = Number(process.env.KOGI_SEED ?? 7)
type Row = Readonly<Record<string, unknown>>
const MODELS: Readonly<Record<string, string>> = { task: 'tasks', item: 'items', wallet: 'wallets' }

describe(`read API: what events changed (KOGI_SEED=${SEED})`, function changes() {
  this.timeout(60_000)
  const events = randomHistory({ seed: SEED, count: 300, orgs: 2 })
  const head = events.at(-1)!.position
  let pool: Pool
  let live: Live
  before(async () => {
    pool = await freshPool()
    const runner = startRunner(pool, new MemoryLog(events), { batch: { min: 13, max: 13, targetMs: 10 } })
    await reached(pool, head)
    await runner.close()
    await separateAll(pool)
    live = await serveReads(pool)
  })
  after(() => live?.close())

  const page = async (query = '') => {
    const { status, body } = await live.get('org-0', `/kmg/audit-log?limit=500&${query}`)
    expect(status, JSON.stringify(body)).to.equal(200)
    return body.data as Row[]
  }

  it('is the difference of the rows before and after, of every event of every thing', async () => {
    const folded: FoldedRows = new Map()
    const rowOf = (category: string, org: string, id: string) => {
      const row = folded.get(MODELS[category]!)?.get([org, id].join('\0'))
      const { org: _, id: own, revision, updated_at, ...rest } = (row ? toWire(row) : {}) as Row
      return rest
    }
    const wanted: Row[] = []
    for (const event of events) {
      const { org, id } = event.metadata
      const category = event.stream.split('-')[0]!
      const before = rowOf(category, org, id)
      foldEvent(projections, folded, codec.decode(event))
      const after = rowOf(category, org, id)
      if (org !== 'org-0') continue
      const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])]
      const changed = fields.filter(field => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
      const values = changed.map(field => [field, { from: before[field] ?? null, to: after[field] ?? null }])
      wanted.push({ type: event.type, data: event.data, changes: Object.fromEntries(values) })
    }
    const sorted = (rows: readonly Row[]) => rows.map(row => JSON.parse(JSON.stringify(row)))
    const found = (await page()).map(({ type, data, changes }) => ({ type, data, changes }))
    expect(sorted(found)).to.deep.equal(sorted(wanted))
  })

  it('is asked for by type, thing, actor, period and correlation', async () => {
    const all = await page()
    const same = (query: string, keeps: (row: Row) => boolean) =>
      page(query).then(rows => expect(rows, query).to.deep.equal(all.filter(keeps)).and.not.to.deep.equal([]))
    const [first, last] = [String(all[9]!.at), String(all[30]!.at)]
    await same('type=TaskChanged,TaskRemoved', ({ type }) => type === 'TaskChanged' || type === 'TaskRemoved')
    await same(`at[gte]=${first}&at[lt]=${last}`, ({ at }) => String(at) >= first && String(at) < last)
    await same(
      `category=task&id=${all.find(({ category }) => category === 'task')!.id}`,
      ({ category, id }) => category === 'task' && id === all.find(row => row.category === 'task')!.id,
    )
    await same('actor=somebody&correlation_id=correlation&type=EntryPosted', ({ type }) => type === 'EntryPosted')
    expect(await page('correlation_id=another')).to.deep.equal([])
  })

  it('is left out for what the read model of the thing has not come to', async () => {
    await pool.query(`delete from items_v5_history where org = 'org-0'`)
    const rows = await page('category=item')
    expect(rows.map(row => 'changes' in row))
      .to.include(false)
      .and.not.to.include(true)
  })
})
