import { expect } from 'chai'
import { budget as budgetAggregate } from '../../domain/wallet/budget/budget.ts'
import { budgetRows } from '../../infra/budgets/rows.ts'
import { BudgetWatch } from '../../infra/budgets/watch.ts'
import { silentLog } from '../../infra/log.ts'
import { createPool, type Pool } from '../../infra/postgres.ts'
import { stateOf } from '../../infra/things.ts'
import { openWriteSide, type WriteSide } from '../../infra/write-side.ts'
import { type App, startApp } from '../support/app.ts'
import type { Client } from '../support/client.ts'

/** The day on which the watch looks. */
const NOW = '2026-11-20T12:00:00.000Z'
const MOST = '9'.repeat(38)

describe('the watch of budgets', () => {
  let app: App
  let client: Client
  let pool: Pool
  let side: WriteSide
  let last = '0'
  let watch: BudgetWatch
  /** Names of statements that the watch sent, and the budget whose statement fails. */
  const asked: (string | undefined)[] = []
  let broken: string | undefined
  const signal = new AbortController().signal

  before(async () => {
    app = await startApp()
    client = await app.clientOf('okonjo')
    side = openWriteSide(app.urls, app.config, silentLog)
    pool = createPool({ url: app.urls.databaseUrl, name: 'test', log: silentLog, max: 2, connectTimeoutMs: 5_000 })
    const query = (statement: { readonly name?: string; readonly values?: readonly unknown[] }) => {
      asked.push(statement.name)
      if (broken !== undefined && statement.values?.includes(broken)) throw new RangeError('The test breaks it.')
      return pool.query(statement as never)
    }
    watch = new BudgetWatch({ ...side.deps, now: () => NOW, rows: budgetRows({ query } as never) })
    await sent('/kwlt/wallets', { id: 'studio', kind: 'business' })
    for (const account of ['checking', 'savings', 'reserve']) {
      await sent('/kwlt/wallets/studio/accounts', { account, currency: 'EUR', overdraft: 'allowed' })
    }
  })
  after(async () => {
    await side?.close()
    await pool?.end()
    await app?.close()
  })

  async function sent(path: string, body: object) {
    const answer = await client.call('POST', `/api/v1${path}`, { body })
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    last = String(answer.headers['kogi-position'])
    return answer.body.data
  }
  const post = async (kind: 'debits' | 'credits', tag: string, amount: string, more: object = {}) => {
    const said = { account: 'checking', currency: 'EUR', amount, tags: [tag], ...more }
    return (await sent(`/kwlt/wallets/studio/${kind}`, said)).events[0].data.entry as string
  }
  const budget = (id: string, more: object = {}) =>
    sent('/kwlt/budgets', { id, title: id, currency: 'EUR', amount: '1000', period: 'year', tag: id, ...more })
  /** Looks once, when the rows have come as far as the last command. */
  async function look() {
    const path = '/api/v1/kwlt/budgets'
    expect((await client.call('GET', path, { headers: { 'Kogi-Min-Position': last } })).status).to.equal(200)
    const entries = await client.call('GET', '/api/v1/kwlt/entries', { headers: { 'Kogi-Min-Position': last } })
    expect(entries.status).to.equal(200)
    await watch.look(signal)
  }
  /** First days of the periods that a budget says were passed. */
  const passed = async (id: string) =>
    ((await stateOf(side.deps, budgetAggregate, { org: 'okonjo', id })) as { readonly passed?: readonly string[] })
      .passed

  it('finds what was spent on any day of a period that is not over, and nothing in older ones', async () => {
    await budget('paint')
    await look()
    await post('debits', 'paint', '1001', { effective_on: '2025-12-31' })
    await look()
    expect(await passed('paint')).to.equal(undefined)
    await post('debits', 'paint', '1001', { effective_on: '2026-02-01' })
    await look()
    expect(await passed('paint')).to.deep.equal(['2026-01-01'])
  })

  it('counts what takes an entry back as that entry', async () => {
    await budget('paper')
    await post('debits', 'paper', '1400')
    const refund = await post('credits', 'paper', '600')
    await look()
    expect(await passed('paper')).to.equal(undefined)
    await sent(`/kwlt/wallets/studio/entries/${refund}/reverse`, {})
    await look()
    expect(await passed('paper')).to.deep.equal(['2026-01-01'])
  })

  it('goes on with all others where one fails, and comes back to it', async () => {
    broken = 'brushes'
    for (const id of ['brushes', 'canvas']) {
      await budget(id)
      await post('debits', id, '1001', { effective_on: '2026-03-01' })
    }
    for (const _ of [1, 2]) expect(await look().catch((error: Error) => error.name)).to.equal('RangeError')
    expect([await passed('brushes'), await passed('canvas')]).to.deep.equal([undefined, ['2026-01-01']])
    broken = undefined
    await look()
    expect(await passed('brushes')).to.deep.equal(['2026-01-01'])
  })

  it('finds more than an amount can say', async () => {
    await budget('gold')
    for (const account of ['savings', 'reserve']) await post('debits', 'gold', MOST, { account })
    await look()
    expect(await passed('gold')).to.deep.equal(['2026-01-01'])
  })

  it('reads budgets again only where one of them has changed', async () => {
    await post('debits', 'nothing', '1') // the rows come past what the watch itself has written
    await look()
    asked.length = 0
    await post('debits', 'nothing', '1')
    await look()
    expect(asked).to.deep.equal(['budget_marks', 'budgets_reached', 'budgets_spent'])
    await budget('frames')
    await look()
    expect(asked).to.include('watched_budgets')
    await sent('/kwlt/budgets', { id: 'gone', title: 'Gone', currency: 'EUR', amount: '1', period: 'year' })
    await look()
    const { status, headers } = await client.call('DELETE', '/api/v1/kwlt/budgets/gone')
    last = String(headers['kogi-position'])
    await post('debits', 'nothing', '1')
    await look()
    expect([status, await passed('frames')]).to.deep.equal([204, undefined])
  })
})
