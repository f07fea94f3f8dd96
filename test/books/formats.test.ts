import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { readStatementFile } from '../../commands/imports/read.ts'
import { written } from '../../domain/wallet/statement/exact.ts'
import { proofText } from '../../domain/wallet/statement/file.ts'
import { NO_RULES } from '../../domain/wallet/statement/rules.ts'
import { readXml } from '../../infra/xml/read.ts'
import { type BookFormat, bookFile } from '../../read-api/wallet/books/formats.ts'
import { readerOf } from '../../read-api/wallet/books/load.ts'
import { isThere } from '../import/support.ts'
import { History, makeWorld, type World } from '../read-api/support.ts'

const posting = (account: string, amount: bigint, currency = 'EUR', places?: number, effectiveOn?: string) => ({
  account,
  currency,
  amount,
  ...(places !== undefined && { places }),
  ...(effectiveOn !== undefined && { effectiveOn }),
})
type Posting = ReturnType<typeof posting>
const GOLD = 'gold-oz 1/2'
const OWN = [
  ['assets:bank', 'EUR', 2],
  ['(petty)  cash; [x]', 'EUR', 2],
  ['expenses:füße', 'EUR', 2],
  ['assets:gold', GOLD, 18],
  ['assets:bank:fees', 'X', 0],
  ['Assets:Bank', 'X', 0],
  ['~start', '"', 1],
] as const
/** Names and words that other programs read otherwise, and amounts that they like to round. */
const ENTRIES: readonly (readonly [date: string, description: string, ...Posting[]])[] = [
  [
    '2026-01-01',
    'Opened; with "words" | and (more',
    posting('assets:bank', 100_000n),
    posting('external:owner', -100_000n),
  ],
  ['2026-01-02', '(7) * ! @ = date:2026-13-45', posting('assets:bank', -1n), posting('(petty)  cash; [x]', 1n)],
  [
    '2026-01-03',
    '',
    posting('assets:bank', -123_456_789_012_345_678_901n),
    posting('external:a:b', 123_456_789_012_345_678_901n),
  ],
  ['2026-01-04', 'Fine', posting('assets:gold', 1n, GOLD), posting('external:conversion', -1n, GOLD)],
  [
    '2026-01-05',
    'Two days',
    posting('assets:bank', -1_000n, 'EUR', undefined, '2026-02-01'),
    posting('expenses:füße', 1_000n),
  ],
  ['2026-01-06', 'x', posting('assets:bank:fees', -5n, 'X'), posting('Assets:Bank', 5n, 'X')],
  ['2026-01-07', 'No one', posting('~start', 3n, '"'), posting('external:opening-balance', -3n, '"')],
]

/** The entries of a wallet, the last one first: books are in the order of days, not of posting. */
function history(): History {
  const made = new History().add('acme', 'wallet', 'studio', 'WalletOpened', { owner: 'mira', kind: 'business' })
  for (const [account, currency, places] of OWN) {
    made.add('acme', 'wallet', 'studio', 'AccountOpened', { account, currency, places, overdraft: 'allowed' })
  }
  for (const [n, [effectiveOn, description, ...postings]] of [...ENTRIES.entries()].reverse()) {
    const entry = `00000000-0000-4000-8000-00000000000${n + 1}`
    const said = description === '' ? {} : { description }
    made.add('acme', 'wallet', 'studio', 'EntryPosted', { entry, kind: 'journal', postings, effectiveOn, ...said })
  }
  return made
}

let world: World
const contentOf = async (format: BookFormat, more: object = {}) => {
  const wish = { org: 'acme', wallet: 'studio', format, madeAt: '2026-02-02T00:00:00.000Z', ...more }
  const { content } = await bookFile(await readerOf(world.pool as never, 'acme'), wish)
  return buffer(content)
}
const file = async (format: BookFormat, more: object = {}) => String(await contentOf(format, more))

const there = {
  hledger: isThere('hledger', '--version'),
  ledger: isThere('ledger', '--version'),
  beancount: isThere('bean-check', '--help'),
  aqbanking: isThere('aqbanking-cli', 'versions'),
  libofx: isThere('ofxdump', '--version'),
  poppler: isThere('pdftotext', '-v'),
}

describe('books as files', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-books-'))
    world = await makeWorld()
    await world.write(history())
  })
  after(async () => {
    await world?.close()
    await rm(folder, { recursive: true, force: true })
  })

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

  it('as ofx are read by libofx, every transaction and the balance', async function () {
    if (!there.libofx) this.skip()
    const said = await judged('ofx', 'y.ofx', at => ['ofxdump', at], small)
    const all = (name: string) => [...said.matchAll(new RegExp(`${name}: (.*)`, 'g'))].map(([, value]) => value)
    expect(all('Total money amount')).to.deep.equal(['1000.00', '-0.01'])
    expect(all('Date posted').map(day => new Date(day!).toISOString().slice(0, 10))).to.deep.equal([
      '2026-01-01',
      '2026-01-02',
    ])
    expect(all('Ledger balance')).to.deep.equal(['999.99'])
    expect(all("Financial institution's ID for this transaction")).to.deep.equal([
      '00000000-0000-4000-8000-000000000001',
      '00000000-0000-4000-8000-000000000002',
    ])
    expect(said).to.not.match(/error/i)
  })

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
    const pdf = await contentOf('pdf', account)
    expect(Buffer.compare(pdf, await contentOf('pdf', { ...account, madeAt: '2026-03-03T00:00:00.000Z' }))).to.equal(0)
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
