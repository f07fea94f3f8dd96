import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'chai'
import { readStatementFile } from '../../commands/imports/read.ts'
import type { BookEntry, BookPosting } from '../../domain/wallet/books/book.ts'
import { written } from '../../domain/wallet/statement/exact.ts'
import { proofText } from '../../domain/wallet/statement/file.ts'
import { NO_RULES } from '../../domain/wallet/statement/rules.ts'
import { readXml } from '../../infra/xml/read.ts'
import { type BookFormat, bookFile } from '../../read-api/wallet/books/formats.ts'
import type { LoadedBook } from '../../read-api/wallet/books/load.ts'
import { isThere } from '../import/support.ts'

const posting = (account: string, amount: bigint, currency = 'EUR', places = 2, date?: string): BookPosting => ({
  account,
  currency,
  amount: { digits: amount, places },
  ...(date !== undefined && { date }),
})
const entry = (n: number, date: string, description: string, ...postings: BookPosting[]): BookEntry => ({
  id: `00000000-0000-4000-8000-00000000000${n}`,
  wallet: 'studio',
  date,
  description,
  kind: 'journal',
  postings,
  tags: [],
  postedAt: `${date}T12:00:00.000Z`,
  postedBy: 'mira',
})
/** Names and words that other programs read otherwise, and amounts that they like to round. */
const book: LoadedBook = {
  entries: [
    entry(
      1,
      '2026-01-01',
      'Opened; with "words" | and (more',
      posting('assets:bank', 100_000n),
      posting('external:owner', -100_000n),
    ),
    entry(
      2,
      '2026-01-02',
      '(7) * ! @ = date:2026-13-45',
      posting('assets:bank', -1n),
      posting('(petty)  cash; [x]', 1n),
    ),
    entry(
      3,
      '2026-01-03',
      '',
      posting('assets:bank', -123_456_789_012_345_678_901n),
      posting('external:a:b', 123_456_789_012_345_678_901n),
    ),
    entry(
      4,
      '2026-01-04',
      'Fine',
      posting('assets:gold', 1n, 'gold-oz 1/2', 18),
      posting('external:conversion', -1n, 'gold-oz 1/2', 18),
    ),
    entry(
      5,
      '2026-01-05',
      'Two days',
      posting('assets:bank', -1_000n, 'EUR', 2, '2026-02-01'),
      posting('expenses:füße', 1_000n),
    ),
    entry(6, '2026-01-06', 'x', posting('assets:bank:fees', -5n, 'X', 0), posting('Assets:Bank', 5n, 'X', 0)),
    entry(7, '2026-01-07', 'No one', posting('~start', 3n, '"', 1), posting('external:opening-balance', -3n, '"', 1)),
  ],
  types: new Map([['assets:bank', 'asset']]),
  accounts: new Set(),
  position: 7n,
}
const contentOf = async (format: BookFormat, more: object = {}) => {
  const wish = { org: 'acme', wallet: 'studio', format, madeAt: '2026-02-02T00:00:00.000Z', ...more }
  return (await bookFile(book, wish)).content
}
const file = async (format: BookFormat, more: object = {}) => String(await contentOf(format, more))

const there = {
  hledger: isThere('hledger', '--version'),
  ledger: isThere('ledger', '--version'),
  beancount: isThere('bean-check', '--help'),
  aqbanking: isThere('aqbanking-cli', 'versions'),
  poppler: isThere('pdftotext', '-v'),
}

