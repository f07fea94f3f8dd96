import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { canonicalJson, toWire } from '../../domain/kernel/json.ts'
import { codec, kinds, memoryPermissions, projections, resources } from '../../infra/catalogue.ts'
import type { Pool } from '../../infra/postgres.ts'
import { recordHead } from '../../projections/audit/heads.ts'
import { memoryTimers } from '../../projections/memory/memory-timers.ts'
import { rowAsOf } from '../../projections/rows/as-of.ts'
import { type FoldedRows, foldEvent, sortedRows } from '../../projections/rows/fold.ts'
import type { Row } from '../../projections/rows/tables.ts'
import { readRoutes } from '../../read-api/routes.ts'
import { randomHistory, randomOf } from '../projections/history.ts'
import { freshPool, MemoryLog, reached, separateAll, startRunner } from '../projections/support.ts'
import { patient } from '../support/pace.ts'
import { type Live, serveReads } from './live.ts'
import { revisionsAfter } from './revisions-oracle.ts'
import { asStored } from './support.ts'

type Resource = (typeof resources)[number]

const LONG = process.env.KOGI_LONG === '1'
/** After all events, and before now. */
const LATE = new Date(Date.now() - 10_000).toISOString()
const SEED = Number(process.env.KOGI_SEED ?? 61)

/** Rows of an org as the API writes them, in the order of a resource. */
function expected(folded: FoldedRows, resource: Resource, org: string, revised: ReturnType<typeof revisionsAfter>) {
  const only = Object.entries(resource.where)
  const rows = sortedRows(folded, resource.projection).filter(
    row => row.org === org && only.every(([column, value]) => [value].flat().includes(row[column] as string)),
  )
  const by = (row: Row) => resource.order.map(column => row[column as string] as string | bigint)
  const inOrder = (a: Row, b: Row) => {
    const [left, right] = [by(a), by(b)]
    const at = left.findIndex((value, index) => value !== right[index])
    return at < 0 ? 0 : left[at]! < right[at]! ? -1 : 1
  }
  return [...rows].sort(inOrder).map(row => {
    const wire = { ...revised(resource.projection, toWire(row) as Record<string, unknown>) }
    if (wire.holder) wire.holder = `sealed ${(wire.holder as { text: string }).text}`
    return wire
  })
}

const filled = (resource: Resource, row: Record<string, unknown>) =>
  [resource.path.replaceAll(/:(\w+)/g, (_, name: string) => text(row, resource.parents[name]!)), ...resource.names]
    .map((part, at) => (at === 0 ? part : text(row, part as string)))
    .join('/')
const text = (row: Record<string, unknown>, column: string) => encodeURIComponent(String(row[column]))

