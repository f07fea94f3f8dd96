import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NO_WALLET } from '../../commands/imports/wallet-state.ts'
import { KogiError } from '../../domain/kernel/errors.ts'
import { written } from '../../domain/wallet/statement/exact.ts'
import { planImport } from '../../scripts/journal/plan.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { balancesOf } from '../../scripts/journal/report.ts'
import { decimal } from '../../scripts/terminal.ts'
import { asRefusal, balances, hledgerIsThere, journalFolder, plan, type Refusal, TARGET } from './support.ts'

const run = promisify(execFile)

/** A made-up journal with a case for each rule, and balances that can be added up by eye. */
const BOOKS = `commodity 1.000 GAU
2026-01-01 * (c1) Opening | of the books  ; a comment
    assets:bank            1,000.00 EUR
    assets:gold            1.5 GAU
    equity:opening

include january.journal

2026-02-01 Exchange
    assets:usd             $110.00
    assets:bank            -100 EUR @@ $110.00

2026-02-02 Envelope
    [assets:bank:spare]    5 EUR
    [assets:bank]          -5 EUR
    expenses:tea           3 EUR
    assets:bank
`
const JANUARY = `2026-01-15 Rent; "decimalMantissa": 1
    expenses:rent   800 EUR
    assets:bank    -800 EUR = 200.00 EUR

2026-01-16 Nothing
    expenses:rent   0 EUR
    assets:bank
`

