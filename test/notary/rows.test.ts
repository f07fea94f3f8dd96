import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { projections } from '../../infra/catalogue.ts'
import type { Verifier } from '../../projections/notary/note.ts'
import { checkRowProof } from '../../projections/notary/row-proof.ts'
import { verifierIn } from '../../scripts/log-keys.ts'
import type { Answer, Client } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'

const run = promisify(execFile)
const ACCOUNT = '/api/v1/kwlt/wallets/studio/accounts/cash/EUR?proof=true'
const NONE = '/api/v1/kwlt/wallets/studio/accounts/cash/CZK?proof=true'

describe('a proved balance', function balance() {
  this.timeout(180_000)
  let system: System
  let folder: string
  let acme: Client
  let key: string
  let verifiers: readonly Verifier[]
  const read = (place: string, position = '0') =>
    acme.call('GET', place, { headers: { 'kogi-min-position': position } })
  const credit = async (amount: string) => {
    const body = { account: 'cash', currency: 'EUR', amount, counterparty: 'external:client', description: 'invoice' }
    const { status, headers, body: answer } = await acme.call('POST', '/api/v1/kwlt/wallets/studio/credits', { body })
    expect(status, JSON.stringify(answer)).to.equal(201)
    return String(headers['kogi-position'])
  }
  const check = ({ body }: Answer) => checkRowProof(JSON.stringify(body), verifiers, projections)

  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'kogi-rows-'))
    system = await startSystem({ env: { KOGI_PROVED_MODELS: 'balances, wallets' } })
    acme = await system.clientOf('acme')
    await acme.call('POST', '/api/v1/kwlt/wallets', { body: { id: 'studio', kind: 'business' } })
    const account = { account: 'cash', currency: 'EUR', places: 2, overdraft: 'refused' }
    await acme.call('POST', '/api/v1/kwlt/wallets/studio/accounts', { body: account })
    await credit('100')
    key = JSON.parse(await system.kogi('notary', '--json', '--data', system.data)).keys[0]
    verifiers = [await verifierIn(key)]
  })
  after(async () => {
    acme?.close()
    await system?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  it('is the one after the last command, once its position is asked for', async () => {
    for (const [n, amount] of ['11', '22', '33'].entries()) {
      const position = await credit(amount)
      const answer = await read(`${ACCOUNT}&wait=30000`, position)
      const { row, statement } = check(answer)
      expect(row).to.include({ balance: String(100 + [11, 33, 66][n]!), wallet: 'studio' })
      expect(answer.body.data.balance).to.equal(row!.balance)
      expect(answer.body.meta.as_of).to.equal(position)
      expect(String(statement.position)).to.equal(position)
      expect(statement).to.include({ model: 'balances', rows: 1 })
    }
  })

  it('is checked offline by the CLI, and by one file with nothing but Node', async () => {
    const verifier = path.join(folder, 'kogi-verify.mjs')
    const bundle = pathToFileURL(path.resolve('scripts/bundle.mjs'))
    const made = `const { verifier } = await import('${bundle}');
      const { writeFileSync } = await import('node:fs');
      writeFileSync('${verifier}', verifier('${verifier}').contents)`
    await run(process.execPath, ['--input-type=module', '-e', made])
    const there = (await read(ACCOUNT)).body
    const none = await read(NONE)
    expect([none.status, none.body.error.code]).to.deep.equal([404, 'not_found'])
    const cases: readonly (readonly [string, object, string | null])[] = [
      ['there', there, null],
      ['proof', there.meta.proof, null],
      ['none', none.body, null],
      ['amount', { ...there, data: { ...there.data, balance: '100000' } }, 'row_differs'],
      ['row', { ...there.meta.proof, row: { ...there.meta.proof.row, balance: '100000' } }, 'row_not_included'],
      ['absent', { ...there.meta.proof, row: null }, 'row_not_absent'],
      ['statement', { ...there.meta.proof, statement: there.meta.proof.checkpoint }, 'statement_invalid'],
    ]
    for (const [name, document, code] of cases) {
      const file = path.join(folder, `${name}.json`)
      await writeFile(file, JSON.stringify(document))
      const ways = [
        () => system.kogi('audit', 'verify-row', file, '--key', key, '--json'),
        async () =>
          (await run(process.execPath, [verifier, 'row', file, '--key', key, '--json'], { cwd: folder })).stdout,
      ]
      for (const way of name === 'there' || name === 'amount' ? ways : ways.slice(1)) {
        const { out, failed } = await way().then(
          out => ({ out, failed: false }),
          error => ({ out: `${error.stdout} ${error}`, failed: true }),
        )
        expect(failed, `${name}: ${out}`).to.equal(code !== null)
        expect(out).to.include(code === null ? '"ok":true' : code)
      }
    }
  })

  it('follows from the events of an export, and of no other', async () => {
    const [file, out] = [path.join(folder, 'cash.json'), path.join(folder, 'export')]
    const covering = (position: string) => read(`${ACCOUNT}&wait=30000`, position)
    const first = await covering(await credit('1'))
    await system.kogi('audit', 'export', '--org', 'acme', '--out', out, '--data', system.data)
    await writeFile(file, JSON.stringify(first.body))
    const check = () => system.kogi('audit', 'verify-row', file, '--key', key, '--export', out, '--json')
    expect(JSON.parse(await check())).to.include({ ok: true, folded: true, model: 'balances' })
    await writeFile(file, JSON.stringify((await covering(await credit('2'))).body))
    expect(String(await check().catch((error: Error) => error.message))).to.include('export_too_short')
  })

  it('has the same root after a rebuild of the read model', async () => {
    const before = check(await read(ACCOUNT)).statement
    await system.kogi('rebuild', 'balances', '--data', system.data)
    const position = await credit('1')
    const { row, statement } = check(await read(`${ACCOUNT}&wait=30000`, position))
    expect(row).to.include({ balance: '170' })
    expect(statement.log.size).to.equal(before.log.size + 1)
    const { status, body } = await read('/api/v1/kwlt/wallets/studio?proof=true')
    expect(status, JSON.stringify(body)).to.equal(200)
  })

  it('is there only for models that the deployment names', async () => {
    const { status, body } = await read('/api/v1/kbfc/items/none?proof=true')
    expect([status, body.error.code]).to.deep.equal([404, 'not_proved'])
  })
})
