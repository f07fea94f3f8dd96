/**
 * Wallet credits as Emmett's guides write them: a command handler with optimistic concurrency and an inline projection
 * of balances, on PostgreSQL. `DATABASE_URL=… node emmett.mjs` prints `ready <url>`.
 */
import { SQL } from '@event-driven-io/dumbo'
import { CommandHandler } from '@event-driven-io/emmett'
import { Created, getApplication, on } from '@event-driven-io/emmett-expressjs'
import { getPostgreSQLEventStore, postgreSQLRawSQLProjection } from '@event-driven-io/emmett-postgresql'
import pg from 'pg'

const url = process.env.DATABASE_URL
const pool = new pg.Pool({ connectionString: url, max: 1 })
await pool.query(`create table emmett_balances (
  wallet text, account text, currency text, amount numeric not null, primary key (wallet, account, currency)
)`)
await pool.end()

const balances = postgreSQLRawSQLProjection({
  name: 'balances',
  canHandle: ['EntryPosted'],
  evolve: ({ data: { wallet, account, currency, amount } }) =>
    SQL`insert into emmett_balances values (${wallet}, ${account}, ${currency}, ${amount})
      on conflict (wallet, account, currency) do update set amount = emmett_balances.amount + excluded.amount`,
})
const store = getPostgreSQLEventStore(url, { projections: [{ type: 'inline', projection: balances }] })
const handle = CommandHandler({
  initialState: () => ({ open: false, balance: 0n }),
  evolve: (state, { type, data }) =>
    type === 'EntryPosted'
      ? { open: true, balance: state.balance + BigInt(data.amount) }
      : { open: true, balance: state.balance },
})

const wallets = router => {
  router.post(
    '/wallets/:id',
    on(async ({ params: { id } }) => {
      await handle(store, `wallet-${id}`, () => [{ type: 'WalletOpened', data: { wallet: id } }])
      return Created({ createdId: id })
    }),
  )
  router.post(
    '/wallets/:id/credits',
    on(async ({ params: { id }, body: { account, currency, amount, counterparty } }) => {
      const { nextExpectedStreamVersion } = await handle(store, `wallet-${id}`, ({ open }) => {
        if (!open) throw new Error('not open')
        if (!/^[1-9]\d{0,37}$/.test(amount)) throw new Error('not an amount')
        const postings = [
          { account, currency, amount },
          { account: counterparty, currency, amount: `-${amount}` },
        ]
        const data = { wallet: id, account, currency, amount, counterparty, postings }
        return [{ type: 'EntryPosted', data }]
      })
      return Created({ createdId: id, body: { revision: String(nextExpectedStreamVersion) } })
    }),
  )
}

const app = getApplication({ apis: [wallets] })
const server = app.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`))
