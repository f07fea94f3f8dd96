import { expect } from 'chai'
import { type Client, inLanes } from '../support/client.ts'
import { type System, startSystem } from '../support/system.ts'
import { allRows, checkRows, commandsOf, visible, whileKillingProjector } from './checks.ts'
import { checksum, csv, dataSet, groupBy } from './data-sets.ts'

const LANES = 64
type Row = Record<string, string>
type Tally = { refused: string[]; replayed: number; written: number; position: bigint }

describe('berka: a bank through the command API', function () {
  const set = dataSet(this, 'berka', 'trans.csv')
  const rows = set.oracle ? csv(set.text('trans.csv')) : []
  const accounts = groupBy(rows, 'account_id')
  let system: System

  before(async () => {
    system = await startSystem()
  })
  after(() => system?.stop())

  for (const overdraft of ['allowed', 'refused'] as const) {
    describe(`overdraft ${overdraft}`, () => {
      const rounding = overdraft === 'allowed'
      let client: Client
      let command: Command
      let first: Tally

      before(async () => {
        client = await system.clientOf(`bank-${overdraft}`)
        command = commandsOf(client)
        first = emptyTally()
        const work = send(command, accounts, { overdraft, rounding }, first)
        await whileKillingProjector(system, 2, work)
        await visible(client, first.position)
      })
      after(() => client?.close())

      it('refuses what the oracle refuses', () => {
        expect(first.refused).to.have.length(overdraft === 'refused' ? set.oracle.no_overdraft.refusals : 0)
        expect(first.replayed).to.equal(0)
      })

      it('ends with the balances of the bank', async () => {
        const balances = await allRows(client, '/api/v1/kwlt/accounts')
        const sum = checksum(balances.map(({ wallet, balance }) => `${wallet},${balance}`))
        const { sha256_printed_balances, no_overdraft } = set.oracle
        expect(sum).to.equal(overdraft === 'allowed' ? sha256_printed_balances : no_overdraft.sha256_final)
      })

      if (overdraft === 'allowed') {
        it('shows the printed balance after every row', async () => {
          const statements = await statementsOf(client, accounts)
          let compared = 0
          for (const [account, own] of accounts) {
            const lines = statements.get(account)!
            let line = -1
            for (const row of own) {
              line += row.rounding_haler === '0' ? 1 : 2
              expect(lines[line]?.balance, `account ${account}, transaction ${row.trans_id}`).to.equal(
                row.balance_haler,
              )
              compared++
            }
          }
          expect(compared).to.equal(set.oracle.rows)
        })

        it('adds up to the bank without its rounding', async () => {
          const entries = await allRows(client, '/api/v1/kwlt/entries')
          const sums = new Map([...accounts.keys()].map(account => [account, 0n]))
          for (const { wallet, postings } of entries as unknown as Entry[]) {
            if (postings.some(({ account }) => account === 'external:rounding')) continue
            for (const { account, amount } of postings) {
              if (account === 'main') sums.set(wallet, sums.get(wallet)! + BigInt(amount))
            }
          }
          expect(checksum([...sums].map(([id, sum]) => `${id},${sum}`))).to.equal(set.oracle.sha256_sum_balances)
        })

        it('has the end-of-day balances by effective date', async () => {
          const lines: string[] = []
          await inLanes(accounts.keys(), 16, async account => {
            const path = `/api/v1/kwlt/wallets/${account}/accounts/main/end-of-day?currency=CZK`
            const days = await allRows(client, path, 'days')
            for (const { date, balance } of days) lines.push(`${account},${date},${balance}`)
          })
          expect(lines).to.have.length(set.oracle.end_of_day_points)
          expect(checksum(lines)).to.equal(set.oracle.sha256_end_of_day_printed)
        })
      }

      it('appends nothing when the accepted commands come again', async () => {
        const again = emptyTally()
        const refused = new Set(first.refused)
        await send(command, accounts, { overdraft, rounding, skip: ({ trans_id }) => refused.has(trans_id!) }, again)
        expect(again.written).to.equal(0)
        expect(again.replayed).to.equal(first.written)
        expect(again.position <= first.position, `${again.position} after ${first.position}`).to.equal(true)
      })

      it('stores rows that equal an independent fold of the log', () => checkRows(system))
    })
  }
})

type Entry = { wallet: string; postings: { account: string; amount: string }[] }
type Command = ReturnType<typeof commandsOf>
type Plan = { overdraft: 'allowed' | 'refused'; rounding: boolean; skip?: (row: Row) => boolean }

const emptyTally = (): Tally => ({ refused: [], replayed: 0, written: 0, position: 0n })

/** Sends every account's rows in their order, the accounts side by side. */
async function send(command: Command, accounts: Map<string, Row[]>, plan: Plan, tally: Tally): Promise<void> {
  await inLanes(accounts, LANES, async ([account, rows]) => {
    const wallet = `/api/v1/kwlt/wallets/${account}`
    const post = async (path: string, key: string, body: unknown) => {
      const answer = await command('POST', path, key, body)
      if (answer.status === 422 && answer.body.error.code === 'insufficient_funds') {
        tally.refused.push(key)
        return
      }
      expect([200, 201], JSON.stringify(answer.body)).to.include(answer.status)
      const { replayed, position } = answer.body.data
      if (replayed && !answer.late) tally.replayed++
      else tally.written++
      if (BigInt(position) > tally.position) tally.position = BigInt(position)
    }
    await post('/api/v1/kwlt/wallets', `open-${account}`, { id: account, owner: `client-${account}`, kind: 'personal' })
    await post(`${wallet}/accounts`, 'account', { account: 'main', currency: 'CZK', overdraft: plan.overdraft })
    for (const row of rows) {
      if (plan.skip?.(row)) continue
      const entry = { account: 'main', currency: 'CZK', effective_on: row.date }
      const counterparty = `external:${row.operation || '-'}:${row.k_symbol || '-'}`
      const path = row.type === 'PRIJEM' ? 'credits' : 'debits'
      await post(`${wallet}/${path}`, row.trans_id!, { ...entry, amount: row.amount_haler, counterparty })
      const rounding = BigInt(row.rounding_haler!)
      if (!plan.rounding || rounding === 0n) continue
      const side = rounding > 0n ? 'credits' : 'debits'
      const amount = String(rounding > 0n ? rounding : -rounding)
      const body = { ...entry, amount, counterparty: 'external:rounding' }
      await post(`${wallet}/${side}`, `${row.trans_id}:rounding`, body)
    }
  })
}

async function statementsOf(client: Client, accounts: Map<string, Row[]>) {
  const statements = new Map<string, Row[]>()
  await inLanes(accounts.keys(), 16, async account => {
    const path = `/api/v1/kwlt/wallets/${account}/accounts/main/statement?currency=CZK&order=posted`
    statements.set(account, await allRows(client, path, 'lines'))
  })
  return statements
}
