import { expect } from 'chai'
import { type App, startApp } from '../support/app.ts'
import { type Client, untilAnswered } from '../support/client.ts'
import { type Gate, gateTo } from '../support/gate.ts'

describe('an engine that is away', function () {
  this.timeout(60_000)
  const gates: Record<'store' | 'rows' | 'keys', Gate> = {} as never
  let app: App
  let client: Client
  let n = 0

  before(async () => {
    app = await startApp({
      env: { KOGI_APPEND_TIMEOUT_MS: '1000', KOGI_DATABASE_CONNECT_TIMEOUT_MS: '3000' },
      async through({ eventStoreUrl, databaseUrl, keysDatabaseUrl }) {
        gates.store = await gateTo(portOf(eventStoreUrl))
        gates.rows = await gateTo(portOf(databaseUrl))
        gates.keys = await gateTo(portOf(keysDatabaseUrl))
        return {
          eventStoreUrl: withPort(eventStoreUrl, gates.store.port),
          databaseUrl: withPort(databaseUrl, gates.rows.port),
          keysDatabaseUrl: withPort(keysDatabaseUrl, gates.keys.port),
        }
      },
    })
    client = await app.clientOf('steady')
    expect((await add()).status).to.equal(201)
  })
  after(async () => {
    await app?.close()
    await Promise.all(Object.values(gates).map(gate => gate.shut()))
  })

  const add = (key = `key-${n++}`) =>
    client.call('POST', '/api/v1/kbfc/items', {
      body: { name: `Item of ${key}`, id: key },
      headers: { 'Idempotency-Key': key },
    })
  const list = (headers: Record<string, string> = {}) => client.call('GET', '/api/v1/kbfc/items?limit=500', { headers })

  it('the event store: commands answer 503, reads go on, and all is well by itself when it is back', async () => {
    await gates.store.shut()
    const refused = await add('while-away')
    expect(refused.status, JSON.stringify(refused.body)).to.equal(503)
    expect(refused.body.error.code).to.be.oneOf(['engine_unavailable', 'outcome_unknown'])
    expect(refused.headers['retry-after']).to.exist
    const now = await list()
    expect(now.status, JSON.stringify(now.body)).to.equal(200)
    await gates.store.open()
    const accepted = await untilAnswered(201, () => add('while-away'))
    const seen = await untilAnswered(200, () =>
      list({ 'Kogi-Min-Position': String(accepted.headers['kogi-position']) }),
    )
    expect(seen.body.data.filter(({ id }: { id: string }) => id === 'while-away')).to.have.length(1)
  })

  it('the rows: reads answer 503, commands go on, and the rows catch up by themselves', async () => {
    await gates.rows.shut()
    const accepted = await add('rows-away')
    expect(accepted.status, JSON.stringify(accepted.body)).to.equal(201)
    const refused = await list()
    expect([refused.status, refused.body.error.code]).to.deep.equal([503, 'engine_unavailable'])
    expect(refused.headers['retry-after']).to.exist
    await gates.rows.open()
    const token = { 'Kogi-Min-Position': String(accepted.headers['kogi-position']) }
    const seen = await untilAnswered(200, () => list(token))
    expect(seen.body.data.map(({ id }: { id: string }) => id)).to.include('rows-away')
  })

  it('the keys: what holds personal data answers 503 and writes nothing, the rest goes on', async () => {
    await gates.keys.shut()
    const body = { id: 'w', kind: 'personal', holder: 'A Person' }
    const sealed = await client.call('POST', '/api/v1/kwlt/wallets', { body })
    expect(sealed.status).to.equal(503)
    const other = await add('keys-away')
    expect(other.status, JSON.stringify(other.body)).to.equal(201)
    await gates.keys.open()
    await untilAnswered(201, () => client.call('POST', '/api/v1/kwlt/wallets', { body }))
  })
})

const portOf = (url: string) => Number(/:(\d+)(?=[/?])/.exec(url)![1])
const withPort = (url: string, port: number) => url.replace(/:(\d+)(?=[/?])/, `:${port}`)