describe('import: hledger', () => {
  const folder = journalFolder()
  const { write } = folder

  const refusalIn = async (name: string, text: string): Promise<Refusal | undefined> => {
    try {
      await readJournal(await write(name, text))
      return undefined
    } catch (error) {
      return asRefusal(error)
    }
  }

  describe('with the program', () => {
    before(function () {
      if (!hledgerIsThere) this.skip()
    })

    it('reads transactions with their places, those of included files too', async () => {
      await write('january.journal', JANUARY)
      const { journal } = await readJournal(await write('books.journal', BOOKS))
      expect(
        journal.map(({ description, place }) => [description, path.basename(place.file), place.line]),
      ).to.deep.equal([
        ['Opening | of the books', 'books.journal', 2],
        ['Rent', 'january.journal', 1],
        ['Nothing', 'january.journal', 5],
        ['Exchange', 'books.journal', 9],
        ['Envelope', 'books.journal', 13],
      ])
      expect(journal[0]).to.include({ date: '2026-01-01', code: 'c1' })
    })

    it('reaches the balances that hledger reports itself', async () => {
      await write('january.journal', JANUARY)
      const file = await write('books.journal', BOOKS)
      const { state } = planImport((await readJournal(file)).journal, TARGET, NO_WALLET, new Map())
      const ours = balancesOf(state).filter(({ balance }) => balance !== '0')
      const { stdout } = await run('hledger', ['-f', file, 'bal', '--flat', '-N', '-c', '1000. EUR', '-O', 'csv'])
      const theirs = stdout.trim().split('\n').slice(1).flatMap(readBalance)
      expect(
        ours.map(({ account, currency, places, balance }) => [account, currency, plain(decimal(balance, places))]),
      ).to.have.deep.members(theirs)
    })

    it('takes the places that a commodity directive declares', async () => {
      await write('january.journal', JANUARY)
      const { journal } = await readJournal(await write('books.journal', BOOKS))
      const { state } = planImport(journal, TARGET, NO_WALLET, new Map())
      expect(balancesOf(state).find(({ account }) => account === 'assets:gold')).to.include({
        places: 3,
        balance: '1500',
      })
    })

    it('refuses a transaction that does not balance, with its line', async () => {
      const refusal = await refusalIn(
        'unbalanced.journal',
        '2026-01-01 x\n a  1 EUR\n b  -1 EUR\n\n2026-01-02 y\n a  1 EUR\n b  1 EUR\n',
      )
      expect(refusal).to.deep.equal({
        code: 'journal_invalid',
        file: path.join(folder.path, 'unbalanced.journal'),
        line: 5,
      })
    })

    it('refuses an assertion that fails, with its line', async () => {
      const refusal = await refusalIn('assertion.journal', '2026-01-01 x\n a  1 EUR\n b  -1 EUR = -2 EUR\n')
      expect(refusal).to.deep.equal({
        code: 'journal_invalid',
        file: path.join(folder.path, 'assertion.journal'),
        line: 3,
      })
    })

    it('refuses what it cannot read', async () => {
      expect(await refusalIn('syntax.journal', '2026-13-45 x\n a  1\n')).to.include({
        code: 'journal_invalid',
        line: 1,
      })
      for (const file of [path.join(folder.path, 'absent.journal'), folder.path]) {
        expect(asRefusal(await failed(readJournal(file)))).to.include({ code: 'journal_not_found' })
      }
      expect(await refusalIn('empty.journal', '; nothing yet\n')).to.include({ code: 'journal_empty' })
    })

    it('takes every digit, also those that the JSON of hledger rounds away', async () => {
      const amountsOf = async (name: string, text: string) =>
        (await readJournal(await write(name, text))).journal[0]!.postings.flatMap(({ amounts }) =>
          amounts.map(({ digits, places, commodity }) => `${written({ digits, places })} ${commodity}`),
        )
      expect(await amountsOf('ten.journal', '2026-01-01 x\n a  1.1234567891 X\n b\n')).to.deep.equal([
        '1.1234567891 X',
        '-1.1234567891 X',
      ])
      const many = '2026-01-01 x, "y"\n a  1.00000000000000000001 X\n b  -3.5 "Y ""\n c\n'.replace('""', '"')
      expect(await amountsOf('many.journal', many)).to.deep.equal([
        '1.00000000000000000001 X',
        '-3.5 Y ',
        '-1.00000000000000000001 X',
        '3.5 Y ',
      ])
      const product = '2026-01-01 x\n a  1,1234567 EUR @ $1.1234567\n b\n'
      expect(await amountsOf('product.journal', product)).to.deep.equal(['1.1234567 EUR', '-1.26215495677489 $'])
    })

    it('takes amounts that are padded with zeros', async () => {
      const padded = '2026-01-01 x\n a  4.862000000000 FUND @ 98.73 USD\n b  -480.03 USD\n'
      const { journal } = await readJournal(await write('padded.journal', padded))
      expect(balances(plan(journal))).to.deep.equal({ 'a FUND': '4862000000000', 'b USD': '-48003' })
    })

    it('keeps every digit of a large amount', async () => {
      const { journal } = await readJournal(
        await write('large.journal', `2026-01-01 x\n a  ${'1234567890'.repeat(3)}.5 X\n b\n`),
      )
      expect(journal[0]!.postings[0]!.amounts[0]).to.include({
        digits: BigInt(`${'1234567890'.repeat(3)}5`),
        places: 1,
      })
    })

    it('takes the JSON of hledger in its stead', async () => {
      await write('january.journal', JANUARY)
      const file = await write('books.journal', BOOKS)
      const { stdout } = await run('hledger', ['-f', file, 'print', '-x', '-O', 'json'])
      expect(await readJournal(await write('books.json', stdout))).to.deep.equal(await readJournal(file))
    })
  })

  describe('without the program', () => {
    it('says how to get it', async () => {
      const before = process.env.PATH
      process.env.PATH = folder.path
      try {
        await writeFile(path.join(folder.path, 'any.journal'), '')
        const error = await failed(readJournal(path.join(folder.path, 'any.journal')))
        expect(error).to.be.instanceOf(KogiError).with.property('code', 'hledger_missing')
        expect((error as Error).message).to.contain('print -x -O json')
      } finally {
        process.env.PATH = before
      }
    })
    it('refuses a file that is not there', async () => {
      const error = await failed(readJournal(path.join(folder.path, 'absent.json')))
      expect(asRefusal(error)).to.include({ code: 'journal_not_found' })
    })
  })
})

const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  )

/** `"assets:bank","92.00 EUR, 5 GAU"` → one entry for each amount; `$` is USD here. */
function readBalance(row: string): [string, string, string][] {
  const [account, amounts] = JSON.parse(`[${row}]`) as [string, string]
  return amounts.split(', ').map(amount => {
    const [number, currency] =
      amount.startsWith('$') || amount.startsWith('-$') ? [amount.replace('$', ''), 'USD'] : amount.split(' ')
    return [account, currency!, plain(number!.replaceAll(',', ''))]
  })
}

/** `1.500` and `1.5` are one number. */
const plain = (number: string) => (number.includes('.') ? number.replace(/\.?0+$/, '') : number)
