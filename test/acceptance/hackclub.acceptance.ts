import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
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

  const exported = async (format: string, name: string) => {
    const output = path.join(system.data, name)
    await system.kogi(
      'books',
      'export',
      '--org',
      'hackclub',
      '--wallet',
      'books',
      '--format',
      format,
      '--output',
      output,
    )
    return output
  }
  /** Lines `account,cents` of accounts that are not empty, from lines of an account, a comma and a decimal number. */
  const cents = (lines: readonly string[]) =>
    lines.flatMap(line => {
      const [, account, sign, whole, fraction = ''] = /^(.*),"?(-?)(\d+)(?:\.(\d{1,2}))?(?: USD)?"?$/.exec(line)!
      const sum = BigInt(`${sign}${whole}${fraction.padEnd(2, '0')}`)
      return sum === 0n ? [] : [`${account!.replaceAll('"', '')},${sum}`]
    })
  const mustBeTheBooks = (lines: readonly string[]) => {
    expect(lines).to.have.length(set.oracle.nonzero_accounts)
    expect(checksum(lines)).to.equal(set.oracle.sha256_nonzero_balances)
  }
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
      .trimEnd()
      .split('\n')
  /** Skips a test, with a line that says so, where a program is not installed. */
  const needs = (test: Mocha.Context, program: string) => {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' })
    } catch {
      console.log(`    skipped: ${program} is not installed`)
      test.skip()
    }
  }

  it('leaves as a journal that hledger checks, with the same balances', async function () {
    needs(this, 'hledger')
    const file = await exported('hledger', 'books.journal')
    run('hledger', '-f', file, 'check')
    mustBeTheBooks(cents(run('hledger', '-f', file, 'bal', '--flat', '-N', '-E', '-O', 'csv').slice(1)))
  })

  it('leaves as a journal that ledger takes, with the same balances', async function () {
    needs(this, 'ledger')
    const file = await exported('ledger', 'books.ledger')
    const format = '%(account),%(quantity(amount))\n'
    const args = ['--init-file', '/dev/null', '-f', file, 'bal', '--flat', '--no-total', '--empty', '--format', format]
    mustBeTheBooks(cents(run('ledger', ...args)))
  })

  it('leaves as a file that bean-check takes, with the same balances', async function () {
    needs(this, 'bean-check')
    const file = await exported('beancount', 'books.beancount')
    run('bean-check', '--no-cache', file)
    const names = new Map(
      [...readFileSync(file, 'utf8').matchAll(/ open (\S+)\n {2}kogi-name: "(.*)"/g)].map(([, name, account]) => [
        name!,
        account!,
      ]),
    )
    const query = 'select account, sum(number) group by account'
    const rows = run('bean-query', '--no-errors', '-f', 'csv', file, query).slice(1)
    mustBeTheBooks(
      cents(
        rows.map(row => row.split(',').map(part => part.trim())).map(([name, sum]) => `${names.get(name!)},${sum}`),
      ),
    )
  })

  it('leaves as CSV with every posting', async () => {
    const rows = readFileSync(await exported('csv', 'books.csv'), 'utf8')
      .trimEnd()
      .split('\r\n')
    expect(rows).to.have.length(1 + set.oracle.postings)
  })

  it('is given by the API as well', async () => {
    const { status, body, headers } = await client.call('GET', '/api/v1/kwlt/books?format=hledger&wallet=books')
    expect([status, headers['content-type']]).to.deep.equal([200, 'text/plain; charset=utf-8'])
    expect(headers['content-disposition']).to.match(/^attachment; filename="books\.journal"/)
    const withoutPosition = (text: string) => text.replace(/as of position \d+/, '')
    const file = await exported('hledger', 'again.journal')
    expect(withoutPosition(body)).to.equal(withoutPosition(readFileSync(file, 'utf8')))
  })

  it('leaves one account as camt and OFX that aqbanking reads, with the same entries', async function () {
    needs(this, 'aqbanking-cli')
    const one = ['--org', 'hackclub', '--wallet', 'books', '--account', 'Assets:Chase:Checking', '--currency', 'USD']
    const account = '/api/v1/kwlt/wallets/books/accounts/Assets%3AChase%3AChecking/statement?currency=USD'
    const wanted = (await allRows(client, account, 'lines')).map(({ amount }) => amount!).sort()
    for (const [format, importer, profile] of [
      ['camt', 'xml', 'camt_053_001_04'],
      ['ofx', 'ofx', 'default'],
    ]) {
      const file = path.join(system.data, `books.${format}`)
      const context = path.join(system.data, `${format}.ctx`)
      await system.kogi('books', 'export', ...one, '--format', format!, '--output', file)
      const args = ['import', `--importer=${importer}`, `--profile=${profile}`, '-f', file, '-c', context]
      run('aqbanking-cli', '-D', system.data, ...args)
      const [, transactions = ''] = readFileSync(context, 'utf8').split('transactionList')
      const values = [...transactions.matchAll(/char value="(-?\d+)(?:%2F(\d+))?%3AUSD"/g)]
      const read = values.map(([, above, below = '1']) => String((BigInt(above!) * 100n) / BigInt(below)))
      expect(read.sort(), format).to.deep.equal(wanted)
    }
  })

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})
