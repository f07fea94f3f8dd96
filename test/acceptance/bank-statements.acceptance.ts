import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect } from 'chai'
import type { Command, Receipt } from '../../commands/command.ts'
import { readStatementFile } from '../../commands/imports/read.ts'
import { importOptions, optionsSchema } from '../../commands/imports/routes.ts'
import { importStatement } from '../../commands/imports/statement.ts'
import { parseBody } from '../../commands/requests.ts'
import { loadedStreams } from '../../commands/streams.ts'
import { Turns } from '../../commands/turns.ts'
import { object } from '../../domain/kernel/schema.ts'
import { at, shortest, written } from '../../domain/wallet/statement/exact.ts'
import { gapOf, type StatementFile, type StatementFormat } from '../../domain/wallet/statement/file.ts'
import { NO_RULES, type Rules } from '../../domain/wallet/statement/rules.ts'
import { codec } from '../../infra/catalogue.ts'
import { startEventStore } from '../../infra/embedded/event-store/index.ts'
import { commandStore } from '../../infra/event-store/command-store.ts'
import { readXml } from '../../infra/xml/read.ts'
import { plainKeyring } from '../commands/support.ts'
import type { Client } from '../support/client.ts'
import { patient } from '../support/pace.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, visible } from './checks.ts'
import { checksum, csv, dataSet } from './data-sets.ts'

/** On a quiet machine with two cores of 2026. */
const ROWS_PER_SECOND = 3_000

type Set = ReturnType<typeof dataSet>
const filesOf = (set: Set) => readdirSync(set.file('files')).sort()
const read = (set: Set, name: string, format: StatementFormat) =>
  readStatementFile(
    readFileSync(set.file(path.join('files', name))),
    format,
    { rules: NO_RULES, anySchema: true },
    readXml,
  )

/** Lines of every row, and of every closing balance, as the checksums of the data sets have them. */
async function linesOf(
  set: Set,
  format: StatementFormat,
  amountOf: (amount: { digits: bigint; places: number }) => string,
) {
  const lines = { rows: [] as string[], closings: [] as string[] }
  const files = new Map<string, StatementFile>()
  for (const name of filesOf(set)) {
    const file = await read(set, name, format)
    files.set(name, file)
    for (const [n, { rows, closing }] of file.statements.entries()) {
      if (closing) lines.closings.push(`${name}#${n + 1},${amountOf(closing.amount)}`)
      for (const [k, { amount }] of rows.entries()) {
        lines.rows.push(`${name}#${n + 1}#${k + 1},${amount ? amountOf(amount) : ''}`)
      }
    }
  }
  return { ...lines, files }
}
const units = (places: number) => (amount: { digits: bigint; places: number }) => String(at(shortest(amount), places))
const proofs = (files: ReadonlyMap<string, StatementFile>) => {
  const gaps = [...files.values()].flatMap(({ statements }) => statements.map(gapOf))
  return {
    proved: gaps.filter(gap => gap?.digits === 0n).length,
    contradicted: gaps.filter(gap => gap !== undefined && gap.digits !== 0n).length,
    without: gaps.filter(gap => gap === undefined).length,
  }
}

describe('bank_mt940: statements of some 30 banks', function () {
  const set = dataSet(this, 'bank_mt940')

  it('gives every entry and every closing balance, and shows what the balances do not prove', async () => {
    const { rows, closings, files } = await linesOf(set, 'mt940', units(2))
    expect(rows).to.have.length(set.oracle.entries)
    expect(checksum(rows)).to.equal(set.oracle.sha256_entries)
    expect(checksum(closings)).to.equal(set.oracle.sha256_closing)
    const { chain_ok: proved, chain_broken: contradicted, balances_unreadable: without } = set.oracle
    expect(proofs(files)).to.deep.equal({ proved, contradicted, without })
  })
})

describe('bank_camt: messages of camt.052, camt.053 and camt.054', function () {
  const set = dataSet(this, 'bank_camt')

  it('gives every entry, by CdtDbtInd alone, and shows what the balances do not prove', async () => {
    const { rows, files } = await linesOf(set, 'camt', units(5))
    expect(checksum(rows)).to.equal(set.oracle.sha256_entries)
    const { chain_ok: proved, chain_broken: contradicted, no_balances: without } = set.oracle
    expect(proofs(files)).to.deep.equal({ proved, contradicted, without })
  })
})

describe('bank_ofx: downloads in OFX and QFX', function () {
  const set = dataSet(this, 'bank_ofx')

  it('gives every transaction, to the last decimal', async () => {
    const { rows, files } = await linesOf(set, 'ofx', written)
    // One transaction of the answers stands in a comment of its file, which is refused for what is left then.
    const commented = rows.filter(line => line.endsWith(','))
    expect(commented).to.deep.equal(['oca_test_ofx_wrong.ofx#1#2,'])
    expect(files.get('oca_test_ofx_wrong.ofx')!.faults).to.have.length(5)
    const all = rows.map(line => (commented.includes(line) ? `${line}-90` : line))
    expect(checksum(all)).to.equal(set.oracle.sha256_transactions)
  })
})

