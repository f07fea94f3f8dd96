import { createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { KogiError } from '../../domain/kernel/errors.ts'
import { silentLog as log } from '../../infra/log.ts'
import { createMetrics } from '../../infra/metrics.ts'
import { migrate } from '../../infra/migrate.ts'
import { createPool, type Pool, withTransaction } from '../../infra/postgres.ts'
import { freshDatabase } from '../support/postgres.ts'

const caught = (promise: Promise<unknown>): Promise<KogiError> =>
  promise.then(
    () => expect.fail('no error'),
    error => error,
  )

describe('PostgreSQL pool', () => {
  let url: string
  let pool: Pool
  const metrics = createMetrics({ service: 'test' })

  before(async () => {
    url = await freshDatabase()
    pool = createPool({ url, name: 'read', log, metrics, max: 4 })
    await pool.query('CREATE TABLE numbers (n int PRIMARY KEY)')
  })
  after(() => pool.end())

  it('parses values without loss', async () => {
    const { rows } = await pool.query(`SELECT 9223372036854775807::int8 AS int8,
      12345678901234567890123456789012345678::numeric AS whole,
      1.50::numeric AS part, ARRAY[1, 2]::int8[] AS list, '{"a": [1]}'::jsonb AS json, '2026-01-12'::date AS date,
      '2026-01-12 10:30:00.123456+00'::timestamptz AS at, NULL::int8 AS none, count(*) AS count FROM numbers`)
    expect(rows[0]).to.deep.equal({
      int8: 9223372036854775807n,
      whole: 12345678901234567890123456789012345678n,
      part: '1.50',
      list: [1n, 2n],
      json: { a: [1] },
      date: '2026-01-12',
      at: '2026-01-12T10:30:00.123456Z',
      none: null,
      count: 0n,
    })
  })

  it('takes bigint as parameters', async () => {
    const { rows } = await pool.query('SELECT $1::numeric + 1 AS n', [10n ** 30n])
    expect(rows[0].n).to.equal(10n ** 30n + 1n)
  })

  it('writes times of other zones with their offset', async () => {
    const rows = await withTransaction(pool, async connection => {
      await connection.query(`SET LOCAL timezone = 'Asia/Kolkata'`)
      return (await connection.query(`SELECT '2026-01-12T00:00:00Z'::timestamptz AS at`)).rows
    })
    expect(rows[0].at).to.equal('2026-01-12T05:30:00+05:30')
  })

  it('commits what returns and rolls back what throws', async () => {
    await withTransaction(pool, connection => connection.query('INSERT INTO numbers VALUES (1)'))
    const error = await caught(
      withTransaction(pool, async connection => {
        await connection.query('INSERT INTO numbers VALUES (2)')
        throw new Error('changed my mind')
      }),
    )
    expect(error.message).to.equal('changed my mind')
    expect((await pool.query('SELECT n FROM numbers')).rows).to.deep.equal([{ n: 1 }])
  })

  it('reads one moment in a REPEATABLE READ transaction, and writes nothing in a read-only one', async () => {
    await withTransaction(
      pool,
      async connection => {
        await connection.query('SELECT * FROM numbers')
        await pool.query('INSERT INTO numbers VALUES (3)')
        expect((await connection.query('SELECT n FROM numbers')).rows).to.deep.equal([{ n: 1 }])
      },
      { isolation: 'repeatable read', readOnly: true },
    )
    const error = await caught(withTransaction(pool, c => c.query('DELETE FROM numbers'), { readOnly: true }))
    expect(error.code).to.equal('25006')
  })

  it('leaves the errors of statements as they are', async () => {
    expect((await caught(pool.query('SELEC'))).code).to.equal('42601')
    expect((await caught(pool.query('INSERT INTO numbers VALUES (1)'))).code).to.equal('23505')
  })

  it('calls a broken connection engine_unavailable and goes on with a new one', async () => {
    const error = await caught(
      withTransaction(pool, async connection => {
        const { rows } = await connection.query('SELECT pg_backend_pid() AS pid')
        await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid])
        await connection.query('SELECT 1')
      }),
    )
    expect(error).to.be.instanceOf(KogiError).with.property('code', 'engine_unavailable')
    expect((await pool.query('SELECT 1 AS one')).rows).to.deep.equal([{ one: 1 }])
  })

  it('calls a server that is away engine_unavailable', async () => {
    const away = createPool({ url: 'postgres://kogi:x@127.0.0.1:1/kogi', name: 'away', log })
    expect(await caught(away.query('SELECT 1'))).to.have.property('code', 'engine_unavailable')
    expect(await caught(withTransaction(away, async () => 1))).to.have.property('code', 'engine_unavailable')
    await away.end()
  })

  it('does not wait for ever for a server that accepts and says nothing', async () => {
    const sockets: Socket[] = []
    const server: Server = createServer(socket => sockets.push(socket))
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const mute = createPool({
      url: `postgres://kogi:x@127.0.0.1:${port}/kogi`,
      name: 'mute',
      log,
      connectTimeoutMs: 100,
    })
    expect(await caught(mute.query('SELECT 1'))).to.have.property('code', 'engine_unavailable')
    for (const socket of sockets) socket.destroy()
    server.close()
    await mute.end()
  })

  it('stops a statement at its time limit', async () => {
    const hasty = createPool({ url, name: 'hasty', log, statementTimeoutMs: 50 })
    expect(await caught(hasty.query('SELECT pg_sleep(5)'))).to.have.property('code', 'engine_unavailable')
    await hasty.end()
  })

  it('counts what it does', async () => {
    const text = await metrics.registry.metrics()
    expect(text).to.match(/db_queries_total\{database="read",outcome="ok",service="test"\} [1-9]/)
    expect(text).to.match(/db_queries_total\{database="read",outcome="error",service="test"\} [1-9]/)
    expect(text).to.match(/db_connections_active\{database="read",service="test"\} 0/)
  })
})

describe('migrations', () => {
  it('run once for several processes, also after a process was killed holding the lock', async () => {
    const url = await freshDatabase()
    const pool = createPool({ url, name: 'keys', log })
    const ran = await Promise.all([1, 2, 3].map(() => migrate({ url, set: 'keys', log })))
    const names = 'subject_keys master_keys key_owners api_keys secret_values index_keys sign_in'.split(' ')
    expect(ran.flat()).to.deep.equal(names.map((name, n) => `000${n + 1}_${name}`))
    await pool.query('UPDATE knex_migrations_lock SET is_locked = 1')
    expect(await migrate({ url, set: 'keys', log })).to.deep.equal([])
    const insert = `INSERT INTO subject_keys (key, org, subject, secret) VALUES (gen_random_uuid(), 'o', 's', '\\x00')`
    await pool.query(insert)
    expect((await caught(pool.query(insert))).code).to.equal('23505')
    await pool.end()
  })

  it('accept a set without any', async () => {
    const url = await freshDatabase()
    expect(await migrate({ url, set: 'read', log })).to.be.an('array')
  })
})
