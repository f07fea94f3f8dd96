import { readdirSync } from 'node:fs'
import path from 'node:path'
import { expect } from 'chai'
import type { Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, visible } from './checks.ts'
import { checksum, dataSet } from './data-sets.ts'

describe('hackclub: the books of a non-profit through kogi import', function () {
  const set = dataSet(this, 'hackclub')
  let system: System
  let client: Client
  let first: Report

  type Report = { appended: number; alreadyThere: number; position: string }
  const journal = () => {
    const folder = set.file('.')
    return path.join(folder, readdirSync(folder).find(name => name.endsWith('.ledger'))!)
  }
  const runImport = async (): Promise<Report> =>
    JSON.parse(await system.kogi('import', journal(), '--wallet', 'books', '--org', 'hackclub', '--json'))

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('hackclub')
    first = await runImport()
    await visible(client, BigInt(first.position))
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  it('posts every transaction', async () => {
    expect(first.appended).to.equal(set.oracle.transactions)
    const entries = (await allRows(client, '/api/v1/kwlt/wallets/books/entries')) as unknown as { postings: [] }[]
    expect(entries).to.have.length(set.oracle.transactions)
    expect(entries.reduce((sum, { postings }) => sum + postings.length, 0)).to.equal(set.oracle.postings)
  })

  it('ends with the balances of the books', async () => {
    const accounts = await allRows(client, '/api/v1/kwlt/wallets/books/accounts')
    expect(accounts).to.have.length(set.oracle.accounts)
    const nonzero = accounts.filter(({ balance }) => balance !== '0')
    expect(nonzero).to.have.length(set.oracle.nonzero_accounts)
    const sum = accounts.reduce((total, { balance }) => total + BigInt(balance!), 0n)
    expect(sum).to.equal(BigInt(set.oracle.sum_cents))
    expect(checksum(nonzero.map(({ account, balance }) => `${account},${balance}`))).to.equal(
      set.oracle.sha256_nonzero_balances,
    )
  })

  it('has a trial balance that sums to zero, and a balance sheet that balances', async () => {
    const report = async (name: string) => (await client.call('GET', `/api/v1/kwlt/wallets/books/${name}`)).body.data
    const trial = await report('trial-balance')
    const rows = trial.accounts as { account: string; balance: string }[]
    const nonzero = rows.filter(({ balance }) => balance !== '0')
    expect(checksum(nonzero.map(({ account, balance }) => `${account},${balance}`))).to.equal(
      set.oracle.sha256_nonzero_balances,
    )
    const [{ debit, credit, in_transit }] = trial.totals
    expect({ debit, in_transit }).to.deep.equal({ debit: credit, in_transit: '0' })
    const [{ assets, liabilities, equity, earnings, ...sheet }] = (await report('balance-sheet')).totals
    expect(sheet.in_transit).to.equal('0')
    expect(BigInt(assets)).to.equal(BigInt(liabilities) + BigInt(equity) + BigInt(earnings))
    const [{ net, unclassified }] = (await report('income-statement')).totals
    expect({ net, unclassified }).to.deep.equal({ net: earnings, unclassified: '0' })
  })

  it('appends nothing the second time', async () => {
    const again = await runImport()
    expect(again.appended).to.equal(0)
    expect(again.alreadyThere).to.equal(set.oracle.transactions)
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
