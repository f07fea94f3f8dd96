import { expect } from 'chai'
import fc from 'fast-check'
import { domainStreamPrefixes } from '../../infra/catalogue.ts'
import { eventLog } from '../../infra/event-store/reader.ts'
import { type App, startApp } from '../support/app.ts'
import type { Answer, Client } from '../support/client.ts'

const RUNS = process.env.KOGI_LONG ? 200 : 8

type Operation = { readonly method: string; readonly path: string; readonly fields: readonly string[] }

describe('bad input, on every route', () => {
  let app: App
  let client: Client
  let operations: Operation[]
  let accepted = 0

  before(async () => {
    app = await startApp()
    client = await app.clientOf('careless', 'platform-admin')
    const { body } = await client.call('GET', '/openapi.json')
    operations = operationsOf(body)
    expect(operations.length).to.be.at.least(25)
  })
  after(() => app?.close())

  /** Sends a request and checks what holds of every answer. */
  async function send(method: string, path: string, call: Parameters<Client['call']>[2] = {}): Promise<Answer> {
    const answer = await client.call(method, path, call)
    const sent = `${method} ${path} ${JSON.stringify(call).slice(0, 300)}`
    const said = `${sent} → ${answer.status} ${JSON.stringify(answer.body)}`
    expect(answer.status, said).to.be.below(500)
    if (typeof answer.body?.error === 'string') {
      // The form of RFC 6749.
      expect(answer.body.error_description, said).to.not.be.empty
    } else if (answer.status >= 400) {
      expect(answer.body.error.code, said).to.match(/^[a-z0-9_]+$/)
      expect(answer.body.error.message, said).to.not.be.empty
      expect(answer.body.error.details, said).to.be.an('array')
    } else if (method !== 'GET') {
      const { events, replayed } = answer.body?.data ?? { events: [], replayed: false }
      if (!replayed) accepted += events.length
    }
    return answer
  }
  const commands = () => operations.filter(({ method }) => method !== 'GET')
  /** A form is no JSON; `test/flows/files.test.ts` sends broken ones. */
  const takesForm = (path: string) => /^\/kbfc\/(items\/\{id\}\/files|files\/\{id\}\/versions)$/.test(path)

  it('is refused with 400 where the body is no JSON object', async () => {
    for (const { method, path } of commands()) {
      for (const raw of ['{', 'nul', '"text"', '[1]', '[]', '7', 'null', '{"a":1}x', '{"a":"\\ud800"}']) {
        const { status, body } = await send(method, concrete(path, 'x'), { raw })
        expect(status, `${method} ${path} ${raw} ${JSON.stringify(body)}`).to.equal(takesForm(path) ? 415 : 400)
      }
    }
  })

  it('is refused for any mix of known and unknown fields with any values, or is a good command', async () => {
    for (const { method, path, fields } of commands()) {
      const name = fc.oneof(fc.constantFrom(...fields, 'x', '__proto__', 'constructor'), fc.string())
      const body = fc.dictionary(name, wildValue, { maxKeys: 8 })
      const encoded = fc.constantFrom('a', 'b', '..', '%00', '%', '%ff', 'a%2Fb', '%2e%2e')
      const id = fc.oneof(
        encoded,
        fc.string({ minLength: 1 }).map(text => encodeURIComponent(sane(text))),
      )
      await fc.assert(
        fc.asyncProperty(body, id, async (body, id) => {
          await send(method, concrete(path, id), { body })
        }),
        { numRuns: RUNS },
      )
    }
  })

  it('is refused where a query has strange parameters', async () => {
    for (const { path } of operations.filter(({ method }) => method === 'GET')) {
      await fc.assert(
        fc.asyncProperty(fc.dictionary(queryName, queryValue, { maxKeys: 4 }), async query => {
          await send('GET', `${concrete(path, 'x')}?${new URLSearchParams(query)}`)
        }),
        { numRuns: RUNS },
      )
    }
  })

  it('is refused where a position is none that a log can have', async () => {
    for (const at of ['99999999999999999999', '9223372036854775808', '-1', '1.5', '']) {
      const answer = await send('GET', `/api/v1/kwlt/entries?at_least=${at}&wait=0`)
      expect([answer.status, answer.body.error.code], at).to.deep.equal([400, 'invalid_parameter'])
    }
  })

  it('is refused in the headers', async () => {
    for (const { method, path } of commands().slice(0, 3)) {
      const cases: [Record<string, string>, number][] = [
        [{ 'Idempotency-Key': '' }, 400],
        [{ 'Idempotency-Key': 'k'.repeat(256) }, 400],
        [{ 'If-Match': 'nonsense' }, 400],
        [{ 'If-Match': '"99999999999999999999999"' }, 400],
        [{ 'content-type': 'text/plain' }, 415],
        [{ 'content-encoding': 'br' }, 415],
        [{ authorization: 'Bearer nonsense' }, 401],
        [{ authorization: 'Basic Zm9vOmJhcg==' }, 401],
      ]
      for (const [headers, status] of cases) {
        const answer = await send(method, concrete(path, 'x'), { raw: '{}', headers })
        expect(answer.status, JSON.stringify(headers)).to.be.oneOf([status, 404])
      }
    }
  })

  it('is refused when it is too large, on a route that is not there, or with a method that is not taken', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(2 ** 21) })
    expect((await send('POST', '/api/v1/kbfc/items', { raw: large })).status).to.equal(413)
    expect((await send('GET', '/api/v1/kbfc/nothing')).status).to.equal(404)
    expect((await send('GET', '/nothing')).status).to.equal(404)
    const wrong = await send('PATCH', '/api/v1/kbfc/items', { body: {} })
    expect(wrong.status).to.equal(405)
    expect(String(wrong.headers.allow)).to.include('POST')
  })

  it('is refused for numbers beyond every size, and for money that is no decimal string', async () => {
    const open = { account: 'a', currency: 'EUR', overdraft: 'allowed' }
    await send('POST', '/api/v1/kwlt/wallets', { body: { id: 'sizes', kind: 'business' } })
    await send('POST', '/api/v1/kwlt/wallets/sizes/accounts', { body: open })
    for (const amount of ['1e5', '1.5', '-1', '0', '', ' 1', '+1', '0x10', '9'.repeat(39), 1, 1.5, null, [], {}]) {
      const body = { account: 'a', currency: 'EUR', amount }
      const answer = await send('POST', '/api/v1/kwlt/wallets/sizes/credits', { body })
      expect(answer.status, String(amount)).to.equal(400)
      expect(answer.body.error.details[0].field).to.equal('amount')
    }
    const most = { account: 'a', currency: 'EUR', amount: '9'.repeat(38) }
    expect((await send('POST', '/api/v1/kwlt/wallets/sizes/credits', { body: most })).status).to.equal(201)
    const over = await send('POST', '/api/v1/kwlt/wallets/sizes/credits', { body: most })
    expect([over.status, over.body.error.code]).to.deep.equal([422, 'amount_out_of_range'])
  })

  it('has written nothing but what was accepted', async () => {
    const log = eventLog({ url: app.urls.eventStoreUrl, prefixes: domainStreamPrefixes })
    try {
      let stored = 0
      for await (const events of log.read({ after: 0n, to: await log.head(), max: 1000 })) {
        stored += events.length
        // A DELETE is answered without a body, so that its event is counted here.
        accepted += events.filter(({ type }) => /(Archived|Removed)$/.test(type)).length
      }
      expect(stored).to.equal(accepted)
    } finally {
      await log.close()
    }
  })
})

const wildValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom('\0', '\ud800', 'x'.repeat(20_000), '9'.repeat(60), '-0', 1e308, -1, 2 ** 60, true, null),
  fc.constantFrom('EUR', 'main', 'refused', 'business', '1', '2026-02-30', 'external:x'),
  fc.array(fc.record({ account: fc.string(), currency: fc.string(), amount: fc.string() }), { maxLength: 3 }),
)
const queryName = fc.oneof(
  fc.constantFrom('limit', 'after', 'offset', 'total', 'at_least', 'wait', 'status', 'currency', 'q', 'from', 'order'),
  fc.string({ minLength: 1 }),
)
const queryValue = fc.oneof(
  fc.string(),
  fc.constantFrom('-1', '0', '1e9', '99999999999999999999', '\0', "'; drop", '%'),
)

function operationsOf(document: { paths: Record<string, Record<string, unknown>> }): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .map(([method, operation]) => ({
        method: method.toUpperCase(),
        path,
        fields: [...new Set(JSON.stringify(operation).match(/(?<=")[a-z][A-Za-z_]+(?=":)/g) ?? ['x'])],
      })),
  )
}

/** A path of the document with every parameter filled in. */
const concrete = (path: string, id: string) => `/api/v1${path}`.replace(/\{[^}]+\}/g, id)

/** Without unpaired surrogates, which no URL can carry. */
const sane = (text: string) => text.replace(/\p{Cs}/gu, '') || 'x'