describe('bank statements through the API', function () {
  const sets = {
    mt940: dataSet(this, 'bank_mt940'),
    camt: dataSet(this, 'bank_camt'),
    ofx: dataSet(this, 'bank_ofx'),
  }
  let system: System
  let client: Client

  before(async () => {
    system = await startSystem()
    client = await system.clientOf('banks')
  })
  after(async () => {
    client?.close()
    await system?.stop()
  })

  /** Files of OFX have more decimals than their currencies. */
  const rules: Rules = { ...NO_RULES, currencies: [{ bank: 'USD', currency: 'USD-exact' }] }

  for (const [format, set] of Object.entries(sets) as [StatementFormat, Set][]) {
    it(`${format}: what is sound is booked once, to the last unit; of what is not, nothing is written`, async () => {
      let position = 0n
      const booked = new Map<string, string[]>()
      for (const name of filesOf(set)) {
        const wallet = `${format}-${name}`
        await client.call('POST', '/api/v1/kwlt/wallets', { body: { id: wallet, kind: 'business' } })
        const content = readFileSync(set.file(path.join('files', name))).toString('base64')
        const body = { format, name, content, rules, accept_gaps: true, any_schema: true, opening: 'leave' }
        const send = () => client.call('POST', `/api/v1/kwlt/wallets/${encodeURIComponent(wallet)}/imports`, { body })
        const { status, body: answer, headers } = await send()
        const file = await read(set, name, format)
        if (file.faults.length > 0) {
          expect([status, answer.error.code], name).to.deep.equal([422, 'statement_invalid'])
          booked.set(name, [])
          continue
        }
        expect(status, `${name} ${JSON.stringify(answer)}`).to.equal(200)
        position = BigInt(String(headers['kogi-position']))
        const again = await send()
        expect([again.status, again.body.data.booked], name).to.deep.equal([200, 0])
        const rows = file.statements.flatMap(({ rows }) => rows.filter(row => row.booked && row.amount!.digits !== 0n))
        booked.set(
          name,
          rows.map(({ amount }) => plain(written(amount!))),
        )
      }
      await visible(client, position)
      for (const [name, wanted] of booked) {
        const wallet = encodeURIComponent(`${format}-${name}`)
        const accounts = await allRows(client, `/api/v1/kwlt/wallets/${wallet}/accounts`)
        const places = new Map(accounts.map(({ currency, minor_places }) => [currency, Number(minor_places)]))
        const entries = (await allRows(client, `/api/v1/kwlt/wallets/${wallet}/entries`)) as unknown as Entry[]
        const amounts = entries.map(({ postings: [first] }) => {
          const exact = { digits: BigInt(first!.amount), places: first!.places ?? places.get(first!.currency)! }
          return plain(written(exact))
        })
        expect(amounts, name).to.deep.equal(wanted)
      }
    })
  }

  it('stores rows that equal an independent fold of the log', () => checkRows(system))
})

type Entry = {
  readonly postings: readonly { readonly amount: string; readonly currency: string; readonly places?: number }[]
}

const plain = (number: string) => (number.includes('.') ? number.replace(/\.?0+$/, '') : number)

describe('berka: a Czech bank, imported as CSV', function () {
  const set = dataSet(this, 'berka', 'trans.csv')
  const layout = {
    places: 2,
    decimal_mark: '.',
    date_format: 'YYYY-MM-DD',
    currency: 'CZK',
    minus: ['VYDAJ', 'VYBER'],
    columns: {
      date: 'date',
      amount: 'amount_haler',
      sign: 'type',
      account: 'account_id',
      id: 'trans_id',
      text: ['operation', 'k_symbol'],
    },
  }
  const rulesOf = () => {
    const banks = new Set(csv(set.text('trans.csv')).map(({ account_id }) => account_id!))
    return { csv: layout, accounts: [...banks].map(bank => ({ bank, account: `bank:${bank}` })) }
  }

  it('books every row once, and reaches the sums of all accounts', async () => {
    const system = await startSystem()
    const rules = path.join(system.data, 'rules.json')
    await writeFile(rules, JSON.stringify(rulesOf()))
    const into = ['--format', 'csv', '--org', 'bank', '--wallet', 'berka', '--rules', rules, '--json']
    const run = async () => JSON.parse(await system.kogi('import', set.file('trans.csv'), ...into))
    const made = await run()
    expect(made.booked).to.equal(set.oracle.rows)
    const client = await system.clientOf('bank')
    await visible(client, BigInt(made.position))
    const balances = await allRows(client, '/api/v1/kwlt/wallets/berka/accounts')
    const sums = balances.map(({ account, balance }) => `${account!.slice('bank:'.length)},${balance}`)
    expect(checksum(sums)).to.equal(set.oracle.sha256_sum_balances)
    expect((await run()).booked).to.equal(0)
    client.close()
    await system.stop()
  })

  it('books some 3,000 rows or more a second of the processor, the log included', async () => {
    const server = await startEventStore({ memory: true })
    const store = commandStore(server.url, 30_000)
    const deps = {
      store,
      codec,
      streams: loadedStreams({ store, codec, unskippedBy: async () => [], onSnapshotFailed: () => {} }),
      checkReferences: async () => {},
      turns: new Turns<Command, Receipt>(),
      now: () => new Date().toISOString(),
      keyring: plainKeyring,
      onRefused: () => {},
      readXml,
    }
    const said = parseBody(object(optionsSchema), { rules: rulesOf() })
    const before = process.cpuUsage()
    const { booked } = await importStatement(deps, {
      principal: { subject: 'bank', org: 'bank', roles: [], permissions: [] },
      correlationId: 'berka',
      wallet: 'berka',
      bytes: readFileSync(set.file('trans.csv')),
      name: 'trans.csv',
      format: 'csv',
      options: { ...importOptions(said), opens: 'business' },
      dryRun: false,
    })
    const { user, system } = process.cpuUsage(before)
    await store.close()
    await server.close()
    const rate = booked / ((user + system) / 1e6)
    console.log(`    ${booked} entries, ${Math.round(rate)} a second of the processor`)
    expect(booked).to.equal(set.oracle.rows)
    // A processor slower than the one of this figure has a lower one; half of it means that the import is slower.
    expect(patient(rate)).to.be.greaterThan(ROWS_PER_SECOND / 2)
  })
})
