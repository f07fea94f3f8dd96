/** Imports of bank statements into a new wallet for each test. */
import { expect } from 'chai'
import { type App, startApp } from './app.ts'
import type { Client } from './client.ts'

export const ACCOUNT = 'DE89370400440532013000'
export const layout = {
  delimiter: ';',
  decimal_mark: '.',
  date_format: 'YYYY-MM-DD',
  currency: 'EUR',
  account: ACCOUNT,
  columns: { date: 'day', amount: 'amount', payee: 'payee', id: 'id' },
} as const
export const csv = (...rows: string[]) => ['day;amount;payee;id', ...rows, ''].join('\n')
export const mt940 = (closing: string, ...rows: string[]) =>
  [':20:1', `:25:${ACCOUNT}`, ':28C:1', ':60F:C260101EUR100,00', ...rows, `:62F:C260131EUR${closing}`, '-'].join('\n')

/** Starts the system before the tests of a `describe`, with a client of an org, and opens a wallet before each test. */
export function bankImports(org: string) {
  let app: App
  let client: Client
  let wallets = 0
  let wallet = ''
  /** Position at which the wallet is there. */
  let opened = '0'

  const openWallet = async () => {
    wallet = `books-${++wallets}`
    const made = await client.call('POST', '/api/v1/kwlt/wallets', { body: { id: wallet, kind: 'business' } })
    opened = String(made.headers['kogi-position'])
  }
  before(async () => {
    app = await startApp()
    client = await app.clientOf(org)
  })
  after(() => app?.close())
  beforeEach(openWallet)

  const send = (content: string, more: object = {}, by = client, query = '') =>
    by.call('POST', `/api/v1/kwlt/wallets/${wallet}/imports${query}`, {
      body: {
        format: 'csv',
        name: 'january.csv',
        content: Buffer.from(content).toString('base64'),
        account: 'assets:bank',
        rules: { csv: layout },
        ...more,
      },
    })
  return {
    send,
    openWallet,
    async imported(content: string, more: object = {}) {
      const { status, body, headers } = await send(content, more)
      expect(status, JSON.stringify(body)).to.equal(200)
      return { ...body.data, position: String(headers['kogi-position']) }
    },
    /** The rows of a list of the wallet service, once they are of a position. */
    async list(path: string, position = opened) {
      const headers = { 'kogi-min-position': position }
      const { status, body } = await client.call('GET', `/api/v1/kwlt/${path}`, { headers })
      expect(status, JSON.stringify(body)).to.equal(200)
      return body.data
    },
    get app() {
      return app
    },
    get client() {
      return client
    },
    get wallet() {
      return wallet
    },
    get opened() {
      return opened
    },
  }
}
