import { randomUUID } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { importOptions, optionsSchema } from '../../../commands/imports/routes.ts'
import { importStatement, undoImport } from '../../../commands/imports/statement.ts'
import { loadWallet } from '../../../commands/imports/wallet-state.ts'
import { parseBody } from '../../../commands/requests.ts'
import { object } from '../../../domain/kernel/schema.ts'
import { accountsOf } from '../../../domain/wallet/wallet/wallet.ts'
import { readXml } from '../../../infra/xml/read.ts'
import { codeOf, eventStore, ORG, startProcess } from '../../commands/support.ts'

/** What may be done by hand with an entry of an import before it is taken back. */
const ACTS = ['nothing', 'reverse', 'replace', 'replace twice', 'replace and reverse', 'post a reversal'] as const
type Act = (typeof ACTS)[number]

const BANK = 'assets:bank'
/** `amounts` in cents, as rows of one statement that opens with 100 euros. */
function statementOf(amounts: readonly bigint[]): Buffer {
  const comma = (cents: bigint) => `${cents / 100n},${String(cents % 100n).padStart(2, '0')}`
  const closing = amounts.reduce((sum, amount) => sum + amount, 10_000n)
  const rows = amounts.map(amount => `:61:260102C${comma(amount)}NTRFNONREF`)
  const head = [':20:1', ':25:77', ':28C:1', ':60F:C260101EUR100,00']
  return Buffer.from([...head, ...rows, `:62F:C260131EUR${comma(closing)}`, '-'].join('\n'))
}

describe('imports of bank statements: taken back after entries were changed by hand', () => {
  const log = eventStore()

  const stage = async () => {
    const { deps, send } = startProcess(log.port)
    const wallet = `books-${randomUUID()}`
    const principal = { subject: 'user-1', org: ORG, roles: ['owner'], permissions: [] }
    const caller = { principal, correlationId: 'undo' }
    const options = {
      ...importOptions(parseBody(object(optionsSchema), { account: BANK })),
      opens: 'business' as const,
    }
    const take = (bytes: Buffer) =>
      importStatement(
        { ...deps, readXml },
        { ...caller, wallet, bytes, name: 'a.sta', format: 'mt940', options, dryRun: false },
      )
    const undo = (id: string) => undoImport(deps, { ...caller, import: id })
    const stateOf = () => loadWallet(deps, { org: ORG, wallet })
    const balances = async () =>
      Object.fromEntries(accountsOf((await stateOf()).state).map(({ account, amount }) => [account, amount]))
    /** Does something by hand with an entry, through the same write path. */
    const act = async (what: Act, entry: string): Promise<void> => {
      const give = async (name: string, body: object) => {
        const { events } = await send({ name, id: wallet, body, idempotencyKey: randomUUID() })
        return (events[0]!.data as { readonly entry: string }).entry
      }
      const instead = (amount: bigint) => [
        { account: BANK, currency: 'EUR', amount },
        { account: 'external:elsewhere', currency: 'EUR', amount: -amount },
      ]
      const replace = (of: string) => give('reverse', { entry: of, postings: instead(7n) })
      if (what === 'reverse') await give('reverse', { entry })
      if (what === 'replace') await replace(entry)
      if (what === 'replace twice') await replace(await replace(entry))
      if (what === 'replace and reverse') await give('reverse', { entry: await replace(entry) })
      if (what === 'post a reversal') {
        const found = [...(await stateOf()).posted.values()].find(one => one.entry === entry)!
        const postings = found.postings.map(({ account, currency, amount }) => ({ account, currency, amount: -amount }))
        await give('post', { postings, reverses: entry })
      }
    }
    return { take, undo, act, balances, stateOf, send, wallet }
  }

  it('leave nothing behind, and are booked exactly once again', async () => {
    const row = fc.record({ amount: fc.bigInt({ min: 1n, max: 500n }), act: fc.constantFrom(...ACTS) })
    const runs = process.env.KOGI_LONG ? 200 : 8
    const property = fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(...ACTS),
      async (rows, ofOpening) => {
        const { take, undo, act, balances, stateOf } = await stage()
        const file = statementOf(rows.map(({ amount }) => amount))
        const first = await take(file)
        const [opening, ...entries] = [...(await stateOf()).posted.values()].map(({ entry }) => entry)
        await act(ofOpening, opening!)
        for (const [n, entry] of entries.entries()) await act(rows[n]!.act, entry)
        await undo(first.import)
        expect(await balances(), 'taken back').to.deep.equal({ [BANK]: 0n })
        const whole = rows.reduce((sum, { amount }) => sum + amount, 10_000n)
        for (const booked of [rows.length + 1, 0]) {
          expect((await take(file)).booked).to.equal(booked)
          expect(await balances(), 'imported again').to.deep.equal({ [BANK]: whole })
        }
      },
    )
    await fc.assert(property, { numRuns: runs })
  }).timeout(60_000)

  it('leave what was taken back by hand as it is while the import stands, and say so', async () => {
    const { take, act, stateOf, balances } = await stage()
    await take(statementOf([500n, 300n]))
    const [, second] = [...(await stateOf()).posted.values()]
    await act('reverse', second!.entry)
    const { plan, booked } = await take(statementOf([500n, 300n]))
    expect(booked).to.equal(0)
    expect(plan.notes.map(note => note.replace(second!.entry, 'it'))).to.deep.equal([
      'line 5: its entry it was taken back by hand, and stays so',
    ])
    expect(await balances()).to.deep.equal({ [BANK]: 10_300n })
  })

  it('are refused whole where the money is spent, and name the entry', async () => {
    const { take, undo, stateOf, send, wallet } = await stage()
    const { import: id } = await take(statementOf([500n]))
    const terms = { account: BANK, currency: 'EUR', overdraft: 'refused' }
    const spent = { account: BANK, currency: 'EUR', amount: 10_400n, counterparty: 'external:shop' }
    await send({ name: 'changeAccount', id: wallet, body: terms })
    await send({ name: 'debit', id: wallet, body: spent })
    const { entry } = [...(await stateOf()).posted.values()][1]!
    const before = await stateOf()
    const refusal = await undo(id).then(
      () => '',
      (error: Error) => error.message,
    )
    expect(refusal).to.equal(
      `the entry ${entry} of 2026-01-02 "" cannot be taken back: The account has less to spend today than that ` +
        `takes. (account ${BANK}, currency EUR, available 100, needed 500) Nothing was written.`,
    )
    expect(await stateOf()).to.deep.equal(before)
    expect(await codeOf(undo(id))).to.equal('import_invalid')
  })
})
