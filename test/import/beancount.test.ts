/** Journals that beancount reads and judges. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NO_WALLET } from '../../commands/imports/wallet-state.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { afterPlan, asRefusal, balances, isThere, journalFolder, plan } from './support.ts'

const run = promisify(execFile)

const OPEN = ['Assets:Bank', 'Assets:Shares', 'Equity:Open', 'Expenses:Food']
  .map(account => `2026-01-01 open ${account}\n`)
  .join('')
const TEXT = `${OPEN}
2026-01-01 * "Owner" "Start"
  Assets:Bank  1,000.00 EUR
  Equity:Open

2026-01-02 * "Lunch"
  Expenses:Food  12.50 EUR
  Assets:Bank

2026-01-03 * "Buy"
  Assets:Shares  3 HOOL {10.10 EUR}
  Assets:Bank  -30.30 EUR

2026-01-04 * "Sell"
  Assets:Shares  -1 HOOL {10.10 EUR} @ 12.00 EUR
  Assets:Bank  12.00 EUR
  Equity:Open

2026-02-01 balance Assets:Bank 969.20 EUR
`

describe('import: beancount', () => {
  const folder = journalFolder()
  before(function () {
    if (!isThere('bean-check', '--help')) this.skip()
  })
  const read = async (text: string, name = 'x.beancount') => readJournal(await folder.write(name, text))

  it('reaches the balances of beancount, what is held at cost too', async () => {
    const { journal, reader, warnings } = await read(TEXT)
    expect([reader, warnings]).to.deep.equal(['beancount', []])
    expect(journal.map(({ description, place }) => [description, place.line])).to.deep.equal([
      ['Owner | Start', 6],
      ['Lunch', 10],
      ['Buy', 14],
      ['Sell', 18],
    ])
    const made = plan(journal)
    expect(balances(made)).to.deep.equal({
      'Assets:Bank EUR': '96920',
      'Assets:Shares HOOL': '2',
      'Equity:Open EUR': '-100190',
      'Expenses:Food EUR': '1250',
    })
    expect(plan(journal, afterPlan(made)).steps).to.deep.equal([])
    const file = `${folder.path}/x.beancount`
    const query = "select account, sum(units(position)) where account = 'Assets:Bank' group by account"
    const { stdout } = await run('bean-query', ['-f', 'csv', file, query])
    expect(stdout).to.match(/969\.20 EUR/)
  })

  it('refuses what beancount refuses, and says where', async () => {
    const unbalanced = TEXT.replace('-30.30 EUR', '-31.30 EUR')
    expect(asRefusal(await read(unbalanced).catch(error => error))).to.include({ code: 'journal_invalid', line: 14 })
    const asserted = TEXT.replace('969.20', '969.90')
    expect(asRefusal(await read(asserted).catch(error => error))).to.include({ code: 'journal_invalid', line: 23 })
    const unopened = '2026-01-01 * "x"\n  Assets:Bank  1 EUR\n  Assets:Cash\n'
    expect(asRefusal(await read(unopened).catch(error => error))).to.include({ code: 'journal_invalid', line: 1 })
  })

  it('does not take for balanced what beancount tolerates', async () => {
    const tolerated = `${OPEN}\n2026-01-02 * "Half a cent"\n  Expenses:Food  10.004 EUR\n  Assets:Bank  -10.00 EUR\n`
    const { journal } = await read(tolerated)
    const refused = await Promise.resolve()
      .then(() => plan(journal, NO_WALLET, { EUR: 'EUR-exact' }))
      .catch(error => error)
    expect(asRefusal(refused)).to.include({ code: 'entry_unbalanced', line: 6 })
  })

  it('says what a lone comma was taken as', async () => {
    const { warnings } = await read(TEXT.replace('1,000.00 EUR', '1,000 EUR'))
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.match(
      /x.beancount:7: "1,000 EUR" is taken as 1000, as beancount reads it; hledger takes it as/,
    )
  })
})
