/** Journals with the answers of the programs that define them: by day, and for computed amounts. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { NO_WALLET, type WalletState } from '../../commands/imports/wallet-state.ts'
import { walletPlacesOf } from '../../domain/wallet/wallet/wallet.ts'
import { readJournal } from '../../scripts/journal/read.ts'
import { balancesOf } from '../../scripts/journal/report.ts'
import { decimal } from '../../scripts/terminal.ts'
import { afterPlan, balances, hledgerIsThere, journalFolder, ledgerIsThere, plan } from './support.ts'

const run = promisify(execFile)

const CARD = `2026-03-30 Dinner
    expenses:food              24.00 EUR
    liabilities:card          -24.00 EUR  ; date:2026-04-02

2026-03-31 Hotel  ; booked at night
    expenses:travel           120.00 EUR  ; [2026-04-01]
    expenses:fees               1.50 EUR
    liabilities:card                      ; [2026-04-03=2026-04-09]

2026-04-02 Settlement
    liabilities:card          145.50 EUR  ; [=2026-04-05]
    assets:bank
`
const DAYS = ['2026-03-30', '2026-03-31', '2026-04-01', '2026-04-02', '2026-04-03', '2026-04-04']

const WHOLE = `2026-01-15 Plan
    assets:depot           3 WORLD @ 101.10 EUR
    assets:bank      -303.30 EUR
`
const FRACTIONS = `${WHOLE}
2026-02-15 Plan, in fractions
    assets:depot      2.5312 WORLD @@ 300.00 EUR
    assets:bank      -300.00 EUR

2026-03-15 Sold
    assets:depot     -0.53124 WORLD @@ 60.00 EUR
    assets:bank        60.00 EUR
`

describe('import: judged by hledger and ledger', () => {
  const folder = journalFolder()
  const imported = async (name: string, text: string, before: WalletState = NO_WALLET) => {
    const file = await folder.write(name, text)
    const made = plan((await readJournal(file)).journal, before)
    return { file, made, after: afterPlan(made, before) }
  }
  /** `hledger bal` as `account commodity` → number without trailing zeros. */
  const theirs = async (file: string, ...args: string[]) => {
    const options = ['-f', file, 'bal', '--flat', '-N', '-O', 'csv', '--layout', 'bare', ...args]
    const { stdout } = await run('hledger', options)
    const rows = stdout
      .trim()
      .split('\n')
      .slice(1)
      .map(row => row.replaceAll('"', '').split(',') as string[])
    return Object.fromEntries(
      rows.filter(([, , sum]) => Number(sum) !== 0).map(([a, c, sum]) => [`${a} ${c}`, plain(sum!)]),
    )
  }

  before(function () {
    if (!hledgerIsThere) this.skip()
  })

  it('holds on every day what hledger says, by the dates of postings', async () => {
    const { file, after } = await imported('card.journal', CARD)
    for (const day of DAYS) {
      const held = heldOn(after, day)
      expect(held, day).to.deep.equal(await theirs(file, '-e', nextDay(day)))
    }
    expect(heldOn(after, '2026-03-31')).to.deep.equal({ 'expenses:fees EUR': '1.5', 'expenses:food EUR': '24' })
  })

  it('grows the decimal places of a commodity, and changes nothing that was booked', async () => {
    const first = await imported('grown.journal', WHOLE)
    const { file, made, after } = await imported('grown.journal', FRACTIONS, first.after)
    expect(made).to.include({ alreadyThere: 1, otherEntries: 0 })
    const rows = balancesOf(after.state).filter(({ account }) => account === 'assets:depot')
    expect(rows).to.deep.equal([{ account: 'assets:depot', currency: 'WORLD', places: 5, balance: '499996' }])
    expect(heldOn(after, '2026-12-31')).to.deep.equal(await theirs(file))
    expect(heldOn(after, '2026-01-31')).to.deep.equal({ 'assets:bank EUR': '-303.3', 'assets:depot WORLD': '3' })
    expect(plan((await readJournal(file)).journal, after).steps).to.deep.equal([])
    const whole = (await imported('grown.journal', FRACTIONS)).after
    expect(heldOn(whole, '2026-12-31')).to.deep.equal(heldOn(after, '2026-12-31'))
  })

  it('follows a balance that is assigned, when a transaction before it was missed', async () => {
    const text = (missed: string) =>
      `2026-05-01 Opening\n  a  80 EUR\n  e\n${missed}2026-05-09 Counted\n  a  = 200 EUR\n  adjust\n`
    const first = await imported('assigned.journal', text('\n'))
    expect(balances(first.made)).to.include({ 'adjust EUR': '-12000' })
    const { file, made, after } = await imported(
      'assigned.journal',
      text('\n2026-05-05 Gift\n  a  50 EUR\n  g\n\n'),
      first.after,
    )
    expect(made.changes.replaced.size).to.equal(1)
    expect(heldOn(after, '2026-12-31')).to.deep.equal(await theirs(file))
    for (const day of ['2026-05-01', '2026-05-05', '2026-05-08', '2026-05-09']) {
      expect(heldOn(after, day), day).to.deep.equal(await theirs(file, '-e', nextDay(day)))
    }
  })

  const PARTS = `2026-01-01 Opening
    assets:broker      $500.00
    equity

2026-02-01 Parts
    assets:broker      0.007 FOO @ $124.95
    assets:broker      0.003 BAR @ $13.33
    assets:broker
`
  it('rounds an amount that prices leave to be computed to the cent, and shows it', async () => {
    const { file, made, after } = await imported('parts.journal', PARTS)
    expect(made.roundings.map(({ place, ...rest }) => rest)).to.deep.equal([
      { account: 'assets:broker', currency: 'USD', exact: '-0.91464', booked: '-0.91' },
    ])
    const { 'assets:broker $': dollars } = await theirs(file)
    expect(dollars).to.equal('499.09')
    expect(heldOn(after, '2026-12-31', true)).to.include({
      'assets:broker USD': dollars,
      'assets:broker FOO': '0.007',
      'external:conversion:BAR:FOO:USD USD': '0.91',
    })
    if (!ledgerIsThere) return
    const { stdout } = await run('ledger', ['-f', file, 'bal', 'assets:broker', '--flat', '-l', 'commodity == "$"'])
    expect(stdout).to.contain('$499.09')
  })

  it('posts what several computed amounts lack after each was rounded', async () => {
    const drift = `${PARTS}
2026-03-01 Counted
    assets:broker      = $499.09
    other:a            = $0.004
    other:b            = $0.004
    equity
`
    const { made } = await imported('drift.journal', drift)
    expect(made.roundings).to.have.length(5)
    expect(balances(made)).to.include({ 'assets:broker USD': '49909' })
    const sum = Object.entries(heldOn(afterPlan(made), '2026-12-31', true)).filter(([name]) => name.endsWith(' USD'))
    expect(sum.reduce((total, [, held]) => total + Math.round(Number(held) * 100), 0)).to.equal(0)
  })

  it('refuses an amount that was written finer than its currency', async () => {
    const file = await folder.write('fine.journal', '2026-01-01 x\n a  1.005 EUR\n b  -1.005 EUR\n')
    const { journal } = await readJournal(file)
    expect(() => plan(journal)).to.throw(/fine\.journal:1: 1\.005 EUR has 3 decimal places; .* --commodity 'EUR=/)
    expect(balances(plan(journal, NO_WALLET, { EUR: 'EUR-exact' }))).to.include({ 'a EUR-exact': '1005' })
  })
})

/** What the wallet's accounts, or with `outside` all of them, hold on a day: decimals without trailing zeros. */
function heldOn({ state, posted }: WalletState, day: string, outside = false): Record<string, string> {
  const sums = new Map<string, bigint>()
  for (const { effectiveOn, postings } of posted.values()) {
    for (const one of postings.filter(({ effectiveOn: own = effectiveOn }) => own <= day)) {
      const key = `${one.account} ${one.currency}`
      const units = one.amount * 10n ** BigInt(12 - (one.places ?? walletPlacesOf(state, one.currency)!))
      if (outside || !one.account.startsWith('external:')) sums.set(key, (sums.get(key) ?? 0n) + units)
    }
  }
  return Object.fromEntries(
    [...sums].filter(([, sum]) => sum !== 0n).map(([key, sum]) => [key, plain(decimal(sum, 12))]),
  )
}

/** `1.500` and `1.5` are one number. */
const plain = (number: string) => (number.includes('.') ? number.replace(/\.?0+$/, '') : number)

const nextDay = (day: string) => new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10)