describe(`read API: as of (KOGI_SEED=${SEED})`, function asOf() {
  this.timeout(LONG ? 1_800_000 : 60_000)
  const events = randomHistory({ seed: SEED, count: LONG ? 1_000 : 60, orgs: 2 })
  const head = events.at(-1)!.position
  let pool: Pool
  let live: Live
  before(async () => {
    pool = await freshPool()
    const runner = startRunner(pool, new MemoryLog(events), { batch: { min: 13, max: 13, targetMs: 10 } })
    await reached(pool, head)
    await runner.close()
    await separateAll(pool)
    await recordHead(pool, head, Date.now())
    live = await serveReads(pool)
  })
  after(() => live.close())

  async function everyPage(
    { projection }: Resource,
    org: string,
    path: string,
    query: string,
  ): Promise<Record<string, unknown>[]> {
    const rows: Record<string, unknown>[] = []
    let after = ''
    for (;;) {
      const { status, body } = await live.get(org, `${path}?${query}${after}`)
      expect(status, `${path}?${query} ${JSON.stringify(body)}`).to.equal(200)
      rows.push(...asStored(body.data as Record<string, unknown>[], projection))
      if (!body.pagination.has_more) return rows
      after = `&after=${body.pagination.next}`
    }
  }

  it('answers every list and every thing at every position as the fold of the log up to there has it', async () => {
    const random = randomOf(SEED)
    const folded: FoldedRows = new Map()
    const lists = resources.filter(({ parents }) => Object.keys(parents).length === 0)
    for (const [n, event] of events.entries()) {
      foldEvent(projections, folded, codec.decode(event))
      const revised = revisionsAfter(events.slice(0, n + 1))
      const { org } = event.metadata
      // A position need not be that of an event: nothing happens before the next one.
      const position = String(event.position + BigInt(random(30)))
      if (BigInt(position) > head) break
      for (const resource of lists) {
        const limit = random(8) === 0 ? 1 + random(9) : 500
        const found = await everyPage(resource, org, resource.path, `as_of=${position}&limit=${limit}`)
        expect(found.map(canonicalJson), `${resource.path} ${position}`).to.deep.equal(
          expected(folded, resource, org, revised).map(canonicalJson),
        )
      }
      for (const resource of resources.filter(({ names }) => names.length > 0)) {
        const rows = expected(folded, resource, org, revised)
        const row = rows[random(rows.length)]
        if (!row) continue
        const { status, body } = await live.get(org, `${filled(resource, row)}?as_of=${position}`)
        expect(status, filled(resource, row)).to.equal(200)
        expect(asStored([body.data], resource.projection).map(canonicalJson)).to.deep.equal([canonicalJson(row)])
        expect(body.meta).to.include({ position: String(head), as_of: position })
      }
    }
  })

  it('answers the lists of a thing, filters, counts and offsets as they were', async () => {
    const random = randomOf(SEED + 1)
    for (let n = 0; n < (LONG ? 100 : 6); n += 1) {
      const until = events[random(events.length)]!
      const { org } = until.metadata
      const folded: FoldedRows = new Map()
      for (const event of events) {
        if (event.position <= until.position) foldEvent(projections, folded, codec.decode(event))
      }
      const revised = revisionsAfter(events.filter(({ position }) => position <= until.position))
      const as = `as_of=${until.position}`
      const of = (many: string) => resources.find(({ ids }) => ids.many === many)!
      const all = expected(folded, of('Tasks'), org, revised)
      const open = all.filter(({ status }) => status === 'open')
      expect(await everyPage(of('Tasks'), org, '/kctr/tasks', `${as}&status=open&limit=1`)).to.deep.equal(open)
      const { body } = await live.get(org, `/kctr/tasks?${as}&status=open&total=true&offset=1&limit=1`)
      expect(body.pagination).to.include({ total: open.length, offset: 1 })
      expect(asStored(body.data, of('Tasks').projection)).to.deep.equal(open.slice(1, 2))
      for (const wallet of expected(folded, of('Wallets'), org, revised)) {
        for (const many of ['WalletAccounts', 'WalletEntries']) {
          const rows = expected(folded, of(many), org, revised).filter(row => row.wallet === wallet.id)
          const path = of(many).path.replace(':id', String(wallet.id))
          expect(await everyPage(of(many), org, path, `${as}&limit=2`)).to.deep.equal(rows)
        }
      }
    }
  })

  it('takes a timestamp for the last position before anything later, and names that position', async () => {
    const own = events.filter(({ metadata }) => metadata.org === 'org-1')
    const { position, metadata } = own[20]!
    const [time, zoned] = [metadata.at, `${new Date(Date.parse(metadata.at) + 7_200_000).toISOString().slice(0, -1)}`]
    for (const as of [time, `${zoned}%2B02:00`, time.replace('Z', '999Z'), String(position)]) {
      const { body } = await live.get('org-1', `/kctr/tasks?as_of=${as}`)
      expect(body.meta.as_of, as).to.equal(String(position))
    }
    const since = await live.get('org-1', `/kctr/tasks?as_of=${LATE}`)
    expect(since.body.meta.as_of).to.equal(String(own.at(-1)!.position))
    const past = await live.get('org-1', '/kctr/tasks?as_of=2000-01-01T00:00:00Z')
    expect([past.body.meta.as_of, past.body.data]).to.deep.equal(['0', []])
    expect((await live.get('org-1', `/kctr/tasks/${metadata.id}?as_of=2000-01-01T00:00:00Z`)).status).to.equal(404)
  })

  it('keeps the moment of the first page, and refuses the cursor of another one', async () => {
    const at = events.at(-9)!.position
    for (const as of [String(at), LATE]) {
      const first = await live.get('org-1', `/kmg/audit-log?limit=2&as_of=${as}`)
      const { next } = first.body.pagination
      for (const same of [as, first.body.meta.as_of]) {
        const second = await live.get('org-1', `/kmg/audit-log?limit=2&as_of=${same}&after=${next}`)
        expect(second.status, JSON.stringify(second.body)).to.equal(200)
        expect(second.body.meta.as_of).to.equal(first.body.meta.as_of)
      }
      for (const other of ['', `&as_of=${at - 1n}`, '&as_of=2099-01-01T00:00:00Z']) {
        const { status, body } = await live.get('org-1', `/kmg/audit-log?limit=2&after=${next}${other}`)
        expect([status, body.error.details[0].field], other).to.deep.equal([400, 'after'])
      }
    }
    const now = await live.get('org-1', '/kmg/audit-log?limit=2')
    const mixed = await live.get('org-1', `/kmg/audit-log?as_of=${at}&after=${now.body.pagination.next}`)
    expect(mixed.status).to.equal(400)
  })

  it('refuses a position beyond the head unless it is waited for, and what is neither position nor time', async () => {
    const beyond = await live.get('org-1', `/kctr/tasks?as_of=${head + 1n}`)
    expect([beyond.status, beyond.body.error.code]).to.deep.equal([400, 'as_of_beyond_head'])
    expect(beyond.body.error.details).to.deep.equal([
      { field: 'as_of', message: String(head + 1n) },
      { field: 'position', message: String(head) },
    ])
    const waited = await live.get('org-1', `/kctr/tasks?as_of=${head + 1n}&at_least=${head + 1n}&wait=0`)
    expect([waited.status, waited.body.error.code]).to.deep.equal([503, 'not_yet_visible'])
    expect((await live.get('org-1', `/kctr/tasks?as_of=${head}&at_least=${head}`)).status).to.equal(200)
    const times = ['2026-02-30T00:00:00Z', '2026-01-01', '2026-01-01T00:00:00', '0000-01-01T00:00:00%2B01:00']
    for (const as of [...times, '', '-1', '1e3', '9223372036854775808', 'now']) {
      const { status, body } = await live.get('org-1', `/kctr/tasks?as_of=${as}`)
      expect([status, body.error.code, body.error.details[0].field], as).to.deep.equal([
        400,
        'invalid_parameter',
        'as_of',
      ])
    }
  })

  it('says so where no history is kept, rather than answer with nothing', async () => {
    const { status, body } = await live.get('org-1', '/khub/notifications?as_of=1')
    expect([status, body.error.code]).to.deep.equal([400, 'no_history'])
    expect(() => rowAsOf(memoryTimers, [['org', '$1']], '$2')).to.throw('keeps no history')
  })

  it('is declared by every route that has it, with its errors', () => {
    for (const { path, parameters, errors } of readRoutes({ kinds, resources, memoryPermissions } as never)) {
      const declared = parameters.some(({ name }) => name === 'as_of')
      // Notifications, the inbox, glances, versions, what is left to clear, the member's part of a benefit, refusals
      // and proofs are of now.
      const words =
        'receipt|notifications|inbox|workflows|catalog|dashboard|uncleared|/briefcase|benefits/:id/statement|' +
        'book/(diff|versions)|:id/content|disclosures/:disclosure|compliance/controls(/:control(/pack)?)?|' +
        'refused-commands|sensitive-reads|kmg/operations|causes|differences|persons/:subject/(data|page)|:category/:id'
      const ofNow = new RegExp(`(${words})(\\.csv)?$|/log/`)
      expect(declared, path).to.equal(!ofNow.test(path))
      const knows = declared || parameters.some(({ name }) => name === 'from' && path === '/kmg/differences')
      expect(errors[400], path).to.deep.equal([knows ? 'as_of_beyond_head' : 'no_history'])
    }
  })

  it('answers of the past while a read model stands still, as far as that has come', async () => {
    await pool.query(`update projection_checkpoints set state = 'stalled' where projection = 'tasks'`)
    expect((await live.get('org-1', '/kctr/tasks')).status).to.equal(503)
    expect((await live.get('org-1', `/kctr/tasks?as_of=${head}`)).status).to.equal(200)
    expect((await live.get('org-1', `/kctr/tasks?as_of=${head + 1n}`)).body.error.code).to.equal('projection_stalled')
    await pool.query(`update projection_checkpoints set state = 'running' where projection = 'tasks'`)
  })

  it('refuses a time that is still to come, at once', async () => {
    const asked = performance.now()
    const { status, body } = await live.get('org-1', '/kctr/tasks?as_of=2100-01-01T00:00:00Z')
    expect([status, body.error.code]).to.deep.equal([400, 'as_of_beyond_head'])
    expect(body.error.message).to.equal('The time 2100-01-01T00:00:00Z is still to come.')
    expect(performance.now() - asked).to.be.below(patient(1_000))
  })

  it('answers of a time only when all is known of it: as long as the projector lags, it waits', async () => {
    await pool.query('delete from log_heads')
    const unknown = await live.get('org-1', `/kctr/tasks?as_of=${LATE}&wait=0`)
    expect([unknown.status, unknown.body.error.code]).to.deep.equal([503, 'not_yet_visible'])
    expect(unknown.body.error.details[1].message).to.equal('nothing is known yet')
    // What lies before a later event of the org is known by that alone.
    const own = events.filter(({ metadata }) => metadata.org === 'org-1')
    expect((await live.get('org-1', `/kctr/tasks?as_of=${own[20]!.metadata.at}&wait=0`)).status).to.equal(200)
    // The log was seen to end beyond what is projected.
    await recordHead(pool, head + 50n, Date.now())
    const lagging = await live.get('org-1', `/kctr/tasks?as_of=${LATE}&wait=0`)
    expect([lagging.status, lagging.body.error.code]).to.deep.equal([503, 'not_yet_visible'])
    const waiting = live.get('org-1', `/kctr/tasks?as_of=${LATE}&wait=20000`)
    await sleep(300)
    await pool.query('update projection_checkpoints set position = $1', [head + 50n])
    const found = await waiting
    expect([found.status, found.body.meta.as_of]).to.deep.equal([200, String(own.at(-1)!.position)])
    await pool.query('update projection_checkpoints set position = $1', [head])
    await pool.query('delete from log_heads')
    await recordHead(pool, head, Date.now())
  })

  it('says until when all is known', async () => {
    const at = Date.now()
    await recordHead(pool, head, at - 60_000)
    await pool.query('delete from log_heads where position <> $1', [head])
    const [early, late] = [new Date(at - 70_000), new Date(at - 1_000)].map(time => time.toISOString())
    await pool.query('update log_heads set seen_at = $1', [new Date(at - 60_000)])
    expect((await live.get('org-1', `/kctr/tasks?as_of=${early}&wait=0`)).status).to.equal(200)
    const { status, body } = await live.get('org-1', `/kctr/tasks?as_of=${late}&wait=0`)
    expect([status, body.error.details]).to.deep.equal([
      503,
      [
        { field: 'as_of', message: late },
        { field: 'known_until', message: new Date(at - 60_000).toISOString() },
      ],
    ])
  })

  it('answers of a settled time while the audit log stands still, and of no other', async () => {
    await pool.query('delete from log_heads')
    await pool.query(`update projection_checkpoints set state = 'stalled' where projection = 'audit_log'`)
    const own = events.filter(({ metadata }) => metadata.org === 'org-1')
    const settled = await live.get('org-1', `/kctr/tasks?as_of=${own[20]!.metadata.at}`)
    expect([settled.status, settled.body.meta?.as_of]).to.deep.equal([200, String(own[20]!.position)])
    const open = await live.get('org-1', `/kctr/tasks?as_of=${LATE}&wait=20000`)
    expect([open.status, open.body.error.code]).to.deep.equal([503, 'projection_stalled'])
    await pool.query(`update projection_checkpoints set state = 'running' where projection = 'audit_log'`)
  })

  it('waits for a read model that lags behind the time that was asked about', async () => {
    await recordHead(pool, head, Date.now())
    await pool.query(`update projection_checkpoints set position = 1 where projection = 'tasks'`)
    const { status, body } = await live.get('org-1', `/kctr/tasks?as_of=${LATE}&wait=0`)
    expect([status, body.error.code]).to.deep.equal([503, 'not_yet_visible'])
    await pool.query('update projection_checkpoints set position = $1', [head])
  })
})
