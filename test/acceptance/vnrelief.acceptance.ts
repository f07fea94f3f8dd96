import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible } from './checks.ts'
import { csv, dataSet } from './data-sets.ts'

describe('vnrelief: one account with tens of thousands of donations, one stream', function () {
  const set = dataSet(this, 'vnrelief', 'agribank.csv')
  const rows = set.oracle ? csv(set.text('agribank.csv')) : []
  let data: string
  let system: System
  let client: Client
  let command: ReturnType<typeof commandsOf>
  let position = 0n
  const durationsMs: number[] = []
  const keyOf = (row: Record<string, string>) => `agribank-${row.seq}`

  before(async () => {
    data = await mkdtemp(path.join(tmpdir(), 'kogi-vnrelief-'))
    system = await startSystem({ data })
    client = await system.clientOf('relief')
    command = commandsOf(client)
    const { opening_vnd } = set.oracle.agribank
    await send('/api/v1/kwlt/wallets', 'open', { id: 'fund', kind: 'business' })
    const account = { account: 'agribank', currency: 'VND', overdraft: 'refused' }
    await send('/api/v1/kwlt/wallets/fund/accounts', 'account', account)
    await credit('opening', String(opening_vnd), rows[0]!.date!)
    for (const row of rows) {
      const begun = performance.now()
      await credit(keyOf(row), row.credit_vnd!, row.date!)
      durationsMs.push(performance.now() - begun)
    }
    await visible(client, position)
  })
  after(async () => {
    client?.close()
    await system?.stop()
    if (data) await rm(data, { recursive: true, force: true })
  })

  async function send(to: string, key: string, body: unknown) {
    const answer = await command('POST', to, key, body)
    expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
    position = BigInt(answer.body.data.position)
    return answer.body.data
  }
  const credit = (key: string, amount: string, effective_on: string) =>
    send('/api/v1/kwlt/wallets/fund/credits', key, { account: 'agribank', currency: 'VND', amount, effective_on })

  it('takes no longer for an entry at the end than at the start', () => {
    // The tenth part that was quickest says what an entry costs, whatever else the machine did meanwhile.
    const costOf = (durations: readonly number[]) => durations.toSorted((a, b) => a - b)[durations.length / 10]!
    const first = costOf(durationsMs.slice(1_000, 6_000))
    const last = costOf(durationsMs.slice(-5_000))
    expect(last / first, `${first.toFixed(2)} ms, then ${last.toFixed(2)} ms`).to.be.below(1.5)
    console.log(`      ${first.toFixed(2)} ms at the start, ${last.toFixed(2)} ms at the end`)
  })

  it('ends with the bank’s closing balance', async () => {
    const { body } = await client.call('GET', '/api/v1/kwlt/wallets/fund/accounts/agribank/VND')
    expect(body.data.balance).to.equal(String(set.oracle.agribank.closing_vnd))
  })

  it('shows every printed balance', async () => {
    const statement = '/api/v1/kwlt/wallets/fund/accounts/agribank/statement?currency=VND&order=posted'
    const lines = (await allRows(client, statement, 'lines')).slice(1)
    const matched = rows.filter((row, n) => lines[n]?.balance === row.balance_vnd)
    expect(matched).to.have.length(set.oracle.agribank.printed_balances_matched)
  })

  it('knows the first command as well as the last, after a restart of everything that remembers', async () => {
    client.close()
    await system.stop()
    system = await startSystem({ data })
    client = await system.clientOf('relief')
    command = commandsOf(client)
    const last = rows.at(-1)!
    for (const row of [rows[0]!, rows[1]!, rows[rows.length >> 1]!, last]) {
      const receipt = await credit(keyOf(row), row.credit_vnd!, row.date!)
      expect(receipt.replayed, `row ${row.seq}`).to.equal(true)
    }
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