describe('books as files', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-books-'))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const judged = async (format: BookFormat, name: string, command: (file: string) => string[], more: object = {}) => {
    const at = path.join(folder, name)
    await writeFile(at, await file(format, more))
    const [program, ...args] = command(at)
    return execFileSync(program!, args, { encoding: 'utf8', stdio: 'pipe' })
  }

  for (const [what, more] of Object.entries({ whole: {}, 'of a period': { from: '2026-01-03', to: '2026-01-06' } })) {
    it(`are accepted by hledger, with their balances, ${what}`, async function () {
      if (!there.hledger) this.skip()
      await judged('hledger', 'x.journal', at => ['hledger', '-f', at, 'check'], more)
    })
    it(`are accepted by ledger, with their balances, ${what}`, async function () {
      if (!there.ledger) this.skip()
      await judged('ledger', 'x.ledger', at => ['ledger', '--init-file', '/dev/null', '-f', at, 'bal'], more)
    })
    it(`are accepted by beancount, with their balances, ${what}`, async function () {
      if (!there.beancount) this.skip()
      await judged('beancount', 'x.beancount', at => ['bean-check', '--no-cache', at], more)
    })
  }

  it('say balances that a program notices to be wrong', async function () {
    if (!there.hledger) this.skip()
    const at = path.join(folder, 'wrong.journal')
    await writeFile(
      at,
      (await file('hledger'))
        .replace('    assets:bank  -0.01 EUR', '    assets:bank  -0.02 EUR')
        .replace('  0.01 EUR', '  0.02 EUR'),
    )
    expect(() => execFileSync('hledger', ['-f', at, 'check'], { stdio: 'pipe' })).to.throw(/balance assertion/)
  })

  it('as CSV hold every posting, and no formula', async () => {
    const lines = (await file('csv')).trimEnd().split('\r\n')
    expect(lines).to.have.length(1 + 14)
    expect(lines[1]).to.include('"Opened; with ""words"" | and (more"')
  })

  const account = { account: 'assets:bank', currency: 'EUR' }
  const small = { ...account, from: '2026-01-01', to: '2026-01-02' }
  for (const format of ['camt', 'ofx'] as const) {
    it(`as ${format} are read back with the same rows`, async () => {
      const text = await file(format, small)
      const read = await readStatementFile(Buffer.from(text), format, { rules: NO_RULES, anySchema: false }, readXml)
      expect(read.faults).to.deep.equal([])
      expect(read.statements[0]!.rows.map(({ date, amount }) => [date, written(amount!)])).to.deep.equal([
        ['2026-01-01', '1000.00'],
        ['2026-01-02', '-0.01'],
      ])
      if (format === 'camt') expect(proofText(read.statements[0]!)).to.equal('0 + 999.99 = closing 999.99 EUR')
    })

    it(`as ${format} are read by aqbanking`, async function () {
      if (!there.aqbanking) this.skip()
      const [importer, profile] = format === 'camt' ? ['xml', 'camt_053_001_04'] : ['ofx', 'default']
      const context = path.join(folder, `${format}.ctx`)
      const args = ['-D', folder, 'import', `--importer=${importer}`, `--profile=${profile}`, '-c', context, '-f']
      await judged(format, `x.${format}`, at => ['aqbanking-cli', ...args, at], small)
      const values = execFileSync('grep', ['-o', 'char value="[^"]*"', context], { encoding: 'utf8' })
      expect(values).to.include('"100000%2F100%3AEUR"').and.to.include('"-1%2F100%3AEUR"')
    })
  }

  it('as formats of banks are refused where these cannot hold them', async () => {
    const refusal = (...args: Parameters<typeof file>) =>
      file(...args).then(
        () => 'written',
        (error: Error) => error.message,
      )
    expect(await refusal('camt')).to.match(/name wallet, account and currency/)
    expect(await refusal('camt', account)).to.match(/18 digits/)
    expect(await refusal('ofx', { account: 'assets:gold', currency: 'gold-oz 1/2' })).to.match(/three capital letters/)
  })

  it('as PDF are the same bytes twice, PDF/A-3b, with the lines attached', async function () {
    const pdf = Buffer.from((await contentOf('pdf', account)) as Uint8Array)
    expect(
      Buffer.compare(pdf, (await contentOf('pdf', { ...account, madeAt: '2026-03-03T00:00:00.000Z' })) as Buffer),
    ).to.equal(0)
    const text = pdf.toString('latin1')
    for (const part of [
      '%PDF-1.7',
      '/EmbeddedFile',
      '<pdfaid:part>3</pdfaid:part>',
      '<pdfaid:conformance>B<',
      'FontFile2',
    ]) {
      expect(text).to.include(part)
    }
    if (!there.poppler) this.skip()
    const at = path.join(folder, 'x.pdf')
    await writeFile(at, pdf)
    const read = execFileSync('pdftotext', ['-layout', at, '-'], { encoding: 'utf8' })
    expect(read).to.match(/2026-01-02\s+\(7\) \* ! @ = date:2026-13-45\s+-0\.01\s+999\.99/)
    expect(read).to.match(/Closing balance/)
    execFileSync('pdfdetach', ['-saveall', '-o', folder, at])
    const attached = await readFile(path.join(folder, 'statement.csv'), 'utf8')
    expect(attached.split('\r\n')[2]).to.match(/^2026-01-02,-0.01,999.99,EUR,/)
    expect(execFileSync('pdffonts', [at], { encoding: 'utf8' })).to.match(
      /DejaVuSans +CID TrueType +Identity-H +yes yes/,
    )
  })
})
