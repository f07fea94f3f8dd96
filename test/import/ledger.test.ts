/** Journals that ledger alone reads, and numbers that the programs read differently. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NO_WALLET } from '../../commands/imports/wallet-state.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { afterPlan, asRefusal, balances, hledgerIsThere, journalFolder, ledgerIsThere, plan } from './support.ts'

const run = promisify(execFile)

const TAGGED = `apply tag project: mural
2026-03-01 * (17) Lime "fine" | sand
    Expenses:Supplies      ($12.00 + $3.50)
    Assets:Cash

include march.ledger
end apply tag

2026-03-09 Clay
    Expenses:Supplies      4 "Clay, white" @ $2.25
    [Budget:Clay]         $-9.00
    [Budget:Rest]          $9.00
    Assets:Cash                     ; [2026-03-12]
`
const MARCH = `2026-03-05 Gift
    Assets:Cash      $1,250.00
    Equity
`

describe('import: ledger', () => {
  const folder = journalFolder()

  describe('with the programs', () => {
    before(function () {
      if (!hledgerIsThere || !ledgerIsThere) this.skip()
    })
    const read = async (name: string, text: string, reader?: 'hledger' | 'ledger') =>
      readJournal(await folder.write(name, text), reader)

    it('reads what hledger cannot, says so, and reaches the balances of ledger', async () => {
      await folder.write('march.ledger', MARCH)
      const { journal, reader, warnings } = await read('tagged.journal', TAGGED)
      expect(reader).to.equal('ledger')
      expect(warnings).to.deep.equal([
        `${folder.path}/tagged.journal:1: hledger cannot read this line; ledger can, and read the journal.`,
      ])
      expect(journal.map(({ description, place }) => [description, place.line])).to.deep.equal([
        ['Lime "fine" | sand', 2],
        ['Gift', 1],
        ['Clay', 9],
      ])
      expect(journal[0]).to.include({ date: '2026-03-01', code: '17' })
      expect(journal[2]!.postings.at(-1)).to.deep.include({ account: 'Assets:Cash', date: '2026-03-12' })
      const names = { 'Clay, white': 'CLAY' }
      const held = balances(plan(journal, NO_WALLET, names))
      const { stdout } = await run('ledger', ['-f', `${folder.path}/tagged.journal`, 'bal', '--flat', '--no-total'])
      // An account with several commodities has a line for each, and its name at the last.
      const amounts: string[] = []
      const theirs: Record<string, string> = {}
      for (const [, amount = '', account = ''] of stdout.matchAll(/^ *(\S+(?: "[^"]*")?)(?: {2}(.*))?$/gm)) {
        amounts.push(amount)
        if (!account) continue
        for (const one of amounts.splice(0)) {
          const cents = String(Math.round(Number(one.replaceAll(/[$,]/g, '')) * 100))
          theirs[`${account} ${one.includes('$') ? 'USD' : 'CLAY'}`] = one.includes('$') ? cents : one.split(' ')[0]!
        }
      }
      expect(held).to.deep.equal(theirs)
    })

    it('adds nothing when the journal is read again, by either program', async () => {
      const text = '2026-01-01 * (c) One\n  a  10.00 EUR\n  b\n\n2026-01-02 Two\n  a  2 X @ 3.10 EUR\n  b  -6.20 EUR\n'
      const first = afterPlan(plan((await read('both.journal', text)).journal))
      expect(plan((await read('both.journal', text, 'ledger')).journal, first).steps).to.deep.equal([])
    })

    it('refuses what neither reads, in the words of hledger, and what does not balance', async () => {
      for (const [name, text, line] of [
        ['neither', '2026-01-01 x\n  a  1..2.3,4 EUR\n  b\n', 2],
        ['unbalanced', 'apply tag x\n2026-01-01 x\n  a  1 EUR\n  b  1 EUR\nend apply tag\n', 1],
        ['asserted', '2026-01-01 x\n  a  1 EUR\n  b  -1 EUR = 7 EUR\n', 3],
      ] as const) {
        const error = await failed(read(`${name}.journal`, text))
        expect(asRefusal(error)).to.deep.include({ code: 'journal_invalid', line })
        expect(String(error)).to.contain('hledger')
      }
    })

    it('tells what a lone comma before three digits was taken as, unless a directive decides', async () => {
      const text = '2026-01-01 Desk, 1,000 kinds\n    assets:desk      1,000 EUR  ; was 2,000\n    assets:bank\n'
      const file = `${folder.path}/comma.journal`
      const one = await read('comma.journal', text)
      expect(balances(plan(one.journal))).to.include({ 'assets:desk EUR': '100' })
      expect(one.warnings).to.have.length(1)
      expect(one.warnings[0]).to.match(
        new RegExp(`^${file}:2: "1,000 EUR" is taken as 1\\.000, as hledger reads it; .* 1000`),
      )
      const thousand = await read('comma.journal', text, 'ledger')
      expect(balances(plan(thousand.journal))).to.include({ 'assets:desk EUR': '100000' })
      expect(thousand.warnings[0]).to.match(/:2: "1,000 EUR" is taken as 1000, as ledger reads it; .* 1\.000/)
      for (const [directive, cents] of [
        ['decimal-mark .', '100000'],
        ['decimal-mark ,', '100'],
        ['commodity 1.000,00 EUR', '100'],
        ['commodity 1,000.00 EUR', '100000'],
      ]) {
        const { journal, warnings } = await read('decided.journal', `${directive}\n\n${text}`)
        expect(balances(plan(journal)), directive).to.include({ 'assets:desk EUR': cents })
        expect(warnings, directive).to.deep.equal([])
      }
    })

    it('sees such a comma in prices, on the left and in included files, and no others', async () => {
      await folder.write('inner.journal', '2026-01-02 In\n  a  $1,500\n  b\n')
      const text = `include inner.journal
commodity 1.000,00 GBP

2026-01-01 x
  a  2 FUND @ 3,141 EUR
  b  -6.282 EUR
  c  1,000,000 EUR
  c  -1,000,000.00 EUR
  d  1,0000 EUR = 1,0 EUR
  d  -1.000 EUR
  e  1,125 GBP
  e  -1,125 GBP
`
      const { warnings } = await read('several.journal', text)
      expect(warnings.map(line => /journal:\d+: "[^"]*"/.exec(line)![0])).to.have.members([
        'journal:2: "$1,500"',
        'journal:5: "3,141 EUR"',
      ])
    })
  })

  it('says how to get ledger, where a journal needs it', async () => {
    const file = await folder.write('any.journal', '2026-01-01 x\n  a  1 EUR\n  b\n')
    const before = process.env.PATH
    process.env.PATH = folder.path
    try {
      const error = await failed(readJournal(file, 'ledger'))
      expect(error).to.be.instanceOf(KogiError).with.property('code', 'ledger_missing')
      expect(String(error)).to.contain('apt install ledger')
    } finally {
      process.env.PATH = before
    }
  })

  it('says so too after hledger found a syntax that it does not know', async function () {
    if (!hledgerIsThere) this.skip()
    const { stdout } = await run('sh', ['-c', 'command -v hledger'])
    await folder.write('hledger', `#!/bin/sh\nexec ${stdout.trim()} "$@"\n`)
    await run('chmod', ['+x', `${folder.path}/hledger`])
    const file = await folder.write('tags.journal', TAGGED)
    const before = process.env.PATH
    process.env.PATH = folder.path
    try {
      const error = await failed(readJournal(file))
      expect(asRefusal(error)).to.include({ code: 'journal_invalid', line: 1 })
      expect(String(error)).to.contain('apt install ledger')
    } finally {
      process.env.PATH = before
    }
  })
})

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )
