/**
 * The ledger that one would write first: Express and PostgreSQL, a transaction for each entry, the balance updated
 * under a row lock, an idempotency key that is unique. `DATABASE_URL=… node naive.mjs` prints `ready <url>`.
 */
import express from 'express'
import pg from 'pg'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 20 })
await pool.query(`
  create table accounts (
    wallet text, account text, currency text, balance numeric not null default 0, primary key (wallet, account, currency)
  );
  create table entries (
    id bigserial primary key, wallet text not null, key text not null, kind text not null,
    effective_on date not null default current_date, at timestamptz not null default now(), unique (wallet, key)
  );
  create table postings (
    entry bigint references entries, n int, wallet text, account text, currency text, amount numeric not null,
    primary key (entry, n)
  )`)

const app = express().use(express.json({ limit: '2mb' }))

app.post('/wallets/:id', async (request, response) => {
  const values = [request.params.id, 'main', 'EUR']
  await pool.query('insert into accounts values ($1, $2, $3) on conflict do nothing', values)
  response.status(201).json({})
})

app.post('/wallets/:id/credits', (request, response) =>
  transaction(response, async client => {
    const { account, currency, amount, counterparty } = request.body
    const wallet = request.params.id
    const entry = await client.query({
      name: 'entry',
      text: `insert into entries (wallet, key, kind) values ($1, $2, 'credit')
        on conflict (wallet, key) do nothing returning id`,
      values: [wallet, request.headers['idempotency-key']],
    })
    if (entry.rows.length === 0) return { replayed: true }
    await client.query({
      name: 'postings',
      text: 'insert into postings values ($1, 0, $2, $3, $4, $5::numeric), ($1, 1, $2, $6, $4, -$5::numeric)',
      values: [entry.rows[0].id, wallet, account, currency, amount, counterparty],
    })
    const balance = await client.query({
      name: 'balance',
      text: `update accounts set balance = balance + $4 where wallet = $1 and account = $2 and currency = $3
        returning balance`,
      values: [wallet, account, currency, amount],
    })
    if (balance.rows.length === 0) throw new Error('no such account')
    return { id: entry.rows[0].id, balance: balance.rows[0].balance }
  }),
)

// All entries of a request in one transaction of three set-based statements.
app.post('/wallets/:id/bulk', (request, response) =>
  transaction(response, async client => {
    const wallet = request.params.id
    const { entries } = request.body
    const column = (name, of = entries) => of.map(entry => entry[name])
    const { rows } = await client.query({
      name: 'bulk entries',
      text: `insert into entries (wallet, key, kind) select $1, k, 'credit' from unnest($2::text[]) k
        on conflict do nothing returning id, key`,
      values: [wallet, column('key')],
    })
    const ids = new Map(rows.map(({ id, key }) => [key, id]))
    const fresh = entries.filter(({ key }) => ids.has(key)).map(entry => ({ ...entry, id: ids.get(entry.key) }))
    const both = ['account', 'currency', 'amount', 'counterparty'].map(name => column(name, fresh))
    await client.query({
      name: 'bulk postings',
      text: `with t as (
          select * from unnest($2::bigint[], $3::text[], $4::text[], $5::numeric[], $6::text[]) t(e, a, c, m, x)
        )
        insert into postings select e, 0, $1, a, c, m from t union all select e, 1, $1, x, c, -m from t`,
      values: [wallet, column('id', fresh), ...both],
    })
    await client.query({
      name: 'bulk balances',
      text: `update accounts a set balance = balance + s.m
        from (select x, c, sum(m) m from unnest($2::text[], $3::text[], $4::numeric[]) t(x, c, m) group by 1, 2) s
        where a.wallet = $1 and a.account = s.x and a.currency = s.c`,
      values: [wallet, ...both.slice(0, 3)],
    })
    return { entries: fresh.length }
  }),
)

async function transaction(response, work) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    response.status(201).json(result)
  } catch (error) {
    await client.query('rollback')
    response.status(422).json({ error: error.message })
  } finally {
    client.release()
  }
}

const server = app.listen(0, '127.0.0.1', () => console.log(`ready http://127.0.0.1:${server.address().port}`))
